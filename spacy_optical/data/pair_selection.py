"""A language's bitext: read from its files, without what evaluates and what is there twice."""

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import blake2b
from itertools import chain, pairwise
from pathlib import Path

from .bitext import Format, read_bitext
from .decontamination import Judged, key_of
from .markup import MarkedText
from .parallel import read_groups
from .sources import BitextSet, TextSet

_SENTENCE_ENDS = tuple('.?!:"“”')


@dataclass(frozen=True)
class TextPair:
    """A pair on its way to the corpus.

    id (str): Its id in the corpus.
    source, target (str): The sentences.
    marked (Optional[MarkedText]): The source sentence with its entities, where the file has them.
    """

    id: str
    source: str
    target: str
    marked: MarkedText | None = None


def read_pairs(
    part: BitextSet,
    name: str,
    source: str,
    target: str,
    paths: Sequence[Path],
    *,
    skipped: Counter[str],
    escaped: Counter[str],
) -> Iterator[TextPair]:
    """Read the pairs of a set's files, one at a time.

    part (BitextSet): Says format and keys.
    name (str): The set's name, which the ids of its pairs begin with; those of groups stay.
    source (str): The source language's code.
    target (str): The target language's code.
    paths (Sequence[Path]): The files.
    skipped (Counter): Counts lines that cannot be used, by the code of the reason.
    escaped (Counter): Counts pairs with HTML entities and doubled quotes.
    YIELDS (TextPair): The pairs.
    RAISES (OpticalError): As `read_bitext` on a damaged file; if no line of a file can be used,
        what is wrong with its first.
    """
    if part.format == "marked":
        languages = part.keys or (source, target)
        for path in paths:
            for group in read_groups(path, languages, labels=None):
                left, right = (group.sentences[language] for language in languages)
                yield TextPair(group.id, left.text, right.text, left)
        return
    kind: Format | None = part.format
    step = 2 if kind == "moses" else 1
    for at in range(0, len(paths), step):
        read = partial(
            read_bitext,
            *paths[at : at + step],
            source_lang=source,
            target_lang=target,
            keys=part.keys,
            format=kind,
            unescape=part.unescape,
        )
        before, found = skipped.total(), 0
        for pair in read(on_error="skip", skipped=skipped, escaped=escaped):
            found += 1
            yield TextPair(f"{name}-{pair.id}", pair.source, pair.target)
        if not found and skipped.total() > before:
            next(read(), None)


def read_texts(
    part: TextSet,
    name: str,
    language: str,
    paths: Sequence[Path],
    *,
    skipped: Counter[str],
    escaped: Counter[str],
) -> Iterator[TextPair]:
    """Read the sentences of a set without translations, one at a time.

    part (TextSet): Says format and key.
    name (str): The set's name, which the ids of its sentences begin with.
    language (str): Their language's code.
    paths (Sequence[Path]): The files.
    skipped (Counter), escaped (Counter): As for `read_pairs`.
    YIELDS (TextPair): The sentences; their source side is empty.
    RAISES (OpticalError): As `read_pairs`.
    """
    lines = part.format == "lines"
    key = part.key or {"conllu": "text", "tsv": "1"}.get(part.format, language)
    # A reader of pairs reads text if both sides are the same.
    pairs = BitextSet(
        files=part.files * 2,
        format="moses" if part.format == "lines" else part.format,
        keys=None if lines else (key, key),
        unescape=part.unescape,
    )
    both = [path for path in paths for _ in range(2 if lines else 1)]
    for pair in read_pairs(pairs, name, language, language, both, skipped=skipped, escaped=escaped):
        yield replace(pair, source="")


def has_name(text: str) -> bool:
    """Whether a capitalised word is in a text, but for the first word of a sentence.

    >>> [has_name(text) for text in ("She lives in Pune.", "Yes. She and I live here.")]
    [True, False]
    """
    return any(
        word[:1].isupper() and word[1:2].isalpha() and not before.endswith(_SENTENCE_ENDS)
        for before, word in pairwise(text.split())
    )


def choose(
    pairs: Iterable[TextPair],
    judged: Judged,
    judged_source: Judged,
    *,
    most: int = 0,
    unnamed_share: float = 1.0,
    seed: int = 0,
    left_out: Counter[str],
) -> list[TextPair]:
    """Leave out pairs that are there twice or that share a side with gold; then draw by chance.

    Memory grows with what is kept, and by sixteen bytes for every pair.

    pairs (Iterable[TextPair]): The pairs.
    judged (Judged): The language's gold sentences.
    judged_source (Judged): The source language's sentences that choose or evaluate.
    most (int): How many pairs to draw at the most; 0 for all. A smaller draw is part of a larger.
    unnamed_share (float): Share of the pairs that are kept where the source side has no name, see
        `has_name`.
    seed (int): Seed of the draw.
    left_out (Counter): Counts what is left out, by reason.
    RETURNS (List[TextPair]): The pairs in their order.
    """
    seen: set[bytes] = set()
    kept: list[tuple[int, int, TextPair]] = []
    for number, pair in enumerate(pairs):
        both = f"{key_of(pair.source)}\t{key_of(pair.target)}".encode()
        digest = blake2b(both, digest_size=16).digest()
        if digest in seen:
            left_out["duplicate"] += 1
            continue
        seen.add(digest)
        if judged.overlaps(pair.target):
            left_out["in_gold"] += 1
        elif judged_source.overlaps(pair.source):
            left_out["in_source_gold"] += 1
        elif (
            unnamed_share < 1
            and _lot(digest, seed, b"unnamed") >= unnamed_share * 2**64
            and not has_name(pair.source)
        ):
            left_out["unnamed"] += 1
        else:
            item = (-_lot(digest, seed), number, pair)
            if most and len(kept) == most:
                heapq.heappushpop(kept, item)
                left_out["not_drawn"] += 1
            else:
                heapq.heappush(kept, item)
    return [pair for _, _, pair in sorted(kept, key=lambda item: item[1])]


def _lot(digest: bytes, seed: int, person: bytes = b"") -> int:
    """Draw a number below 2**64; `person` makes it independent of other draws."""
    lot = blake2b(digest, digest_size=8, salt=seed.to_bytes(8, "little"), person=person).digest()
    return int.from_bytes(lot, "little")


def shared_words(pairs: Iterable[TextPair], gold: Iterable[Iterable[str]]) -> float:
    """Give the share of gold words, written with letters, that the bitext's target side has.

    pairs (Iterable[TextPair]): The pairs.
    gold (Iterable[Iterable[str]]): The words of the gold sentences.
    RETURNS (float): 0 to 1; 1 if gold has no such word.
    """
    known = {key_of(word) for pair in pairs for word in pair.target.split()}
    words = [word for word in chain.from_iterable(gold) if any(c.isalpha() for c in word)]
    return sum(key_of(word) in known for word in words) / len(words) if words else 1.0
