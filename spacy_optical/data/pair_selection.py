"""Selects the training pairs of a language, without duplicates and without gold sentences."""

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from hashlib import blake2b
from operator import itemgetter
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

    part (Union[BitextSet, TextSet]): The set.
    name (str): The name of the set, which is put before the ids of its pairs, except for groups.
    source (str): The code of the source language.
    target (str): The code of the target language.
    paths (Sequence[Path]): The files.
    skipped (Counter): Counts lines that cannot be used, by the code of their error.
    escaped (Counter): Counts pairs with HTML entities and doubled quotes.
    YIELDS (BitextPair): The pairs. A sentence without translation has an empty source side.
    RAISES (OpticalError): As `read_bitext` on a damaged file, or with the first error of a file
        that has no usable line.
    """
    if part.format == "marked":
        languages = part.keys or (source, target)
        for path in paths:
            for group in read_groups(path, languages):
                left, right = (group.sentences[language] for language in languages)
                yield BitextPair(group.id, left.text, right.text, marked=left)
        return
    kind: Format | None = "moses" if part.format == "lines" else part.format
    sides: Sequence[tuple[Path, ...]] = [(path,) for path in paths]
    if isinstance(part, BitextSet):
        keys = part.keys
        if kind == "moses":
            sides = list(zip(paths[::2], paths[1::2], strict=True))
    else:
        # Text is read as pairs with the same sentence on both sides.
        source = target
        key = part.key or {"conllu": "text", "tsv": "1"}.get(part.format, target)
        keys = (key, key)
        if kind == "moses":
            sides = [(path, path) for path in paths]
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
    """Remove duplicates and pairs with a side that is in gold, then draw a random sample.

    The memory that is used grows with the sample, and by sixteen bytes for each pair.

    pairs (Iterable[BitextPair]): The pairs.
    gold_index (GoldIndex): The gold sentences of the target language.
    source_gold (GoldIndex): The dev and test sentences of the source language.
    most (int): The size of the sample; 0 for all pairs. Smaller samples are part of larger ones.
    unnamed_share (float): The share to keep of the pairs whose source side has no name, see
        `capitalised`.
    seed (int): The random seed.
    left_out (Counter): Counts the pairs that are left out, by reason.
    RETURNS (List[BitextPair]): The pairs in their original order.
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
    return [pair for _, _, pair in sorted(kept, key=itemgetter(1))]


def _lot(digest: bytes, seed: int, person: bytes = b"") -> int:
    """Draw a number below 2**64. `person` makes it independent of other draws."""
    lot = blake2b(digest, digest_size=8, salt=seed.to_bytes(8, "little"), person=person).digest()
    return int.from_bytes(lot, "little")
