"""Bitext checked as a whole: pairs that are no translations, and lines that have moved."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..align.sentence_odds import TranslationOdds, find_blocks, match
from ..data.bitext import BitextPair, Format, read_bitext
from ..data.bitext_check import RULES, rule_faults
from ..encoders.sentence_vectors import SentenceEncoder
from ..errors import Errors, OpticalError
from ..files import check_replaceable, folder_written_whole, json_text

FAULTS = RULES | {
    "unlike": "the pair is no more alike than sentences drawn by chance",
    "shifted": "the translation is some lines above or below",
    "scrambled": "the translations of a block are there in another order",
    "unrelated": "the translations of a block are missing",
}
MARKER, PAIRS, DROPPED = "check.json", "pairs.jsonl", "dropped.jsonl"
FEWEST = 50  # pairs that the odds are estimated from
UNLIKE = -2.0  # log odds
SCRAMBLED = 1 / 3  # share of the rows of a block that find a partner
AT_ONCE = 2000  # rows of one transport plan, which then takes seconds


@dataclass
class CheckedFile:
    """What was found in a file.

    path (str): The file.
    pairs (int): Pairs read.
    skipped (Dict[str, int]): Lines that cannot be used, by the code of the error.
    faults (Dict[str, int]): Pairs by fault, see `FAULTS`; each pair counts once.
    blocks (List[Dict[str, Any]]): `start` and `end` (pairs, counted from 1, both included), `kind`
        of fault, `offset` of the translations in lines, and how many pairs were `matched` again.
    kept, matched, dropped (int): Pairs as they were, matched with another line, and left out.
    odds (Optional[List[float]]): Log odds of each pair as it is; None without an encoder.
    best_odds (Optional[List[float]]): The same at the offset of the pair's block.
    """

    path: str
    pairs: int
    skipped: dict[str, int]
    faults: dict[str, int] = field(default_factory=dict)
    blocks: list[dict[str, Any]] = field(default_factory=list)
    kept: int = 0
    matched: int = 0
    dropped: int = 0
    odds: list[float] | None = None
    best_odds: list[float] | None = None


def check_bitext(
    files: Sequence[str | Path],
    *,
    encoder: str | Path | SentenceEncoder | None = None,
    source_lang: str = "en",
    target_lang: str = "xx",
    keys: tuple[str, str] | None = None,
    format: Format | None = None,
    unescape: bool = False,
    repair: str | Path | None = None,
    seed: int = 0,
    say: Callable[[str], None] = lambda text: None,
) -> list[CheckedFile]:
    """Find pairs of bitext that are no translations, and blocks whose lines have moved.

    files (Sequence[Union[str, Path]]): Bitext, see `read_bitext`; of the format `moses` their
        stems, or the files of both sides in turn.
    encoder (Optional[Union[str, Path, SentenceEncoder]]): An encoder, or its folder. Without it,
        or in a file of fewer than 50 pairs, only the rules of `data.bitext_check` are used.
    source_lang (str): The source language.
    target_lang (str): The target language.
    keys (Optional[Tuple[str, str]]), format (Optional[str]), unescape (bool): As `read_bitext`.
    repair (Optional[Union[str, Path]]): A folder to write: the pairs that remain, some of them
        matched again, in pairs.jsonl; the others in dropped.jsonl; the counts in check.json.
    seed (int): Seed for drawing the sentences that show what chance gives.
    say (Callable[[str], None]): Told of each file.
    RETURNS (List[CheckedFile]): A report for each file.
    RAISES (OpticalError): If a file is missing, damaged or without usable pairs, the encoder is
        incomplete, or something else is at `repair`.
    """
    if repair is not None:
        check_replaceable(Path(repair), marker=MARKER)
    if isinstance(encoder, str | Path):
        encoder = SentenceEncoder(encoder)
    checked, outputs = [], []
    seen: set[bytes] = set()
    step = 2 if format == "moses" and all(Path(file).is_file() for file in files) else 1
    for at in range(0, len(files), step):
        paths = files[at : at + step]
        read = partial(
            read_bitext,
            *paths,
            source_lang=source_lang,
            target_lang=target_lang,
            keys=keys,
            format=format,
            unescape=unescape,
        )
        skipped: Counter[str] = Counter()
        pairs = list(read(on_error="skip", skipped=skipped))
        if not pairs:
            next(read(), None)  # raises what is wrong with the first line
            raise OpticalError(Errors.E206.format(path=paths[0]))
        say(f"{paths[0]}: {len(pairs)} pairs")
        found = CheckedFile(" + ".join(map(str, paths)), len(pairs), dict(skipped))
        partners, faults = _check(found, pairs, encoder, seen, seed)
        checked.append(found)
        if repair is not None:
            prefix = f"{len(checked)}-" if len(files) > step else ""
            outputs.append((prefix, pairs, partners, faults))
    if repair is not None:
        _write(Path(repair), outputs, checked, (source_lang, target_lang))
    return checked


def _check(
    found: CheckedFile,
    pairs: Sequence[BitextPair],
    encoder: SentenceEncoder | None,
    seen: set[bytes],
    seed: int,
) -> tuple[NDArray[np.int64], list[str]]:
    """Fill in a report; give each source row's target row, -1 for none, and why it is dropped."""
    sources, targets = [pair.source for pair in pairs], [pair.target for pair in pairs]
    partners, faults, kinds = np.arange(len(pairs)), [""] * len(pairs), [""] * len(pairs)
    alike: NDArray[np.float64] = np.zeros(len(pairs))
    if encoder is not None and len(pairs) >= FEWEST:
        odds = TranslationOdds(
            encoder.vectors(sources),
            encoder.vectors(targets),
            np.array(list(map(len, sources))),
            np.array(list(map(len, targets))),
            seed=seed,
        )
        own = odds.offsets[:, odds.reach]
        best = own.copy()
        blocks = [block for block in find_blocks(odds.offsets) if block.offset != 0]
        free = own < 0  # target rows that no pair in its place needs
        for block in blocks:
            free[block.start : block.end] = True
        for block in blocks:
            if block.offset is not None:
                rows = np.arange(block.start, block.end)
                partners[rows] = _matched(odds, rows, block.offset, free)
                best[rows] = odds.offsets[rows, block.offset + odds.reach]
        # What is missing from one block may be in another.
        lost = [np.arange(block.start, block.end) for block in blocks if block.offset is None]
        if lost:
            rows = np.concatenate(lost)
            partners[rows] = _matched(odds, rows, None, free)
        for block in blocks:
            rows = np.arange(block.start, block.end)
            count, kind = int((partners[rows] >= 0).sum()), "shifted"
            if block.offset is None:
                kind = "scrambled"
                if count < SCRAMBLED * len(rows):  # hardly more than chance gives
                    kind, count, partners[rows] = "unrelated", 0, -1
            kinds[block.start : block.end] = faults[block.start : block.end] = [kind] * len(rows)
            found.blocks.append(
                {
                    "start": block.start + 1,
                    "end": block.end,
                    "kind": kind,
                    "offset": block.offset,
                    "matched": count,
                }
            )
        at = np.flatnonzero(partners >= 0)
        alike[at] = odds.at(at, partners[at])
        found.odds, found.best_odds = own.round(2).tolist(), np.nan_to_num(best).round(2).tolist()
    rows_left = np.flatnonzero(partners >= 0).tolist()
    rules = rule_faults(
        [sources[row] for row in rows_left],
        [targets[partners[row]] for row in rows_left],
        seen=seen,
    )
    for row, rule in zip(rows_left, rules, strict=True):
        # Of names that are missing, the vectors know more.
        broken = "" if rule == "names" and alike[row] > 0 else rule
        faults[row] = broken or ("unlike" if alike[row] < UNLIKE else "")
        kinds[row] = kinds[row] or faults[row]
    found.faults = dict(Counter(filter(None, kinds)))
    found.dropped = sum(map(bool, faults))
    moved = (partners != np.arange(len(pairs))).tolist()
    found.matched = sum(other and not fault for other, fault in zip(moved, faults, strict=True))
    found.kept = len(pairs) - found.dropped - found.matched
    return partners, faults


def _matched(
    odds: TranslationOdds, rows: NDArray[np.int64], offset: int | None, free: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Match source rows with free target rows, which are then taken; -1 for no partner."""
    found = np.full(len(rows), -1)
    shift = offset or 0
    for at in range(0, len(rows), AT_ONCE):
        part = rows[at : at + AT_ONCE]
        first = max(0, part[0] + min(shift, 0) - odds.reach)
        columns = np.arange(first, min(len(free), part[-1] + max(shift, 0) + odds.reach + 1))
        columns = columns[free[columns]]
        if not len(columns):
            continue
        gain = odds.between(part, columns)
        if offset is None:
            gain -= np.log(len(columns))  # each is as likely as any other
        else:
            away = np.abs(columns[None, :] - part[:, None] - shift)
            gain = np.where(away <= 2, gain - UNLIKE + 2.0 * (away == 0), -1.0)
        for i, j in match(gain):
            found[at + i] = columns[j]
            free[columns[j]] = False
    return found


def _write(
    folder: Path,
    outputs: Sequence[tuple[str, Sequence[BitextPair], NDArray[np.int64], list[str]]],
    checked: Sequence[CheckedFile],
    langs: tuple[str, str],
) -> None:
    """Write the pairs that remain, those that do not, and the counts."""
    with folder_written_whole(folder, marker=MARKER) as new:
        with (
            (new / PAIRS).open("w", encoding="utf8") as kept,
            (new / DROPPED).open("w", encoding="utf8") as dropped,
        ):
            for prefix, pairs, partners, faults in outputs:
                for row, (pair, partner, fault) in enumerate(
                    zip(pairs, partners.tolist(), faults, strict=True)
                ):
                    other = pairs[partner] if partner >= 0 else pair
                    record = {"id": prefix + pair.id, langs[0]: pair.source, langs[1]: other.target}
                    if partner not in (row, -1):
                        record["target_id"] = prefix + other.id
                    if fault:
                        record["fault"] = fault
                    file = dropped if fault else kept
                    file.write(json.dumps(record, ensure_ascii=False) + "\n")
        counts = [asdict(one) | {"odds": None, "best_odds": None} for one in checked]
        (new / MARKER).write_text(json_text(counts), encoding="utf8")
