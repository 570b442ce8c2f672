"""A language's bitext: read from its files, without what evaluates and what is there twice."""

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from hashlib import blake2b
from pathlib import Path

from .bitext import BitextPair, Format, read_bitext
from .bitext_check import capitalised
from .decontamination import GoldIndex, key_of
from .parallel import read_groups
from .sources import BitextSet, TextSet


def read_pairs(
    part: BitextSet | TextSet,
    name: str,
    source: str,
    target: str,
    paths: Sequence[Path],
    *,
    skipped: Counter[str],
    escaped: Counter[str],
) -> Iterator[BitextPair]:
    """Read the pairs of a set's files, or the sentences of a set without translations.

    part (Union[BitextSet, TextSet]): The format and the keys.
    name (str): The set's name, which the ids of its pairs begin with; those of groups stay.
    source (str): The source language's code.
    target (str): The target language's code.
    paths (Sequence[Path]): The files.
    skipped (Counter): Counts lines that cannot be used, by the code of the reason.
    escaped (Counter): Counts pairs with HTML entities and doubled quotes.
    YIELDS (BitextPair): The pairs; the source side of a sentence without translation is empty.
    RAISES (OpticalError): As `read_bitext` on a damaged file; if no line of a file can be used,
        what is wrong with its first.
    """
    if part.format == "marked":
        languages = part.keys or (source, target)
        for path in paths:
            for group in read_groups(path, languages):
                left, right = (group.sentences[language] for language in languages)
                yield BitextPair(group.id, left.text, right.text, marked=left)
        return
    sides: Sequence[tuple[Path, ...]] = [(path,) for path in paths]
    kind: Format | None = None if part.format == "lines" else part.format
    if isinstance(part, BitextSet):
        keys = part.keys
        if kind == "moses":
            sides = list(zip(paths[::2], paths[1::2], strict=True))
    else:
        # A reader of pairs reads text if both sides are the same.
        source = target
        key = part.key or {"conllu": "text", "tsv": "1"}.get(part.format, target)
        keys = (key, key)
        if part.format == "lines":
            kind, sides = "moses", [(path, path) for path in paths]
    for files in sides:
        read = partial(
            read_bitext,
            *files,
            source_lang=source,
            target_lang=target,
            keys=keys,
            format=kind,
            unescape=part.unescape,
        )
        before, usable = skipped.total(), False
        for pair in read(on_error="skip", skipped=skipped, escaped=escaped):
            usable = True
            text = pair.source if isinstance(part, BitextSet) else ""
            yield replace(pair, id=f"{name}-{pair.id}", source=text)
        if not usable and skipped.total() > before:
            next(read(), None)


def choose(
    pairs: Iterable[BitextPair],
    gold_index: GoldIndex,
    source_gold: GoldIndex,
    *,
    most: int = 0,
    unnamed_share: float = 1.0,
    seed: int = 0,
    left_out: Counter[str],
) -> list[BitextPair]:
    """Leave out pairs that are there twice or that share a side with gold; then draw at random.

    Memory grows with what is kept, and by sixteen bytes for every pair.

    pairs (Iterable[BitextPair]): The pairs.
    gold_index (GoldIndex): The language's gold sentences.
    source_gold (GoldIndex): The source language's sentences that choose or evaluate.
    most (int): How many pairs to draw at the most; 0 for all. A smaller draw is part of a larger.
    unnamed_share (float): Share of the pairs that are kept where the source side has no name, see
        `capitalised`.
    seed (int): Seed of the draw.
    left_out (Counter): Counts what is left out, by reason.
    RETURNS (List[BitextPair]): The pairs in their order.
    """
    seen: set[bytes] = set()
    kept: list[tuple[int, int, BitextPair]] = []
    for number, pair in enumerate(pairs):
        both = f"{key_of(pair.source)}\t{key_of(pair.target)}".encode()
        digest = blake2b(both, digest_size=16).digest()
        reason = ""
        if digest in seen:
            reason = "duplicate"
        elif gold_index.overlaps(pair.target):
            reason = "in_gold"
        elif source_gold.overlaps(pair.source):
            reason = "in_source_gold"
        elif unnamed_share < 1 and _lot(digest, seed, b"unnamed") >= unnamed_share * 2**64:
            reason = "" if any(capitalised(pair.source)) else "unnamed"
        seen.add(digest)
        if not reason:
            heapq.heappush(kept, (-_lot(digest, seed), number, pair))
            if most and len(kept) > most:
                heapq.heappop(kept)
                reason = "not_drawn"
        if reason:
            left_out[reason] += 1
    return [pair for _, _, pair in sorted(kept, key=lambda item: item[1])]


def _lot(digest: bytes, seed: int, person: bytes = b"") -> int:
    """Draw a number below 2**64; `person` makes it independent of other draws."""
    lot = blake2b(digest, digest_size=8, salt=seed.to_bytes(8, "little"), person=person).digest()
    return int.from_bytes(lot, "little")
