r"""Sentences of two files, compared by vectors and lengths: in place, shifted, or scrambled.

The cosine of two sentences is measured in standard deviations from cosines that arise by chance.
Log odds of translation against chance follow from two Gaussians, estimated on the file. The best
path through the offsets of the rows (Viterbi) gives blocks. Partial optimal transport with unit
masses, which is an assignment, matches the sentences of a block again.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..compat import require

Odds = NDArray[np.float64]
Rows = NDArray[np.int64]
SAMPLE, WINDOW = 256, 40
# Log odds that a new block costs, and the most that one row can say for or against an offset.
NEW_BLOCK, MOST_ODDS = 10.0, 4.0
_CHUNK = 2048


@dataclass(frozen=True)
class Block:
    """Rows next to each other whose translations are at the same distance.

    start (int): The first row, from 0.
    end (int): One past the last row.
    offset (Optional[int]): The translation of row i is in row i + offset. None if it is at none of
        the distances that were compared.
    """

    start: int
    end: int
    offset: int | None


class TranslationOdds:
    r"""Log odds that sentences are translations of each other, against chance.

    $$ \log\frac{N(z_{ij}; \mu, \sigma)}{N(z_{ij}; 0, 1)}
       + \log\frac{N(r_{ij}; \rho, \tau)}{N(r_{ij}; \rho, \tau_0)} $$

    $z$ is the cosine of the vectors, centred on the mean of each file, in standard deviations
    from that of sentences drawn by chance; $r$ is the logarithm of the ratio of the lengths.

    source (ndarray): [n, d], a vector for each sentence.
    target (ndarray): [n, d], a vector for the sentence in the same row.
    source_lengths (ndarray): [n], lengths in characters.
    target_lengths (ndarray): [n].
    reach (int): The largest offset.
    seed (int): Seed for drawing sentences.

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
        self._chance_x, self._chance_y = (
            _chance(self._x, self._y[drawn]),
            _chance(self._y, self._x[drawn]),
        )
        self._lengths = np.log(np.maximum(1, source_lengths)), np.log(np.maximum(1, target_lengths))
        self.reach, n = reach, len(source)
        z, r = (np.full((n, 2 * reach + 1), np.nan) for _ in range(2))
        for k in range(-reach, reach + 1):
            rows = np.arange(max(0, -k), max(0, -k, min(n, n - k)))
            z[rows, k + reach], r[rows, k + reach] = self._compared(rows, rows + k)
        self._fit(z, r)
        self.offsets: Odds = self._odds(z, r)

    def at(self, rows: Rows, columns: Rows) -> Odds:
        """Compare source sentences with target sentences, one to one.

        rows (ndarray): [k], source rows.
        columns (ndarray): [k], target rows.
        RETURNS (ndarray): [k], log odds.
        """
        return self._odds(*self._compared(rows, columns))

    def between(self, rows: Rows, columns: Rows) -> Odds:
        """Compare each of some source sentences with each of some target sentences.

        rows (ndarray): [a], source rows.
        columns (ndarray): [b], target rows.
        RETURNS (ndarray): [a, b], log odds.
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
        """Give z and r of pairs."""
        (mean_x, sd_x), (mean_y, sd_y) = self._chance_x, self._chance_y
        expected = (mean_x[rows] + mean_y[columns]) / 2
        z = (cosines - expected) / np.sqrt(sd_x[rows] * sd_y[columns])
        return z, self._lengths[1][columns] - self._lengths[0][rows]

    def _fit(self, z: Odds, r: Odds) -> None:
        """Estimate the Gaussians on the best offset of each window of rows."""
        at = np.arange(len(z))
        windows = [z[i : i + WINDOW] for i in range(0, len(z), WINDOW)]
        # At the edges of the file an offset may have no pair in a window: it is never the best.
        means = [np.ma.masked_invalid(window).mean(axis=0) for window in windows]
        best = np.repeat([mean.argmax() for mean in means], list(map(len, windows)))
        z, r = z[at, best], r[at, best]
        kept = np.isfinite(z)
        z, r = z[kept], r[kept]
        # Half of what met by chance is below 0, and few translations are (Storey 2002).
        self.share = float(1 - np.clip(2 * np.mean(z < 0), 0.02, 0.9))
        self._mean = max(1.0, float(z.mean()) / self.share)
        square = (float((z**2).mean()) - (1 - self.share)) / self.share - self._mean**2
        self._deviation = float(np.sqrt(np.clip(square, 0.5, 4.0)))
        self._ratio = float(np.median(r[z > 1])) if (z > 1).any() else 0.0
        spread = 1.4826 * float(np.median(np.abs(r[z > 1] - self._ratio))) if (z > 1).any() else 1.0
        chance = float(np.sqrt(self._lengths[0].var() + self._lengths[1].var()))
        self._spread = float(np.clip(spread, 0.1, 0.4)), max(0.4, chance)

    def _odds(self, z: Odds, r: Odds) -> Odds:
        # Past the vertex the wider Gaussian would win again.
        m, s = self._mean, self._deviation
        if s != 1:
            vertex = -m / (s**2 - 1)
            z = np.maximum(z, vertex) if s > 1 else np.minimum(z, vertex)
        narrow, wide = self._spread
        lengths = _log_gauss(r, self._ratio, narrow) - _log_gauss(r, self._ratio, wide)
        return _log_gauss(z, m, s) - _log_gauss(z, 0, 1) + np.maximum(lengths, -MOST_ODDS)


def find_blocks(odds: np.ndarray) -> list[Block]:
    """Cut a file into the blocks that explain it best (Viterbi).

    odds (ndarray): [n, 2 r + 1], log odds of each row's translation being at the offsets -r to r;
        NaN past the file's ends.
    RETURNS (List[Block]): Blocks that cover all rows in order.

    >>> odds = np.full((30, 3), -3.0)
    >>> odds[:12, 1] = odds[12:, 2] = 3.0
    >>> find_blocks(odds)
    [Block(start=0, end=12, offset=0), Block(start=12, end=30, offset=1)]
    """
    n, width = odds.shape
    # The last state is that of chance, whatever the row.
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
    r"""Match sentences by partial optimal transport with unit masses.

    $$ \max_{T \ge 0} \langle T, G \rangle \quad\text{with}\quad T\mathbf{1} \le 1,\;
       T^\top\mathbf{1} \le 1 $$

    With unit masses an optimal plan is an assignment. Null mass has the gain 0: a sentence without
    a partner stays alone.

    gain (ndarray): [m, n], log odds of each pair.
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
    """Give mean and deviation of each sentence's cosines with sentences drawn by chance."""
    other = drawn.astype(np.float32).T
    found = [
        ((part := side[at : at + _CHUNK].astype(np.float32) @ other).mean(axis=1), part.std(axis=1))
        for at in range(0, len(side), _CHUNK)
    ]
    means, deviations = (np.concatenate(values) for values in zip(*found, strict=True))
    return means, deviations + 1e-3


def _log_gauss(values: np.ndarray, mean: float, deviation: float) -> Odds:
    return -0.5 * ((values - mean) / deviation) ** 2 - np.log(deviation)
