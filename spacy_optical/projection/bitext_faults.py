"""Bitext checked as a whole: pairs that are no translations, and lines that have moved."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..align.sentences import Block, TranslationOdds, find_blocks, match
from ..data.bitext import BitextPair, Format, read_bitext
from ..data.bitext_check import RULES, rule_faults
from ..encoders.sentence_vectors import sentence_vectors
from ..errors import Errors, OpticalError
from ..files import check_replaceable, folder_written_whole, json_text

FAULTS = RULES | {
    "unlike": "the pair is no more alike than sentences drawn by chance",
    "shifted": "the translation is a few lines above or below",
    "scrambled": "the translations of a block are there in another order",
    "unrelated": "the translations of a block are missing",
}
MARKER, PAIRS, DROPPED = "check.json", "pairs.jsonl", "dropped.jsonl"
FEWEST = 50  # pairs that the similarities are estimated from
UNLIKE = -2.0  # log odds
# Of the rows of a scrambled block at least so many find a partner.
SCRAMBLED = 1 / 3
# A plan between so many sentences takes seconds.
MOST_AT_ONCE = 2000


@dataclass
class CheckedFile:
    """What was found in a file.

    path (str): The file.
    pairs (int): Pairs read.
    skipped (Dict[str, int]): Lines that cannot be used, by the code of the error.
    faults (Dict[str, int]): Pairs by fault, see `FAULTS`; each pair counts once.
    blocks (List[Dict]): Blocks with `start` and `end` (pairs, counted from 1, both included), the
        `kind` of fault, the `offset` of the translations in lines, and how many were `repaired`.
    kept, dropped, repaired (int): Pairs as they were, left out, and matched with another line.
    similarity (Optional[List[float]]): Log odds of each pair; None without an encoder.
    best (Optional[List[float]]): Log odds at the offset of the pair's block.
    """

    path: str
    pairs: int
    skipped: dict[str, int]
    faults: dict[str, int] = field(default_factory=dict)
    blocks: list[dict[str, Any]] = field(default_factory=list)
    kept: int = 0
    dropped: int = 0
    repaired: int = 0
    similarity: list[float] | None = None
    best: list[float] | None = None


def check_bitext(
    files: Sequence[str | Path],
    *,
    encoder: str | Path | None = None,
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

    files (Sequence[Union[str, Path]]): Bitext, see `read_bitext`; of the format `moses` the files
        of both sides, in turn, or their stems.
    encoder (Optional[Union[str, Path]]): An encoder's folder. Without it only the rules of
        `data.bitext_check` are used, and blocks are not found.
    source_lang (str): The source language.
    target_lang (str): The target language.
    keys (Optional[Tuple[str, str]]), format (Optional[str]), unescape (bool): As `read_bitext`.
    repair (Optional[Union[str, Path]]): A folder to write: the pairs that are left, some matched
        again, in pairs.jsonl; the others in dropped.jsonl; the counts in check.json.
    seed (int): Seed for drawing the sentences that show what chance gives.
    say (Callable[[str], None]): Told what is done.
    RETURNS (List[CheckedFile]): A report for each file.
    RAISES (OpticalError): If a file is missing, damaged or without usable pairs, the encoder is
        incomplete, or something else is at `repair`.
    """
    if repair is not None:
        check_replaceable(Path(repair), marker=MARKER)
    checked, outputs = [], []
    seen: set[bytes] = set()
    for number, paths in enumerate(_grouped(list(map(Path, files)), format), 1):
        skipped: Counter[str] = Counter()
        options: dict[str, Any] = {
            "source_lang": source_lang,
            "target_lang": target_lang,
            "keys": keys,
            "format": format,
            "unescape": unescape,
        }
        pairs = list(read_bitext(*paths, on_error="skip", skipped=skipped, **options))
        if not pairs:
            next(read_bitext(*paths, **options), None)
            raise OpticalError(Errors.E206.format(path=paths[0]))
        say(f"{paths[0]}: {len(pairs)} pairs")
        found = CheckedFile(" + ".join(map(str, paths)), len(pairs), dict(skipped))
        partners, faults = _check(found, pairs, encoder, seen, seed)
        checked.append(found)
        if repair is not None:
            prefix = f"{number}-" if len(files) > len(paths) else ""
            outputs.append((prefix, pairs, partners, faults))
    if repair is not None:
        _write(Path(repair), outputs, checked, (source_lang, target_lang))
    return checked


def _grouped(files: list[Path], format: Format | None) -> list[list[Path]]:
    two = format in ("moses", "conllu") and all(path.is_file() for path in files)
    if not two or (format == "conllu" and len(files) % 2):
        return [[path] for path in files]
    return [files[at : at + 2] for at in range(0, len(files), 2)]


def _check(
    found: CheckedFile,
    pairs: Sequence[BitextPair],
    encoder: str | Path | None,
    seen: set[bytes],
    seed: int,
) -> tuple[list[int], list[str]]:
    """Fill in a report; give each source row's target row, -1 for none, and its fault."""
    texts = [pair.source for pair in pairs], [pair.target for pair in pairs]
    partners, faults = list(range(len(pairs))), [""] * len(pairs)
    alike: np.ndarray = np.zeros(len(pairs))
    blocked: list[str] = [""] * len(pairs)
    if encoder is not None and len(pairs) >= FEWEST:
        vectors = [sentence_vectors(encoder, side) for side in texts]
        lengths = [np.array(list(map(len, side))) for side in texts]
        odds = TranslationOdds(*vectors, *lengths, seed=seed)
        own = odds.offsets[:, odds.reach]
        best = own.copy()
        moved = [block for block in find_blocks(odds.offsets) if block.offset != 0]
        free = np.ones(len(pairs), bool)  # target rows that no pair in its place needs
        inside = np.zeros(len(pairs), bool)
        for block in moved:
            inside[block.start : block.end] = True
        free[~inside & (own >= 0)] = False
        for block in moved:
            rows = np.arange(block.start, block.end)
            matched = _matched(odds, block, free)
            kind = "shifted"
            if block.offset is None:
                kind = "scrambled" if len(matched) >= SCRAMBLED * len(rows) else "unrelated"
            for row in rows.tolist():
                partners[row], blocked[row] = matched.get(row, -1), kind
            if block.offset is not None:
                best[rows] = odds.offsets[rows, block.offset + odds.reach]
            found.blocks.append(
                {
                    "start": block.start + 1,
                    "end": block.end,
                    "kind": kind,
                    "offset": block.offset,
                    "repaired": len(matched),
                }
            )
        rows = np.flatnonzero(np.array(partners) >= 0)
        alike = np.full(len(pairs), -np.inf)
        alike[rows] = odds.at(rows, np.array(partners)[rows])
        found.similarity, found.best = (
            np.nan_to_num(x, nan=-9).round(2).tolist() for x in (own, best)
        )
    rows_left = [row for row, partner in enumerate(partners) if partner >= 0]
    rules = rule_faults(
        [texts[0][row] for row in rows_left],
        [texts[1][partners[row]] for row in rows_left],
        seen=seen,
    )
    for row, rule in zip(rows_left, rules, strict=True):
        if rule == "names" and alike[row] > 0:
            rule = ""  # the vectors know better
        faults[row] = rule or ("unlike" if alike[row] < UNLIKE else "")
    for row, partner in enumerate(partners):
        if partner < 0:
            faults[row] = blocked[row]
    found.faults = dict(Counter(kind for kind in map(_first, blocked, faults) if kind))
    found.dropped = sum(map(bool, faults))
    found.repaired = sum(
        partner != row and not fault
        for row, (partner, fault) in enumerate(zip(partners, faults, strict=True))
    )
    found.kept = len(pairs) - found.dropped - found.repaired
    return partners, faults


def _first(one: str, other: str) -> str:
    return one or other


def _matched(odds: TranslationOdds, block: Block, free: np.ndarray) -> dict[int, int]:
    """Match the source rows of a block with free target rows, by plans of bounded size."""
    found: dict[int, int] = {}
    shift = block.offset or 0
    for start in range(block.start, block.end, MOST_AT_ONCE):
        rows = np.arange(start, min(block.end, start + MOST_AT_ONCE))
        low, high = rows[0] + min(shift, 0) - odds.reach, rows[-1] + max(shift, 0) + odds.reach
        columns = np.arange(max(0, low), min(len(free), high + 1))
        columns = columns[free[columns]]
        if not len(columns):
            continue
        gain = odds.between(rows, columns)
        if block.offset is None:
            gain = gain - np.log(len(columns))  # each column is as likely as any other
        else:
            away = np.abs(columns[None, :] - rows[:, None] - shift)
            gain = np.where(away <= 2, gain - UNLIKE + 2.0 * (away == 0), -1.0)
        for i, j in match(gain):
            found[int(rows[i])] = int(columns[j])
            free[columns[j]] = False
    return found


_Output = tuple[str, Sequence[BitextPair], list[int], list[str]]


def _write(
    folder: Path, outputs: list[_Output], checked: list[CheckedFile], langs: tuple[str, str]
) -> None:
    """Write the pairs that are left, those that are not, and the counts."""
    with folder_written_whole(folder, marker=MARKER) as new:
        kept_path, dropped_path = new / PAIRS, new / DROPPED
        with (
            kept_path.open("w", encoding="utf8") as kept,
            dropped_path.open("w", encoding="utf8") as dropped,
        ):
            for prefix, pairs, partners, faults in outputs:
                for pair, partner, fault in zip(pairs, partners, faults, strict=True):
                    other = pairs[partner] if partner >= 0 else pair
                    record = {
                        "id": prefix + pair.id,
                        langs[0]: pair.source,
                        langs[1]: other.target,
                        **({"target_id": prefix + other.id} if other is not pair else {}),
                        **({"fault": fault} if fault else {}),
                    }
                    file = dropped if fault else kept
                    file.write(json.dumps(record, ensure_ascii=False) + "\n")
        counts = [
            {key: value for key, value in asdict(one).items() if key not in ("similarity", "best")}
            for one in checked
        ]
        (new / MARKER).write_text(json_text(counts), encoding="utf8")
