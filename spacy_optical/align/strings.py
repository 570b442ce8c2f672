"""Compare words by spelling: similarity, punctuation and case."""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


@lru_cache(maxsize=50_000)
def folded(word: str) -> str:
    """Give a word without case, diacritics and invisible characters, digits as ASCII ones.

    word (str): A word.
    RETURNS (str): The form to compare.

    >>> folded("Zürich"), folded("२०२४")
    ('zurich', '2024')
    """
    out = []
    for char in unicodedata.normalize("NFKD", word.casefold()):
        if unicodedata.category(char) == "Nd":
            out.append(str(unicodedata.digit(char)))
        elif unicodedata.category(char) == "Cf":  # soft hyphens, joiners: nobody sees them
            continue
        # A combining mark is a diacritic; after an Indic letter it is a vowel sign.
        elif unicodedata.category(char) != "Mn" or not out or ord(out[-1]) >= 0x0530:
            out.append(char)
    return "".join(out)


@lru_cache(maxsize=50_000)
def grams(word: str) -> frozenset[str]:
    """Give the character bigrams and trigrams of a folded word, with its edges.

    >>> sorted(grams("ab") & grams("abc"))
    ['\\x02a', '\\x02ab', 'ab']
    """
    text = f"\x02{folded(word)}\x03"
    return frozenset(text[i : i + k] for k in (2, 3) for i in range(len(text) - k + 1))


def similarity(source: Sequence[str], target: Sequence[str]) -> NDArray[np.float64]:
    r"""Compare spellings: Dice's coefficient over character bigrams and trigrams.

    $$ \mathrm{sim}(u, v) = \frac{2\,|G_u \cap G_v|}{|G_u| + |G_v|} $$

    Only words with a letter or a digit are compared: equal punctuation is too common a cue.

    source (Sequence[str]): m words.
    target (Sequence[str]): n words.
    RETURNS (ndarray): [m, n], float64, each in [0, 1]; 1 for words with the same folded form.

    >>> similarity(["Obama"], ["OBAMA", "Wien"]).tolist()
    [[1.0, 0.0]]
    """
    left = [grams(word) if is_word(word) else frozenset() for word in source]
    right = [grams(word) if is_word(word) else frozenset() for word in target]
    shared = {gram for gs in left for gram in gs} & {gram for gs in right for gram in gs}
    index = {gram: i for i, gram in enumerate(sorted(shared))}
    x, y = _indicators(left, index), _indicators(right, index)
    sizes = np.array([len(g) for g in left])[:, None] + np.array([len(g) for g in right])[None, :]
    return 2.0 * (x @ y.T).astype(np.float64) / np.maximum(sizes, 1)


def case_mismatch(source: Sequence[str], target: Sequence[str]) -> NDArray[np.float64]:
    """Mark pairs in which only one word starts with a capital letter.

    The first word of a side and words in scripts without case are not marked.

    source (Sequence[str]): m words.
    target (Sequence[str]): n words.
    RETURNS (ndarray): [m, n], 1.0 where they differ, else 0.0.

    >>> case_mismatch(["In", "Rome"], ["In", "alt", "Rom"]).tolist()
    [[0.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """
    product = _cases(source)[:, None] * _cases(target)[None, :]
    return (product < 0).astype(np.float64)


@lru_cache(maxsize=50_000)
def is_word(text: str) -> bool:
    """Tell whether a token contains a letter or a digit of any script.

    >>> is_word("२०"), is_word("।")
    (True, False)
    """
    return any(unicodedata.category(char)[0] in "LNM" for char in text)


def _cases(words: Sequence[str]) -> NDArray[np.int8]:
    cases = [word[:1].isupper() - word[:1].islower() for word in words]
    return np.array([0, *cases[1:]], dtype=np.int8)


def _indicators(words: Sequence[frozenset[str]], index: dict[str, int]) -> NDArray[np.float32]:
    array = np.zeros((len(words), len(index)), dtype=np.float32)
    cells = [(row, index[gram]) for row, gs in enumerate(words) for gram in gs & index.keys()]
    if cells:
        rows, columns = zip(*cells, strict=True)
        array[rows, columns] = 1.0
    return array
