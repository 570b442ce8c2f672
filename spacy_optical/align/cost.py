"""The cost of moving mass from one word to another, from word vectors and spelling."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..errors import Errors, OpticalError
from .config import AlignConfig
from .solvers import Matrix, both_directions
from .strings import case_mismatch, is_word, similarity


def cosine(source: np.ndarray, target: np.ndarray, *, centre: bool = True) -> Matrix:
    r"""Compare every source vector with every target vector.

    $$ S_{ij} = \frac{\langle x_i, y_j\rangle}{\lVert x_i\rVert\,\lVert y_j\rVert} $$

    source (ndarray): Vectors, [m, d].
    target (ndarray): Vectors, [n, d].
    centre (bool): Subtract each side's mean first (OTAlign): what all words of a sentence share
        says nothing about which of them correspond. Not done on a side of one word.
    RETURNS (ndarray): Cosines, [m, n], float64, each in [-1, 1]; 0 where a vector is zero.
    RAISES (OpticalError): On an empty side, vectors that are not two matrices of one width, or
        numbers that are not finite.

    >>> cosine(np.eye(2), np.eye(2), centre=False).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    x, y = _checked(source, "source"), _checked(target, "target")
    if x.shape[1] != y.shape[1]:
        raise OpticalError(Errors.E303.format(source=x.shape, target=y.shape))
    return np.clip(_unit(x, centre) @ _unit(y, centre).T, -1.0, 1.0)


def word_cost(
    cosines: Matrix,
    config: AlignConfig,
    source_words: Sequence[str] | None = None,
    target_words: Sequence[str] | None = None,
) -> Matrix:
    r"""Compute the cost of every move from a source word to a target word.

    $$ C_{ij} = 1 - S_{ij} - \lambda_s\,\mathrm{sim}(u_i, v_j)
       + \lambda_p\,[\text{only one is punctuation}] + \lambda_c\,[\text{only one is capital}]
       + \lambda_d\,\lvert \tfrac{i + 1/2}{m} - \tfrac{j + 1/2}{n} \rvert $$

    cosines (ndarray): $S$, [m, n].
    config (AlignConfig): The weights of the terms.
    source_words (Optional[Sequence[str]]): The m words, for the terms of spelling.
    target_words (Optional[Sequence[str]]): The n words.
    RETURNS (ndarray): Costs, [m, n], float64; what would be below 0 is 0.
    RAISES (OpticalError): If there are not as many words as rows or columns.

    >>> word_cost(np.eye(2), AlignConfig(), ["Rome", "."], ["Roma", "."]).round(2).tolist()
    [[0.0, 1.1], [1.1, 0.0]]
    """
    m, n = cosines.shape
    cost = 1.0 - cosines
    if config.distortion:
        rows, columns = (np.arange(m) + 0.5) / m, (np.arange(n) + 0.5) / n
        cost += config.distortion * np.abs(rows[:, None] - columns[None, :])
    if source_words is not None and target_words is not None:
        for words, vectors in ((source_words, m), (target_words, n)):
            if len(words) != vectors:
                raise OpticalError(Errors.E304.format(words=len(words), vectors=vectors))
        left, right = (
            np.array([is_word(word) for word in words]) for words in (source_words, target_words)
        )
        cost -= config.spelling * similarity(source_words, target_words)
        cost += config.punctuation * (left[:, None] != right[None, :])
        cost += config.case * case_mismatch(source_words, target_words)
    return np.maximum(cost, 0.0)


def agreed(cost: Matrix, config: AlignConfig) -> Matrix:
    r"""Replace the cost by the disagreement of both directions: $1 - \sqrt{p(j|i)\,p(i|j)}$.

    cost (ndarray): [m, n].
    config (AlignConfig): `agreement`; 0 leaves the cost as it is.
    RETURNS (ndarray): [m, n], each 0 to 1.

    >>> agreed(np.array([[0.0, 1.0]]), AlignConfig()).round(2).tolist()
    [[0.0, 1.0]]
    """
    if not config.agreement:
        return cost
    forward, backward = both_directions(cost, config.agreement)
    return 1.0 - np.sqrt(forward * backward)


def choices(cost: Matrix, config: AlignConfig) -> Matrix:
    r"""Compute which source word each target word would choose alone.

    $$ p(i|j) = \frac{e^{-C_{ij} / t}}{e^{-\pi / t} + \sum_k e^{-C_{kj} / t}} $$

    cost (ndarray): $C$, without agreement, [m, n].
    config (AlignConfig): `completion_temperature` ($t$) and `completion_price` ($\pi$), the cost of
        choosing none.
    RETURNS (ndarray): [m, n]. A column sums to 1 minus the probability of choosing none.

    >>> choices(np.array([[0.0, 2.0]]), AlignConfig()).round(2).tolist()
    [[1.0, 0.0]]
    """
    t, least = config.completion_temperature, cost.min(axis=0)
    chosen = np.exp((least - cost) / t)
    none = np.exp(np.minimum((least - config.completion_price) / t, 50.0))
    return chosen / (chosen.sum(axis=0) + none)


def masses(config: AlignConfig, words: Sequence[str] | None, count: int) -> NDArray[np.float64]:
    r"""Compute the mass of the words of one side: $a_i = w_i^q / \sum_k w_k^q$.

    config (AlignConfig): `masses` ($w$) and `mass_power` ($q$).
    words (Optional[Sequence[str]]): The words, for `length`.
    count (int): How many words there are.
    RETURNS (ndarray): Masses, [count], float64, all positive, summing to 1.
    RAISES (OpticalError): If there are more or fewer words than `count`, or `length` has none.

    >>> masses(AlignConfig(), ["abc", "a"], 2).round(2).tolist()
    [0.75, 0.25]
    """
    if words is not None and len(words) != count:
        raise OpticalError(Errors.E304.format(words=len(words), vectors=count))
    if config.masses == "uniform":
        return np.full(count, 1 / count)
    if words is None:
        raise OpticalError(Errors.E313)
    weights = np.array([float(len(word)) for word in words]) ** config.mass_power
    # Every word has some mass, so that each can be asked what share of it moved.
    weights = weights + 1e-6 * (float(weights.max()) or 1.0)
    return weights / weights.sum()


def parallelism(cosines: Matrix) -> float:
    r"""Compute how similar a pair is: the mean of the best cosine of every word of both sides.

    $$ s = \tfrac{1}{2}\Bigl(\tfrac{1}{m}\sum_i \max_j S_{ij}
           + \tfrac{1}{n}\sum_j \max_i S_{ij}\Bigr) $$

    cosines (ndarray): [m, n].
    RETURNS (float): 0 (nothing corresponds) to 1 (every word has an equal).

    >>> parallelism(np.array([[1.0, 0.0], [0.0, 0.5]]))
    0.75
    """
    both = (cosines.max(axis=1).mean() + cosines.max(axis=0).mean()) / 2
    return float(np.clip(both, 0.0, 1.0))


def pair_weight(similarity: float, config: AlignConfig) -> float:
    r"""Compute the weight of a pair: $\min(1, (s - s_0) / (s_1 - s_0))$, and 0 below $s_0$.

    similarity (float): $s$, how similar the pair is (see `parallelism`).
    config (AlignConfig): `skip_below` ($s_0$) and `full_weight_above` ($s_1$).
    RETURNS (float): 0 (not a pair) to 1.

    >>> [round(pair_weight(s, AlignConfig()), 2) for s in (0.2, 0.3, 0.35, 0.6)]
    [0.0, 0.5, 1.0, 1.0]
    """
    least, full = config.skip_below, config.full_weight_above
    if similarity < least:
        return 0.0
    return 1.0 if similarity >= full else (similarity - least) / (full - least)


def _checked(vectors: np.ndarray, side: str) -> Matrix:
    array = np.asarray(vectors, dtype=np.float64)
    if array.ndim != 2:
        raise OpticalError(Errors.E305.format(side=side, shape=array.shape))
    if not array.size:
        raise OpticalError(Errors.E301.format(side=side))
    if not np.isfinite(array).all():
        row = int(np.argmin(np.isfinite(array).all(axis=1)))
        raise OpticalError(Errors.E302.format(side=side, row=row))
    return array


def _unit(vectors: Matrix, centre: bool) -> Matrix:
    if centre and len(vectors) > 1:
        vectors = vectors - vectors.mean(axis=0)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    # A vector that equals the mean up to rounding has no direction of its own.
    return np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 1e-9)
