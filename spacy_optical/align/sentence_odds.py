"""Find shifted and scrambled blocks of bitext from sentence vectors and lengths.

The cosine of two sentences is standardised with the cosines of random pairs. Two Gaussians that are
estimated on the file give the log odds of a translation against a random pair. The best path
through the offsets of the rows (Viterbi) gives blocks. The sentences of a block are matched again
by partial optimal transport with unit masses, which is an assignment.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..compat import require

Odds = NDArray[np.float64]
Rows = NDArray[np.int64]
SAMPLE, WINDOW = 256, 40
# The cost of a new block in log odds, and the maximum of the log odds of a row (absolute value).
NEW_BLOCK, MOST_ODDS = 10.0, 4.0
_CHUNK = 2048


@dataclass(frozen=True)
class Block:
    """Consecutive rows whose translations have the same offset.

    start (int): The first row, from 0.
    end (int): The last row, excluded.
    offset (Optional[int]): The translation of row i is in row i + offset. None if it has none of
        the offsets that were compared.
    """

    start: int
    end: int
    offset: int | None


class TranslationOdds:
    r"""Log odds that two sentences are translations of each other and not a random pair.

    $$ \log\frac{N(z_{ij}; \mu, \sigma)}{N(z_{ij}; 0, 1)}
       + \log\frac{N(r_{ij}; \rho, \tau)}{N(r_{ij}; \rho, \tau_0)} $$

    $z$ is the cosine of the vectors, which are centred on the mean of each file, standardised with
    the cosines of random pairs. $r$ is the logarithm of the ratio of the lengths.

    source (ndarray): Sentence vectors, [n, d].
    target (ndarray): Vectors of the sentences in the same rows, [n, d].
    source_lengths (ndarray): Lengths in characters, [n].
    target_lengths (ndarray): Lengths in characters, [n].
    reach (int): The largest offset.
    seed (int): Seed of the random pairs.

    >>> rng = np.random.default_rng(0)
    >>> vectors, lengths = rng.normal(size=(200, 16)), rng.integers(20, 200, 200)
    >>> odds = TranslationOdds(vectors, np.roll(vectors, 1, 0), lengths, np.roll(lengths, 1))
    >>> find_blocks(odds.offsets)
    [Block(start=0, end=200, offset=1)]
    """

    def __init__(
        self,
        source: np.ndarray,
        target: np.ndarray,
        source_lengths: np.ndarray,
        target_lengths: np.ndarray,
        *,
        reach: int = 10,
        seed: int = 0,
    ) -> None:
        self._x, self._y = _unit(source), _unit(target)
        drawn = np.random.default_rng(seed).permutation(len(source))[:SAMPLE]
        self._chance_x = _chance(self._x, self._y[drawn])
        self._chance_y = _chance(self._y, self._x[drawn])
        self._lengths = np.log(np.maximum(1, source_lengths)), np.log(np.maximum(1, target_lengths))
        self.reach, n = reach, len(source)
        z, r = (np.full((n, 2 * reach + 1), np.nan) for _ in range(2))
        for k in range(-reach, reach + 1):
            rows = np.arange(max(0, -k), max(0, -k, min(n, n - k)))
            z[rows, k + reach], r[rows, k + reach] = self._compared(rows, rows + k)
        self._fit(z, r)
        self.offsets: Odds = self._odds(z, r)

    def at(self, rows: Rows, columns: Rows) -> Odds:
        """Compute the log odds of pairs.

        rows (ndarray): Source rows, [k].
        columns (ndarray): Target rows, [k].
        RETURNS (ndarray): Log odds, [k].
        """
        return self._odds(*self._compared(rows, columns))

    def between(self, rows: Rows, columns: Rows) -> Odds:
        """Compute the log odds of all pairs of some source and some target sentences.

        rows (ndarray): Source rows, [a].
        columns (ndarray): Target rows, [b].
        RETURNS (ndarray): Log odds, [a, b].
        """
        cosines = self._x[rows].astype(np.float32) @ self._y[columns].astype(np.float32).T
        return self._odds(*self._standard(cosines, rows[:, None], columns[None, :]))

    def _compared(self, rows: Rows, columns: Rows) -> tuple[Odds, Odds]:
        cosines = np.empty(len(rows))
        for at in range(0, len(rows), _CHUNK):
            part = slice(at, at + _CHUNK)
            x, y = self._x[rows[part]], self._y[columns[part]]
            cosines[part] = np.einsum("id,id->i", x.astype(np.float32), y.astype(np.float32))
        return self._standard(cosines, rows, columns)

    def _standard(self, cosines: np.ndarray, rows: Rows, columns: Rows) -> tuple[Odds, Odds]:
        """Compute z and r of pairs."""
        (mean_x, sd_x), (mean_y, sd_y) = self._chance_x, self._chance_y
        expected = (mean_x[rows] + mean_y[columns]) / 2
        z = (cosines - expected) / np.sqrt(sd_x[rows] * sd_y[columns])
        return z, self._lengths[1][columns] - self._lengths[0][rows]

    def _fit(self, z: Odds, r: Odds) -> None:
        """Estimate the Gaussians on the best offset of each window of rows."""
        windows = [z[i : i + WINDOW] for i in range(0, len(z), WINDOW)]
        # At the edges of the file, an offset without pairs in a window is never the best.
        means = [np.ma.masked_invalid(window).mean(axis=0) for window in windows]
        best = np.repeat([mean.argmax() for mean in means], list(map(len, windows)))
        at = np.flatnonzero(np.isfinite(z[np.arange(len(z)), best]))
        z, r = z[at, best[at]], r[at, best[at]]
        # z is below 0 for half of the random pairs and for few translations (Storey 2002).
        share = float(1 - np.clip(2 * np.mean(z < 0), 0.02, 0.9))
        self._mean = max(1.0, float(z.mean()) / share)
        square = (float((z**2).mean()) - (1 - share)) / share - self._mean**2
        self._deviation = float(np.sqrt(np.clip(square, 0.5, 4.0)))
        self._ratio, spread = 0.0, 1.0
        if (z > 1).any():
            self._ratio = float(np.median(r[z > 1]))
            spread = 1.4826 * float(np.median(np.abs(r[z > 1] - self._ratio)))
        chance = float(np.sqrt(self._lengths[0].var() + self._lengths[1].var()))
        self._spread = float(np.clip(spread, 0.1, 0.4)), max(0.4, chance)

    def _odds(self, z: Odds, r: Odds) -> Odds:
        # Beyond the vertex, the log odds would change their direction.
        m, s = self._mean, self._deviation
        if s != 1:
            vertex = -m / (s**2 - 1)
            z = np.maximum(z, vertex) if s > 1 else np.minimum(z, vertex)
        narrow, wide = self._spread
        lengths = _log_gauss(r, self._ratio, narrow) - _log_gauss(r, self._ratio, wide)
        return _log_gauss(z, m, s) - _log_gauss(z, 0, 1) + np.maximum(lengths, -MOST_ODDS)


def find_blocks(odds: np.ndarray) -> list[Block]:
    """Divide a file into the blocks with the highest log odds (Viterbi).

    odds (ndarray): [n, 2 r + 1], log odds of each row with the offsets -r to r; NaN beyond the ends
        of the file.
    RETURNS (List[Block]): Blocks that cover all rows, in order.

    >>> odds = np.full((30, 3), -3.0)
    >>> odds[:12, 1] = odds[12:, 2] = 3.0
    >>> find_blocks(odds)
    [Block(start=0, end=12, offset=0), Block(start=12, end=30, offset=1)]
    """
    n, width = odds.shape
    # The last state stands for random pairs.
    scores = np.zeros((n, width + 1))
    scores[:, :width] = np.clip(np.nan_to_num(odds, nan=-MOST_ODDS), -MOST_ODDS, MOST_ODDS)
    states = np.arange(width + 1)
    came = np.empty((n, width + 1), np.int32)
    total = np.where(states == width // 2, 0.0, -NEW_BLOCK)
    for row in range(n):
        best = int(total.argmax())
        stays = total >= total[best] - NEW_BLOCK
        came[row] = np.where(stays, states, best)
        total = np.where(stays, total, total[best] - NEW_BLOCK) + scores[row]
    path = np.empty(n, np.int64)
    state = int(total.argmax())
    for row in range(n - 1, -1, -1):
        path[row] = state
        state = came[row, state]
    edges = [0, *(np.flatnonzero(np.diff(path)) + 1).tolist(), n]
    return [
        Block(start, end, None if path[start] == width else int(path[start]) - width // 2)
        for start, end in pairwise(edges)
        if end > start
    ]


def match(gain: np.ndarray) -> list[tuple[int, int]]:
    r"""Match sentences by partial optimal transport with unit masses, which is an assignment.

    $$ \max_{T \ge 0} \langle T, G \rangle \quad\text{with}\quad T\mathbf{1} \le 1,\;
       T^\top\mathbf{1} \le 1 $$

    Null mass has the gain 0, so a sentence can stay without a match.

    gain (ndarray): Log odds of each pair, [m, n].
    RETURNS (List[Tuple[int, int]]): Rows and columns of the pairs, in the order of the rows.

    >>> match(np.array([[-1.0, 3.0], [2.0, 4.0], [-5.0, -5.0]]))
    [(0, 1), (1, 0)]
    """
    assign = require("scipy.optimize").linear_sum_assignment
    rows, columns = assign(np.maximum(gain, 0.0), maximize=True)
    return [(i, j) for i, j in zip(rows.tolist(), columns.tolist(), strict=True) if gain[i, j] > 0]


def _unit(vectors: np.ndarray) -> NDArray[np.float16]:
    mean = vectors.mean(axis=0, dtype=np.float64)
    found = np.empty(vectors.shape, np.float16)
    for at in range(0, len(vectors), _CHUNK):
        part = vectors[at : at + _CHUNK] - mean
        norm = np.linalg.norm(part, axis=1, keepdims=True)
        found[at : at + _CHUNK] = np.divide(part, norm, out=np.zeros_like(part), where=norm > 0)
    return found


def _chance(side: np.ndarray, drawn: np.ndarray) -> tuple[Odds, Odds]:
    """Compute mean and standard deviation of the cosines of each sentence with random sentences."""
    means, deviations = [], []
    for at in range(0, len(side), _CHUNK):
        cosines = side[at : at + _CHUNK].astype(np.float32) @ drawn.astype(np.float32).T
        means.append(cosines.mean(axis=1))
        deviations.append(cosines.std(axis=1))
    return np.concatenate(means), np.concatenate(deviations) + 1e-3


def _log_gauss(values: np.ndarray, mean: float, deviation: float) -> Odds:
    return -0.5 * ((values - mean) / deviation) ** 2 - np.log(deviation)
