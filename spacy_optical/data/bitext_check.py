"""Language-independent rules that find pairs of bitext that are not translations."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise

import numpy as np

from .decontamination import key_of, words_of

# If a pair has several faults, the first in this order is reported.
RULES = {
    "copied": "the target is a copy of the source",
    "duplicate": "the same pair occurs before",
    "script": "a side is in a script that its language does not use",
    "language": "the target is in the source language",
    "length": "one side is much too long for the other",
    "names": "the source has names, and none of them are in the target",
}
RARE_SCRIPT = 0.05  # share of the texts of a side
LEAST_NAMES = 3
# Standard deviations, and the factor by which a pair is longer or shorter than the median.
LONGEST, MOST_RATIO = 5.0, 1.7
_ENDS = tuple('.?!:"“”')


def rule_faults(
    sources: Sequence[str], targets: Sequence[str], *, seen: set[bytes] | None = None
) -> list[str]:
    """Find the first of `RULES` that each pair breaks.

    sources (Sequence[str]): The sentences.
    targets (Sequence[str]): Their translations.
    seen (Optional[Set[bytes]]): Hashes of pairs of other files, to find duplicates across files.
        The hashes of these pairs are added.
    RETURNS (List[str]): For each pair, a key of `RULES` or an empty string.
    """
    seen = set() if seen is None else seen
    scripts = [list(map(script_of, side)) for side in (sources, targets)]
    same_script = len({_main(side) for side in scripts}) == 1
    in_file = {
        "script": _wrong_scripts(*scripts),
        "language": _wrong_languages(sources, targets),
        "length": _wrong_lengths(sources, targets),
    }
    found = []
    for at, (source, target) in enumerate(zip(sources, targets, strict=True)):
        keys = key_of(source), key_of(target)
        digest = blake2b("\t".join(keys).encode(), digest_size=16).digest()
        fault = next((rule for rule, broken in in_file.items() if broken[at]), "")
        if keys[0] == keys[1] and scripts[0][at]:
            fault = "copied"
        elif digest in seen:
            fault = "duplicate"
        seen.add(digest)
        if not fault and same_script and shares_no_name(source, target):
            fault = "names"
        found.append(fault)
    return found


def script_of(text: str) -> str:
    """Get the script of most letters of a text: the first word of their Unicode names.

    >>> script_of("Nairobi"), script_of("मुंबई भारतात आहे (India)"), script_of("2020")
    ('LATIN', 'DEVANAGARI', '')
    """
    return _main(_script(char) for char in text if char.isalpha())


@lru_cache(50_000)
def _script(char: str) -> str:
    return unicodedata.name(char, "UNKNOWN").partition(" ")[0]


def _main(scripts: Iterable[str]) -> str:
    counts = Counter(filter(None, scripts))
    return max(counts, key=lambda script: counts[script], default="")


def _wrong_scripts(source: Sequence[str], target: Sequence[str]) -> list[bool]:
    """Find sides in the script of the other side, or in a script that is rare on their side."""
    wrong = [False] * len(source)
    for side, other in ((source, _main(target)), (target, _main(source))):
        main, counts = _main(side), Counter(side)
        for at, script in enumerate(side):
            rare = counts[script] < RARE_SCRIPT * len(side)
            wrong[at] |= script not in ("", main) and (rare or script == other)
    return wrong


def _wrong_languages(sources: Sequence[str], targets: Sequence[str]) -> list[bool]:
    """Find targets with words of the source side, with naive Bayes. Names have no influence."""
    words = [[set(words_of(text)) for text in side] for side in (sources, targets)]
    counts = [Counter(word for text in side for word in text) for side in words]
    odds = {
        word: float(np.log((counts[0][word] + 0.5) / (counts[1][word] + 0.5)))
        for word in counts[0].keys() | counts[1].keys()
    }
    totals = [(sum(odds[word] for word in text), len(text)) for text in words[1]]
    return [total > max(3.0, 0.7 * count) for total, count in totals]


def _wrong_lengths(sources: Sequence[str], targets: Sequence[str]) -> list[bool]:
    """Find pairs whose lengths do not fit (Gale and Church 1993), with robust estimates."""
    x, y = (np.array([max(1, len(text)) for text in side], float) for side in (sources, targets))
    ratio = float(np.median(y / x)) if len(x) else 1.0
    # The standard deviation of the length of a translation grows with the root of the length.
    spread = (y - ratio * x) / np.sqrt(ratio * (ratio * x + y))
    # It is about 1 in good files. In bad files, most of it comes from the faults.
    scale = np.clip(1.4826 * np.median(np.abs(spread)) if len(x) else 1.0, 0.5, 1.3)
    far = np.abs(np.log(y / x / ratio)) > np.log(MOST_RATIO)
    return ((np.abs(spread) > LONGEST * scale) & far).tolist()


def shares_no_name(source: str, target: str) -> bool:
    """Whether a sentence has several names and numbers, and its translation has none of them.

    A name may be spelled differently: half of its bigrams must match.

    >>> shares_no_name("So Ann Smith left Kigali in 1990.", "Ana Smit aliondoka.")
    False
    >>> shares_no_name("So Ann Smith left Kigali in 1990.", "Habari gani?")
    True
    """
    names = names_of(source)
    if len(names) < LEAST_NAMES:
        return False
    words = {word for word in _folded(target).split() if len(word) > 2}
    return not any(_alike(name, word) for name in names for word in words)


def names_of(text: str) -> set[str]:
    """Get the capitalised words of a text that do not begin a sentence, and its numbers."""
    words = _folded(" ".join(capitalised(text))).split()
    return {word for word in words if len(word) > 2} | set(re.findall(r"\d{2,}", _folded(text)))


def capitalised(text: str) -> Iterator[str]:
    """Get the capitalised words of a text that do not begin a sentence.

    >>> list(capitalised("Yes. She and I live in Pune."))
    ['Pune.']
    """
    for before, word in pairwise(text.split()):
        if word[:1].isupper() and word[1:2].isalpha() and not before.endswith(_ENDS):
            yield word


@lru_cache(10_000)
def _folded(text: str) -> str:
    """Remove case, diacritics and punctuation from a text."""
    chars = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c if c.isalnum() else " " for c in chars if not unicodedata.combining(c))


def _alike(one: str, other: str) -> bool:
    if one in other:
        return True
    x, y = _bigrams(one), _bigrams(other)
    return 4 * len(x & y) >= len(x) + len(y)


@lru_cache(50_000)
def _bigrams(word: str) -> frozenset[str]:
    return frozenset(map("".join, pairwise(f"\x02{word}\x03")))
