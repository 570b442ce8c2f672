"""A language's bitext: read from its files, freed of what judges and of what is there twice."""

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from hashlib import blake2b
from itertools import chain
from pathlib import Path

from ..data.bitext import Format, read_bitext
from ..data.decontamination import Judged, key_of
from ..data.parallel import read_groups
from ..errors import Errors, OpticalError
from .config import Language

Texts = tuple[str, str]


def read_texts(
    language: Language,
    code: str,
    source: str,
    paths: Iterable[Path],
    skipped: Counter[str],
    escaped: Counter[str] | None = None,
) -> Iterator[Texts]:
    """Read the pairs of all files, one at a time.

    language (Language): Says format and keys.
    code (str): The language's code.
    source (str): The source language's code.
    paths (Iterable[Path]): The files; of Moses both of each pair.
    skipped (Counter): Counts lines that cannot be used, by the code of the reason.
    escaped (Optional[Counter]): Counts pairs with HTML entities and doubled quotes.
    YIELDS (Tuple[str, str]): Source and target text.
    RAISES (OpticalError): As `read_bitext` on a damaged file; if no line of a file can be used,
        what is wrong with its first.
    """
    keys = language.bitext_keys or (source, code)
    if language.bitext_format == "marked":
        for path in paths:
            for group in read_groups(path, keys):
                yield group.sentences[keys[0]].text, group.sentences[keys[1]].text
        return
    kind: Format | None = language.bitext_format
    for path in _moses_names(paths, keys) if kind == "moses" else paths:
        before, found = skipped.total(), 0
        read = partial(
            read_bitext,
            path,
            source_lang=source,
            target_lang=code,
            keys=language.bitext_keys,
            format=kind,
            unescape=language.unescape,
        )
        for pair in read(on_error="skip", skipped=skipped, escaped=escaped):
            found += 1
            yield pair.source, pair.target
        if not found and skipped.total() > before:
            next(read(), None)


def _moses_names(paths: Iterable[Path], keys: tuple[str, str]) -> list[Path]:
    """Give the common beginnings of files that end in their languages."""
    names: dict[Path, None] = {}
    for path in paths:
        plain = path.with_suffix("") if path.suffix == ".gz" else path
        if plain.suffix[1:] not in keys:
            raise OpticalError(Errors.E242.format(path=path, source=keys[0], target=keys[1]))
        names[plain.with_suffix("")] = None
    return list(names)


def choose(
    pairs: Iterable[Texts],
    judged: Judged,
    judged_source: Judged,
    *,
    most: int = 0,
    seed: int = 0,
    left_out: Counter[str],
) -> list[Texts]:
    """Leave out pairs that are there twice or that share a side with gold; then draw by chance.

    Memory grows with what is kept, and by sixteen bytes for every pair.

    pairs (Iterable[Tuple[str, str]]): Source and target texts.
    judged (Judged): The language's gold sentences.
    judged_source (Judged): The source language's sentences that choose.
    most (int): How many pairs to draw at the most; 0 for all. A smaller draw is part of a larger.
    seed (int): Seed of the draw.
    left_out (Counter): Counts what is left out, by reason.
    RETURNS (List[Tuple[str, str]]): The pairs in their order.
    """
    seen: set[bytes] = set()
    kept: list[tuple[int, int, Texts]] = []
    for number, (source, target) in enumerate(pairs):
        both = f"{key_of(source)}\t{key_of(target)}".encode()
        digest = blake2b(both, digest_size=16).digest()
        if digest in seen:
            left_out["duplicate"] += 1
            continue
        seen.add(digest)
        if judged.overlaps(target):
            left_out["in_gold"] += 1
        elif judged_source.overlaps(source):
            left_out["in_source_dev"] += 1
        else:
            lot = blake2b(digest, digest_size=8, salt=seed.to_bytes(8, "little")).digest()
            item = (-int.from_bytes(lot, "little"), number, (source, target))
            if most and len(kept) == most:
                heapq.heappushpop(kept, item)
                left_out["not_drawn"] += 1
            else:
                heapq.heappush(kept, item)
    return [texts for _, _, texts in sorted(kept, key=lambda item: item[1])]


def shared_words(pairs: Iterable[Texts], gold: Iterable[Iterable[str]]) -> float:
    """Give the share of gold words, written with letters, that the bitext's target side has.

    pairs (Iterable[Tuple[str, str]]): The pairs.
    gold (Iterable[Iterable[str]]): The words of the gold sentences.
    RETURNS (float): 0 to 1; 1 if gold has no such word.
    """
    known = {key_of(word) for _, target in pairs for word in target.split()}
    words = [word for word in chain.from_iterable(gold) if any(c.isalpha() for c in word)]
    return sum(key_of(word) in known for word in words) / len(words) if words else 1.0
