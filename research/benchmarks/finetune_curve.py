"""Measure the F1 of fine-tuned models by the number of sentences.

Each run calls `spacy_optical.finetune` with its defaults, on a random sample of sentences that are
not in dev or test. Dev has as many sentences as train, at most MOST_DEV. Runs that are already in
the JSON file are not repeated, unless the model or the defaults have changed. With --markdown, the
table of docs/finetune.md is replaced.

Example: python -m research.benchmarks.finetune_curve --markdown docs/finetune.md
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

from spacy_optical import finetune
from spacy_optical.cli._markdown import check_marks, replace_results
from spacy_optical.config import checked, read_sections
from spacy_optical.data.conll import TaggedSentence
from spacy_optical.data.decontamination import GoldIndex
from spacy_optical.data.docs import write_docs
from spacy_optical.data.download import DataFile, fetch
from spacy_optical.data.gold import read_tagged, tagged_doc
from spacy_optical.data.sources import SourceSet
from spacy_optical.export.model_scores import evaluate_model
from spacy_optical.files import scratch_folder, sha256, write_json
from spacy_optical.machine import describe_cpu
from spacy_optical.own_labels.finetuning import Finetuning
from spacy_optical.runtime.bundle import MANIFEST_FILE, model_path

CONFIG = Path("research/configs/finetune.cfg")
LANGUAGES = {"sw": "Swahili", "ha": "Hausa", "fi": "Finnish"}
SIZES = ("50", "100", "500", "2000", "all")
# The default model was trained on dates in Swahili only.
NAMES = ("PER", "ORG", "LOC")
MOST_DEV = 300
Row = dict[str, Any]


class GoldSet:
    """The train, dev and test sentences of a language.

    language (str): The code of the language.
    part (SourceSet): The files.
    folder (Path): The output folder of `fetch`.
    """

    def __init__(self, language: str, part: SourceSet, folder: Path) -> None:
        def read(files: Sequence[str]) -> list[TaggedSentence]:
            paths = (DataFile.parse(file).place(folder) for file in files)
            return [
                sentence
                for path in paths
                for sentence in read_tagged(path, part, language=language)
            ]

        train, self.dev, self.test = read(part.train), read(part.dev), read(part.test)
        held_out = GoldIndex(sentence.words for sentence in (*self.dev, *self.test))
        self.train = [one for one in train if not held_out.overlaps(" ".join(one.words))]

    def write(self, size: str, seed: int, folder: Path) -> list[Path]:
        """Write the files of a run: train, dev and test."""
        count = len(self.train) if size == "all" else int(size)
        random = np.random.default_rng(seed)
        parts = {
            "train": _drawn(self.train, count, random),
            "dev": _drawn(self.dev, min(count, MOST_DEV), random),
            "test": self.test,
        }
        for name, sentences in parts.items():
            write_docs(map(tagged_doc, sentences), folder / f"{name}.spacy")
        return [folder / f"{name}.spacy" for name in parts]


def gold_sets(languages: Sequence[str], folder: Path, mirror: Path | None) -> dict[str, GoldSet]:
    """Fetch and read the gold of languages.

    languages (Sequence[str]): The codes of the languages.
    folder (Path): The folder for the fetched files.
    mirror (Optional[Path]): As for `fetch`.
    RETURNS (Dict[str, GoldSet]): The gold by language.
    """
    sources = read_sections(CONFIG)["sources"]
    parts = {code: checked(SourceSet, sources[code], CONFIG) for code in languages}
    files = [DataFile.parse(file) for part in parts.values() for file in part.files]
    fetch(files, folder, mirror=mirror, say=print)
    return {code: GoldSet(code, part, folder) for code, part in parts.items()}


def _drawn(
    sentences: list[TaggedSentence], count: int, random: np.random.Generator
) -> list[TaggedSentence]:
    return [sentences[at] for at in random.permutation(len(sentences))[:count]]


def f1_of(model: str | Path, language: str, test: Path) -> Row:
    """Get the F1 of a model on a file: of all labels, of names without dates, and by label."""
    scores = evaluate_model(model, {language: test})[language]
    names = evaluate_model(model, {language: test}, NAMES)[language]
    by_label = {label: _percent(found["f"]) for label, found in scores["ents_per_type"].items()}
    return {
        "f1": _percent(scores["ents_f"]),
        "f1_names": _percent(names["ents_f"]),
        "by_label": dict(sorted(by_label.items())),
    }


def _percent(value: float) -> float:
    return round(100 * value, 2)


def run(gold: GoldSet, model: str, language: str, size: str, seed: int) -> Row:
    """Fine-tune once, and evaluate the bundle on the test file."""
    with scratch_folder() as folder:
        train, dev, test = gold.write(size, seed, folder)
        wall, cpu = time.perf_counter(), time.process_time()
        metrics = finetune(
            model, train, dev, folder / "out", seed=seed, language=language, say=print
        )
        seconds = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
        return {
            "language": language,
            "size": size,
            "seed": seed,
            "sentences": len(gold.train) if size == "all" else int(size),
            **f1_of(folder / "out" / "bundle", language, test),
            "epochs": len(metrics["epochs"]),
            "kept_epoch": metrics["kept_epoch"],
            "minutes": {name: round(value / 60, 2) for name, value in seconds.items()},
        }


def begun(model: str, path: Path) -> Row:
    """Get the record so far. It is empty if the model or the defaults have changed."""
    # The manifest has no effect on training.
    files = [path for path in sorted(model_path(model).iterdir()) if path.name != MANIFEST_FILE]
    about = {
        "model": model,
        "sha256": {path.name: sha256(path) for path in files},
        "settings": Finetuning().model_dump(mode="json"),
        "processor": describe_cpu()[0],
    }
    if path.is_file():
        record: Row = json.loads(path.read_text(encoding="utf8"))
        if about.items() <= record.items():
            return record
    return {**about, "before": {}, "rows": []}


def markdown(record: Row) -> str:
    """Make the table: a row for each size, with F1, its range and minutes by language."""
    languages = [code for code in LANGUAGES if code in record["before"]]
    heads = [f"{LANGUAGES[code]} | without DATE | minutes" for code in languages]
    lines = [f"| sentences | {' | '.join(heads)} |", f"|---|{'---:|---:|---:|' * len(heads)}"]
    zero_shot = (record["before"][code] for code in languages)
    before = [f"{one['f1']:.1f} | {one['f1_names']:.1f} | " for one in zero_shot]
    lines.append(f"| none | {' | '.join(before)} |")
    measured = {row["size"] for row in record["rows"]}
    for size in sorted(measured, key=lambda size: float("inf") if size == "all" else int(size)):
        cells = (" | ".join(_cells(record["rows"], size, code)) for code in languages)
        lines.append(f"| {size} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cells(rows: Sequence[Row], size: str, language: str) -> Iterator[str]:
    found = [row for row in rows if (row["size"], row["language"]) == (size, language)]
    for key in ("f1", "f1_names"):
        values = [row[key] for row in found]
        spread = f" ({min(values):.1f}–{max(values):.1f})" if len(values) > 1 else ""
        yield f"{mean(values):.1f}{spread}" if values else "–"
    yield f"{mean(row['minutes']['cpu'] for row in found):.1f}" if found else "–"


def main() -> None:
    """Measure the missing runs, and write the results after each of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="md", help="The model to start with")
    parser.add_argument("--languages", default=",".join(LANGUAGES), help="Some of sw,ha,fi")
    parser.add_argument("--sizes", default=",".join(SIZES), help="Numbers of sentences, or all")
    parser.add_argument("--seeds", default="0,1,2", help="Seeds, separated by commas")
    parser.add_argument("--files", type=Path, default=Path("data/finetune"), help="Fetched files")
    parser.add_argument(
        "--mirror", type=Path, help="Local folder to copy the files from, instead of downloading"
    )
    parser.add_argument("--out", type=Path, default=Path("docs/results/finetune/curve.json"))
    parser.add_argument("--markdown", type=Path, help="Markdown file in which to update the table")
    args = parser.parse_args()
    if args.markdown is not None:
        check_marks(args.markdown)
    languages = args.languages.split(",")
    gold = gold_sets(languages, args.files, args.mirror)
    record = begun(args.model, args.out)
    for code in languages:
        if code not in record["before"]:
            with scratch_folder() as folder:
                *_, test = gold[code].write("1", 0, folder)
                record["before"][code] = f1_of(args.model, code, test)
    # All sizes and languages of one seed first, in case of an interruption.
    for seed, size, code in product(args.seeds.split(","), args.sizes.split(","), languages):
        key = {"language": code, "size": size, "seed": int(seed)}
        if any(key.items() <= row.items() for row in record["rows"]):
            continue
        row = run(gold[code], args.model, code, size, int(seed))
        print(row)
        record["rows"].append(row)
        write_json(args.out, record)
    if args.markdown is not None:
        replace_results(args.markdown, markdown(record))
    print(markdown(record))


if __name__ == "__main__":
    main()
