"""Evaluate `check-bitext` on files with known faults, and on a file with added faults.

Example: python -m research.benchmarks.bitext_faults --mirror data/mirror --encoder assets/encoder
"""

import argparse
import json
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from spacy_optical.data.bitext import read_bitext
from spacy_optical.encoders.sentence_vectors import SentenceEncoder
from spacy_optical.projection.bitext_faults import DROPPED, PAIRS, check_bitext

NTREX = "MicrosoftTranslator/NTREX/*/NTREX-128/newstest2019-{}.txt"
TICO = "tico-19/tico-19.github.io/*/data/TM/all.en-{}.tmx.zip"
LAFAND = "masakhane-io/lafand-mt/*/data/text_files/en-swa/train.{}"
# First and last row, counted from 0, and the known fault.
KNOWN = {
    "so": [(1158, 1702, "shifted"), (1860, 3070, "shifted")],
    "fr": [(440, 755, "scrambled")],
    "sw": [],
}
Pairs = list[tuple[str, str]]
# The new row of the target of each source row, and the added fault.
Truth = tuple[list[int], list[str]]


def with_faults(
    pairs: Pairs, seed: int, *, blocks: int = 5, share: float = 0.1
) -> tuple[Pairs, Truth]:
    """Shift blocks by one to five lines, scramble others, and swap targets of other rows."""
    rng = np.random.default_rng(seed)
    n = len(pairs)
    order, kinds = np.arange(n), [""] * n
    places = np.linspace(40, n - 130, 2 * blocks).astype(int)
    for number, start in enumerate(places.tolist()):
        rows = np.arange(start, start + int(rng.integers(40, 100)))
        if number % 2:
            order[rows], kind = rng.permutation(order[rows]), "scrambled"
        else:
            order[rows], kind = np.roll(order[rows], int(rng.integers(1, 6))), "shifted"
        for row in rows.tolist():
            kinds[row] = kind
    rest = np.array([row for row in range(n) if not kinds[row]])
    chosen = rng.permutation(rest)[: int(share * n)]
    order[chosen] = np.roll(order[chosen], 1)
    for row in chosen.tolist():
        kinds[row] = "random"
    place = np.argsort(order)
    return [(pairs[i][0], pairs[order[i]][1]) for i in range(n)], (place.tolist(), kinds)


def outcome(pairs: Pairs, encoder: SentenceEncoder) -> tuple[list[int], list[str], Any, float]:
    """Check pairs, and return target row (-1 if dropped) and fault of each row, and the report."""
    with tempfile.TemporaryDirectory() as name:
        path, out = Path(name, "bitext.jsonl"), Path(name, "out")
        lines = [json.dumps({"id": str(i), "en": s, "xx": t}) for i, (s, t) in enumerate(pairs)]
        path.write_text("\n".join(lines), encoding="utf8")
        began = time.perf_counter()
        (report,) = check_bitext([path], encoder=encoder, repair=out)
        took = time.perf_counter() - began
        partner, fault = [-1] * len(pairs), [""] * len(pairs)
        for file in (PAIRS, DROPPED):
            for line in (out / file).read_text(encoding="utf8").split("\n")[:-1]:
                record = json.loads(line)
                row = int(record["id"])
                fault[row] = record.get("fault", "")
                if not fault[row]:
                    partner[row] = int(record.get("target_id", row))
    for block in report.blocks:
        for row in range(block["start"] - 1, block["end"]):
            fault[row] = block["kind"]
    return partner, fault, report, took


def row_scores(truth: list[str], found: list[str]) -> dict[str, dict[str, float]]:
    """Compute precision and recall by row, for each fault and for any fault."""
    same = {"unlike": "random", "names": "random", "length": "random", "unrelated": "scrambled"}
    named = [same.get(one, one) for one in found]
    table = {}
    for kind in sorted({*filter(None, truth)}):
        both = sum(a == b == kind for a, b in zip(truth, named, strict=True))
        table[kind] = {
            "rows": truth.count(kind),
            "precision": round(100 * both / max(1, named.count(kind)), 1),
            "recall": round(100 * both / max(1, truth.count(kind)), 1),
        }
    both = sum(bool(a) and bool(b) for a, b in zip(truth, found, strict=True))
    table["any"] = {
        "rows": sum(map(bool, truth)),
        "precision": round(100 * both / max(1, sum(map(bool, found))), 1),
        "recall": round(100 * both / max(1, sum(map(bool, truth))), 1),
    }
    return table


def read(*paths: Path, target: str) -> Pairs:
    """Read the pairs of a file."""
    kind: Any = "moses" if len(paths) == 2 else None
    pairs = read_bitext(*paths, target_lang=target, format=kind, on_error="skip")
    return [(pair.source, pair.target) for pair in pairs]


def known_faults(mirror: Path, encoder: SentenceEncoder, language: str) -> dict[str, Any]:
    """Check a file of TICO-19."""
    pairs = read(next(mirror.glob(TICO.format(language))), target=language)
    truth = [""] * len(pairs)
    for start, end, kind in KNOWN[language]:
        truth[start : end + 1] = [kind] * (end + 1 - start)
    partner, found, report, took = outcome(pairs, encoder)
    shifted = [row for row, kind in enumerate(truth) if kind == "shifted"]
    return {
        "scores": row_scores(truth, found),
        "shifted_rows_matched_one_above": sum(partner[row] == row - 1 for row in shifted),
        "rows_in_place_dropped": sum(
            not kind and partner[row] < 0 for row, kind in enumerate(truth)
        ),
        **summary(report, took),
    }


def added_faults(pairs: Pairs, encoder: SentenceEncoder, seed: int) -> dict[str, Any]:
    """Check a file with added faults."""
    changed, (place, truth) = with_faults(pairs, seed)
    partner, found, report, took = outcome(changed, encoder)
    total = Counter(kind or "in place" for kind in truth)
    right: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for row, kind in enumerate(truth):
        right[kind or "in place"] += partner[row] == place[row]
        wrong[kind or "in place"] += partner[row] not in (-1, place[row])
    return {
        "scores": row_scores(truth, found),
        "right_pairs_percent": {kind: round(100 * right[kind] / total[kind], 1) for kind in total},
        "wrong_pairs_percent": {kind: round(100 * wrong[kind] / total[kind], 1) for kind in total},
        **summary(report, took),
    }


def summary(report: Any, took: float) -> dict[str, Any]:
    """Get the counts of a report."""
    return {
        "pairs": report.pairs,
        "faults": report.faults,
        "blocks": report.blocks,
        "kept": report.kept,
        "matched": report.matched,
        "dropped": report.dropped,
        "seconds": round(took, 1),
    }


def main() -> None:
    """Print the results of each data set, as one JSON object per line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mirror", type=Path, required=True, help="Folder of the data sets")
    parser.add_argument("--encoder", type=Path, required=True, help="Folder of the encoder")
    parser.add_argument("--only", default="so,fr,sw,ntrex,seeds,lafand", help="Data sets to check")
    parser.add_argument("--seeds", type=int, default=3, help="Number of files with added faults")
    parser.add_argument("--lafand", type=int, default=10_000, help="Number of pairs of LAFAND")
    given = parser.parse_args()
    encoder, mirror, only = SentenceEncoder(given.encoder), given.mirror, given.only.split(",")

    def show(name: str, found: dict[str, Any]) -> None:
        print(json.dumps({"data": name, **found}), flush=True)

    for language in (one for one in only if one in KNOWN):
        show(f"TICO-19 {language}", known_faults(mirror, encoder, language))
    names = [NTREX.format(name) for name in ("src.eng", "ref.swa")]
    if {"ntrex", "seeds"} & set(only):
        sound = read(*(next(mirror.glob(name)) for name in names), target="sw")
        if "ntrex" in only:
            show("NTREX sw", summary(*outcome(sound, encoder)[2:]))
        for seed in range(given.seeds if "seeds" in only else 0):
            show(f"NTREX sw, faults of seed {seed}", added_faults(sound, encoder, seed))
    if "lafand" in only:
        names = [LAFAND.format(name) for name in ("en", "swa")]
        pairs = read(*(next(mirror.glob(name)) for name in names), target="sw")[: given.lafand]
        show("LAFAND sw", summary(*outcome(pairs, encoder)[2:]))


if __name__ == "__main__":
    main()
