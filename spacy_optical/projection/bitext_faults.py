"""Find pairs of bitext that are not translations, and blocks with shifted or scrambled lines."""

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
from ..files import check_no_input, check_replaceable, folder_written_whole, json_text

FAULTS = RULES | {
    "unlike": "the two sentences are not more similar than random sentences",
    "shifted": "the translation is some lines above or below",
    "scrambled": "the translations of a block are in another order",
    "unrelated": "the translations of a block are missing",
}
MARKER, PAIRS, DROPPED = "check.json", "pairs.jsonl", "dropped.jsonl"
FEWEST = 50  # pairs in a file, to estimate the log odds
UNLIKE = -2.0  # log odds
SCRAMBLED = 1 / 3  # share of the rows of a block that are matched
AT_ONCE = 2000  # rows of a transport plan, which is solved in seconds


@dataclass
class CheckedFile:
    """The report on a file.

    path (str): The file.
    pairs (int): The number of pairs.
    skipped (Dict[str, int]): Lines that cannot be used, by error code.
    faults (Dict[str, int]): Pairs by fault, see `FAULTS`. A pair is counted once.
    blocks (List[Dict[str, Any]]): `start` and `end` (pairs, counted from 1, both included), `kind`
        (the fault), `offset` (of the translations, in lines) and `matched` (pairs matched again).
    kept, matched, dropped (int): Pairs that are unchanged, matched with another line, and left out.
    odds (Optional[List[float]]): Log odds of each pair; None without an encoder.
    best_odds (Optional[List[float]]): Log odds with the offset of the block.
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
    files: str | Path | Sequence[str | Path],
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
    """Find pairs of bitext that are not translations, and blocks with shifted or scrambled lines.

    files (Union[str, Path, Sequence[Union[str, Path]]]): The bitext, see `read_bitext`. For the
        format `moses`, their stems, or the two files of each bitext one after the other.
    encoder (Optional[Union[str, Path, SentenceEncoder]]): An encoder or its folder. Without it, and
        for files with fewer than 50 pairs, only the rules of `data.bitext_check` are used.
    source_lang (str): The source language.
    target_lang (str): The target language.
    keys (Optional[Tuple[str, str]]), format (Optional[str]), unescape (bool): As `read_bitext`.
    repair (Optional[Union[str, Path]]): A folder to write, with the kept and matched pairs in
        pairs.jsonl, the other pairs in dropped.jsonl, and the counts in check.json.
    seed (int): Seed of the random pairs that the log odds are estimated from.
    say (Callable[[str], None]): Called with a message for each file.
    RETURNS (List[CheckedFile]): A report for each file.
    RAISES (OpticalError): If a file is missing, damaged or has no usable pairs, the encoder is
        incomplete, or `repair` has other content or one of the files.
    """
    if isinstance(files, str | Path):
        files = [files]
    if repair is not None:
        check_replaceable(Path(repair), marker=MARKER)
        check_no_input(Path(repair), files)
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
            next(read(), None)  # raises the error of the first line
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
    """Fill in a report. Return the target row of each source row, or -1, and why it is dropped."""
    sources, targets = [pair.source for pair in pairs], [pair.target for pair in pairs]
    partners, similarity = np.arange(len(pairs)), np.zeros(len(pairs))
    if encoder is not None and len(pairs) >= FEWEST:
        odds = TranslationOdds(
            encoder.vectors(sources),
            encoder.vectors(targets),
            np.array([len(source) for source in sources]),
            np.array([len(target) for target in targets]),
            seed=seed,
        )
        partners = _realign(found, odds)
        rows = np.flatnonzero(partners >= 0)
        similarity[rows] = odds.at(rows, partners[rows])
    kinds = [""] * len(pairs)
    for block in found.blocks:
        for row in range(block["start"] - 1, block["end"]):
            kinds[row] = block["kind"]
    faults = kinds.copy()
    matched = np.flatnonzero(partners >= 0).tolist()
    rules = rule_faults(
        [sources[row] for row in matched], [targets[partners[row]] for row in matched], seen=seen
    )
    for row, rule in zip(matched, rules, strict=True):
        if rule == "names" and similarity[row] > 0:
            rule = ""  # the vectors are more reliable than this rule
        faults[row] = rule or ("unlike" if similarity[row] < UNLIKE else "")
        kinds[row] = kinds[row] or faults[row]
    found.faults = dict(Counter(filter(None, kinds)))
    usable = np.array([not fault for fault in faults])
    moved = partners != np.arange(len(pairs))
    found.dropped = int((~usable).sum())
    found.matched = int((usable & moved).sum())
    found.kept = int((usable & ~moved).sum())
    return partners, faults


def _realign(found: CheckedFile, odds: TranslationOdds) -> NDArray[np.int64]:
    """Fill in blocks and odds of a report. Return the target row of each source row, or -1."""
    own = odds.offsets[:, odds.reach]
    partners, best = np.arange(len(own)), own.copy()
    blocks = [block for block in find_blocks(odds.offsets) if block.offset != 0]
    # The target of a pair that is kept is not free.
    free, lost = own < UNLIKE, np.zeros(len(own), dtype=bool)
    for block in blocks:
        free[block.start : block.end] = True
        lost[block.start : block.end] = block.offset is None
    for block in blocks:
        if block.offset is not None:
            rows = np.arange(block.start, block.end)
            partners[rows] = _match_rows(odds, rows, block.offset, free)
            best[rows] = odds.offsets[rows, block.offset + odds.reach]
    # The translations of a block can be in another block.
    rows = np.flatnonzero(lost)
    partners[rows] = _match_rows(odds, rows, None, free)
    for block in blocks:
        inside = partners[block.start : block.end]
        count = int((inside >= 0).sum())
        kind = "shifted" if block.offset is not None else "scrambled"
        if block.offset is None and count < SCRAMBLED * len(inside):  # as few as by chance
            kind, count = "unrelated", 0
            inside[:] = -1
        found.blocks.append(
            {
                "start": block.start + 1,
                "end": block.end,
                "kind": kind,
                "offset": block.offset,
                "matched": count,
            }
        )
    found.odds, found.best_odds = own.round(2).tolist(), np.nan_to_num(best).round(2).tolist()
    return partners


def _match_rows(
    odds: TranslationOdds, rows: NDArray[np.int64], offset: int | None, free: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Match source rows with free target rows, which are then not free; -1 for no match."""
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
            gain -= np.log(len(columns))  # all have the same prior probability
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
    with folder_written_whole(folder, marker=MARKER) as new:
        with (
            (new / PAIRS).open("w", encoding="utf8") as kept,
            (new / DROPPED).open("w", encoding="utf8") as dropped,
        ):
            for prefix, pairs, partners, faults in outputs:
                rows = zip(pairs, partners.tolist(), faults, strict=True)
                for row, (pair, partner, fault) in enumerate(rows):
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
