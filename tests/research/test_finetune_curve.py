"""The sentences of a run, and the runs that are not repeated."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from research.benchmarks import finetune_curve
from research.benchmarks.finetune_curve import GoldSet, begun, main, markdown
from spacy_optical.data.docs import read_docs
from spacy_optical.data.sources import SourceSet
from tests.util import toy_bundle

# A name in each sentence; "Nairobi" is the toy bundle's only place.
SENTENCES = [f"{name} B-PER\nanaishi O\nNairobi B-LOC\n{name}ni O\n" for name in "ABCDEFGH"]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Two sentences of train are in dev and test."""
    parts = {"train": SENTENCES[:6], "dev": SENTENCES[5:7], "test": [SENTENCES[0], SENTENCES[7]]}
    lines = ["[sources.sw]"]
    for name, sentences in parts.items():
        (tmp_path / f"{name}.txt").write_text("\n".join(sentences), encoding="utf8")
        lines.append(f'{name} = ["{tmp_path / name}.txt"]')
    path = tmp_path / "finetune.cfg"
    path.write_text("\n".join(lines), encoding="utf8")
    return path


def texts(path: Path) -> list[str]:
    return [doc.text for doc in read_docs(path)]


def test_runs_share_no_sentence_with_dev_and_test(config: Path, tmp_path: Path):
    files = {name: [str(tmp_path / f"{name}.txt")] for name in ("train", "dev", "test")}
    gold = GoldSet("sw", SourceSet.model_validate(files), tmp_path)
    train, dev, test = (texts(path) for path in gold.write("all", 0, tmp_path))
    assert sorted(text[0] for text in train) == ["B", "C", "D", "E"]
    assert not set(train) & {*dev, *test}
    assert len(dev) == len(test) == 2
    for seed in range(3):
        whole = texts(gold.write("all", seed, tmp_path)[0])
        fewer, one, _ = gold.write("1", seed, tmp_path)
        assert texts(fewer) == whole[:1]  # a larger set holds the smaller one
        assert len(texts(one)) == 1


def test_runs_are_done_once(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
):
    toy_bundle().to_disk(tmp_path / "toy")
    done: list[tuple[int, int]] = []

    def finetune(model: str, train: Path, dev: Path, out: Path, **settings: Any) -> Any:
        done.append((len(texts(train)), settings["seed"]))
        toy_bundle().to_disk(out / "bundle")
        return {"epochs": [{}, {}], "kept_epoch": 1}

    monkeypatch.setattr(finetune_curve, "finetune", finetune)
    monkeypatch.setattr(finetune_curve, "CONFIG", config)
    out, page = tmp_path / "curve.json", tmp_path / "page.md"
    page.write_text("Before\n<!-- results:start -->\n<!-- results:end -->\nAfter", encoding="utf8")
    arguments = ["curve", "--model", tmp_path / "toy", "--languages", "sw", "--out", out]
    arguments += ["--files", tmp_path, "--sizes", "2,all", "--markdown", page, "--seeds"]
    for seeds in ("0", "0,1"):
        monkeypatch.setattr(sys, "argv", [*map(str, arguments), seeds])
        main()
    assert done == [(2, 0), (4, 0), (2, 1), (4, 1)]
    record = json.loads(out.read_text(encoding="utf8"))
    assert [row["sentences"] for row in record["rows"]] == [2, 4, 2, 4]
    assert record["before"]["sw"]["f1"] == record["rows"][0]["f1"] > 0  # the same bundle
    assert capsys.readouterr().out.rstrip().endswith(markdown(record))
    assert markdown(record) in page.read_text(encoding="utf8")
    model = str(tmp_path / "toy")
    assert begun(model, out) == record
    out.write_text(json.dumps({**record, "sha256": {"model.onnx": "another"}}), encoding="utf8")
    assert begun(model, out)["rows"] == []


def test_the_table_gives_mean_and_range():
    def row(seed: int, f1: float) -> dict[str, Any]:
        minutes = {"wall": 9.0, "cpu": seed + 1.0}
        key = {"language": "ha", "size": "50", "seed": seed}
        return {**key, "f1": f1, "f1_names": f1 - 1, "minutes": minutes}

    before = {"ha": {"f1": 48.0, "f1_names": 55.0}}
    table = markdown({"before": before, "rows": [row(0, 50.0), row(1, 56.0)]})
    assert table.splitlines()[2:] == [
        "| none | 48.0 | 55.0 |  |",
        "| 50 | 53.0 (50.0–56.0) | 52.0 (49.0–55.0) | 1.5 |",
    ]
