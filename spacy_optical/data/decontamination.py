"""Finds sentences of training data in gold data.

Two sentences are the same if they have the same letters and digits, without case, spaces and
punctuation. They overlap if one has most of the word n-grams of the other, for example if a line of
bitext has a gold sentence and its neighbours.
"""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain

GRAM = 5  # words of an n-gram
MOST = 0.8  # share of the n-grams of a gold sentence that makes an overlap


def key_of(text: str) -> str:
    """Remove case, spaces and punctuation from a text, unless it is only punctuation.

    >>> key_of("Nairobi , Kenya .") == key_of("NAIROBI, Kenya")
    True
    """
    return "".join(words_of(text)) or unicodedata.normalize("NFKC", text).casefold().strip()


def words_of(text: str) -> list[str]:
    """Split a text at all characters that are not letters, marks or digits, without case."""
    text = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in text).split()


class GoldIndex:
    """An index of gold sentences.

    sentences (Iterable[Sequence[str]]): The words of each sentence.
    """

    def __init__(self, sentences: Iterable[Sequence[str]]) -> None:
        self._keys: set[str] = set()
        self._sentences_of: dict[tuple[str, ...], list[int]] = defaultdict(list)
        self._counts: list[int] = []
        for number, words in enumerate(sentences):
            text = " ".join(words)
            self._keys.add(key_of(text))
            grams = _grams(text)
            for gram in grams:
                self._sentences_of[gram].append(number)
            self._counts.append(len(grams))

    def same(self, text: str) -> bool:
        """Whether a text is one of the sentences."""
        return key_of(text) in self._keys

    def overlaps(self, text: str) -> bool:
        """Whether a text is one of the sentences or has most of its n-grams."""
        if self.same(text):
            return True
        found = (self._sentences_of.get(gram, ()) for gram in _grams(text))
        shared = Counter(chain.from_iterable(found))
        return any(count >= MOST * self._counts[number] for number, count in shared.items())


def _grams(text: str) -> set[tuple[str, ...]]:
    words = words_of(text)
    return {tuple(words[at : at + GRAM]) for at in range(len(words) - GRAM + 1)}
