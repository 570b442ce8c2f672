"""The cost of moving mass from one word to another, from word vectors and spelling."""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from ..errors import Errors, OpticalError
from .config import AlignConfig
from .solvers import Matrix, Vector


def cosine(source: np.ndarray, target: np.ndarray, *, centre: bool = True) -> Matrix:
    r"""Compute the cosine of every source vector with every target vector.

    $$ S_{ij} = \frac{\langle x_i, y_j\rangle}{\lVert x_i\rVert\,\lVert y_j\rVert} $$

    source (ndarray): Vectors, [m, d].
    target (ndarray): Vectors, [n, d].
    centre (bool): Subtract the mean of each side first, as OTAlign does. A side of one word is not
        centred.
    RETURNS (ndarray): Cosines, [m, n], float64, -1 to 1; 0 where a vector is zero.
    RAISES (OpticalError): If a side is empty, the vectors are not two matrices of the same width,
        or numbers are not finite.

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
    r"""Compute the cost of moving mass from each source word to each target word.

    $$ C_{ij} = 1 - S_{ij} - \lambda_s\,\mathrm{sim}(u_i, v_j)
       + \lambda_p\,[\text{only one is punctuation}] + \lambda_c\,[\text{only one is capital}]
       + \lambda_d\,\lvert \tfrac{i + 1/2}{m} - \tfrac{j + 1/2}{n} \rvert $$

    sim is Dice's coefficient over the character bigrams and trigrams of the words (see `folded`).
    It is 0 for punctuation, because equal punctuation is too frequent. The case of the first word
    of a side is not compared.

    cosines (ndarray): $S$, [m, n].
    config (AlignConfig): The weights of the terms.
    source_words (Optional[Sequence[str]]): The m words, for the terms of spelling.
    target_words (Optional[Sequence[str]]): The n words.
    RETURNS (ndarray): Costs, [m, n], float64. Negative costs are replaced by 0.
    RAISES (OpticalError): If the numbers of words do not match the cosines.

    >>> word_cost(np.eye(2), AlignConfig(), ["Rome", "."], ["Roma", "."]).round(2).tolist()
    [[0.0, 1.1], [1.1, 0.0]]
    """
    m, n = cosines.shape
    cost = 1.0 - cosines
    if config.distortion:
        rows, columns = (np.arange(m) + 0.5) / m, (np.arange(n) + 0.5) / n
        cost += config.distortion * np.abs(np.subtract.outer(rows, columns))
    if source_words is not None and target_words is not None:
        for words, vectors in ((source_words, m), (target_words, n)):
            if len(words) != vectors:
                raise OpticalError(Errors.E304.format(words=len(words), vectors=vectors))
        cost -= config.spelling * _similarity(source_words, target_words)
        left, right = ([_is_word(word) for word in side] for side in (source_words, target_words))
        cost += config.punctuation * np.not_equal.outer(left, right)
        cost += config.case * _case_mismatch(source_words, target_words)
    return np.maximum(cost, 0.0)


@lru_cache(maxsize=50_000)
def folded(word: str) -> str:
    """Normalise a word: no case, diacritics or invisible characters, and ASCII digits.

    word (str): The word.
    RETURNS (str): The normalised form.

    >>> folded("Zürich"), folded("२०२४")
    ('zurich', '2024')
    """
    out: list[str] = []
    for char in unicodedata.normalize("NFKD", word.casefold()):
        category = unicodedata.category(char)
        if category == "Nd":
            out.append(str(unicodedata.digit(char)))
        # Invisible characters are of the category Cf. A combining mark (Mn) is a diacritic, but
        # after an Indic letter it is a vowel sign.
        elif category != "Cf" and (category != "Mn" or not out or ord(out[-1]) >= 0x0530):
            out.append(char)
    return "".join(out)


def masses(config: AlignConfig, words: Sequence[str] | None, count: int) -> Vector:
    r"""Compute the mass of the words of one side, $a_i = w_i^q / \sum_k w_k^q$.

    config (AlignConfig): `masses` ($w$) and `mass_power` ($q$).
    words (Optional[Sequence[str]]): The words, for `length`.
    count (int): The number of words.
    RETURNS (ndarray): Masses, [count], float64, all positive. Their sum is 1.
    RAISES (OpticalError): If the number of words is not `count`, or `length` has no words.

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
    # No mass is 0, so the share of it that moved is defined.
    weights = weights + 1e-6 * (float(weights.max()) or 1.0)
    return weights / weights.sum()


def parallelism(cosines: Matrix) -> float:
    r"""Compute the similarity of a pair: the mean of the best cosine of every word of both sides.

    $$ s = \tfrac{1}{2}\Bigl(\tfrac{1}{m}\sum_i \max_j S_{ij}
           + \tfrac{1}{n}\sum_j \max_i S_{ij}\Bigr) $$

    cosines (ndarray): [m, n].
    RETURNS (float): 0 to 1.

    >>> parallelism(np.array([[1.0, 0.0], [0.0, 0.5]]))
    0.75
    """
    both = (cosines.max(axis=1).mean() + cosines.max(axis=0).mean()) / 2
    return float(np.clip(both, 0.0, 1.0))


def pair_weight(similarity: float, config: AlignConfig) -> float:
    r"""Compute the weight of a pair: $\min(1, (s - s_0) / (s_1 - s_0))$, and 0 below $s_0$.

    similarity (float): $s$, the similarity of the pair (see `parallelism`).
    config (AlignConfig): `skip_below` ($s_0$) and `full_weight_above` ($s_1$).
    RETURNS (float): 0 to 1.

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
    finite = np.isfinite(array).all(axis=1)
    if not finite.all():
        raise OpticalError(Errors.E302.format(side=side, row=finite.argmin()))
    return array


def _unit(vectors: Matrix, centre: bool) -> Matrix:
    if centre and len(vectors) > 1:
        vectors = vectors - vectors.mean(axis=0)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    # A vector that differs from the mean only by rounding has no direction.
    return np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 1e-9)


@lru_cache(maxsize=50_000)
def _is_word(text: str) -> bool:
    """Check whether a token contains a letter or a digit of any script."""
    return any(unicodedata.category(char)[0] in "LNM" for char in text)


@lru_cache(maxsize=50_000)
def _grams(word: str) -> frozenset[str]:
    text = f"\x02{folded(word)}\x03" if _is_word(word) else ""
    return frozenset(text[i : i + k] for k in (2, 3) for i in range(len(text) - k + 1))


def _similarity(source: Sequence[str], target: Sequence[str]) -> Matrix:
    left, right = ([_grams(word) for word in words] for words in (source, target))
    shared = frozenset().union(*left) & frozenset().union(*right)
    columns = {gram: column for column, gram in enumerate(shared)}
    x, y = (np.zeros((len(side), len(shared)), dtype=np.float32) for side in (left, right))
    for indicators, side in ((x, left), (y, right)):
        for row, grams in enumerate(side):
            indicators[row, [columns[gram] for gram in grams & shared]] = 1.0
    sizes = np.add.outer([len(grams) for grams in left], [len(grams) for grams in right])
    return 2.0 * (x @ y.T).astype(np.float64) / np.maximum(sizes, 1)


def _case_mismatch(source: Sequence[str], target: Sequence[str]) -> np.ndarray:
    left, right = (
        [0, *(word[:1].isupper() - word[:1].islower() for word in words[1:])]
        for words in (source, target)
    )
    return np.multiply.outer(left, right) < 0
