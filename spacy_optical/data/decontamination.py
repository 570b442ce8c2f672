"""Sentences that are in two places at once: in bitext that trains and in gold that evaluates.

Two sentences are the same if their letters and digits are, whatever the case, spacing and
punctuation. They overlap if most of the word sequences of the one occur in the other, as where a
line of bitext holds a gold sentence and its neighbours.
"""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

GRAM = 5  # words in a sequence
MOST = 0.8  # share of a gold sentence's sequences that makes an overlap


def key_of(text: str) -> str:
    """Give what is left of a text without case, spaces and punctuation.

    >>> key_of("Nairobi , Kenya .") == key_of("NAIROBI, Kenya")
    True
    """
    text = unicodedata.normalize("NFKC", text).casefold()
    kept = "".join(c for c in text if unicodedata.category(c)[0] in "LMN")
    return kept or text.strip()


def words_of(text: str) -> list[str]:
    """Split a text at everything that is neither letter, mark nor digit, ignoring case."""
    text = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in text).split()


class GoldIndex:
    """Gold sentences, indexed so that a text can be looked up among them.

    sentences (Iterable[Sequence[str]]): The words of each.
    """

    def __init__(self, sentences: Iterable[Sequence[str]]) -> None:
        self._keys: set[str] = set()
        self._sentences_of: dict[tuple[str, ...], list[int]] = defaultdict(list)
        self._counts: list[int] = []
        for words in sentences:
            text = " ".join(words)
            self._keys.add(key_of(text))
            grams = _grams(text)
            for gram in grams:
                self._sentences_of[gram].append(len(self._counts))
            self._counts.append(len(grams))

    def same(self, text: str) -> bool:
        """Whether a text is one of the sentences."""
        return key_of(text) in self._keys

    def overlaps(self, text: str) -> bool:
        """Whether a text is one of the sentences or holds most of one."""
        if self.same(text):
            return True
        shared = Counter(
            number for gram in _grams(text) for number in self._sentences_of.get(gram, ())
        )
        return any(count >= MOST * self._counts[number] for number, count in shared.items())


def _grams(text: str) -> set[tuple[str, ...]]:
    words = words_of(text)
    return {tuple(words[at : at + GRAM]) for at in range(len(words) - GRAM + 1)}
