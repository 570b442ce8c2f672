import json
from pathlib import Path

import pytest

from spacy_optical.data.docs import read_docs, read_training_docs
from spacy_optical.data.make_corpus import CorpusSummary, make_corpus
from spacy_optical.data.markup import MarkedText, parse_markup
from spacy_optical.data.parallel import LABELS, read_groups
from spacy_optical.data.sources import load_data_config
from spacy_optical.errors import OpticalError

from ..toy_project import toy_data, toy_groups, toy_marked_corpus, write_groups
from ..util import markup_of


@pytest.fixture
def marked(tmp_path: Path) -> Path:
    toy_marked_corpus(tmp_path / "marked")
    return tmp_path / "marked"


def make(
    marked: Path, out: Path, *languages: str, say=lambda text: None, **settings: int
) -> CorpusSummary:
    path = marked / "data.cfg"
    path.write_text(toy_data(marked, languages), encoding="utf8")
    seed = {"general.seed": settings.pop("seed", 0)}
    overrides = seed | {f"corpus.{name}": value for name, value in settings.items()}
    return make_corpus(load_data_config(path, overrides), marked, out, say=say)


def test_what_is_written(tmp_path: Path, marked: Path):
    summary = make(marked, tmp_path / "corpus", "sw", "fi")
    files = {str(p.relative_to(tmp_path / "corpus")) for p in (tmp_path / "corpus").rglob("*.*")}
    gold = {f"gold/{lang}-{part}.spacy" for lang in ("en", "sw", "fi") for part in ("dev", "test")}
    assert files == gold | {
        "corpus.json",
        "bitext/sw.jsonl",
        "bitext/fi.jsonl",
        "english/train.spacy",
        "english/dev.spacy",
    }
    assert summary.source == {
        "train": 64, "altered": 0, "silver": 0, "dev": 8, "test": 8, "left_out": 0
    }  # fmt: skip
    assert {code: part.pairs for code, part in summary.languages.items()} == {"sw": 32, "fi": 32}
    assert [summary.languages["sw"].dev, summary.languages["sw"].test] == [8, 8]
    assert len(read_training_docs(tmp_path / "corpus/english/train.spacy")) == 64
    record = json.loads((tmp_path / "corpus/corpus.json").read_text())
    assert list(record["languages"]) == ["sw", "fi"]
    assert {Path(name).name for name in record["data"]} == {
        "train.jsonl",
        "dev.jsonl",
        "test.jsonl",
    }


def test_bitext_holds_plain_text_and_nothing_else(tmp_path: Path, marked: Path):
    make(marked, tmp_path / "corpus", "sw", augment=2, seed=1)
    for line in (tmp_path / "corpus/bitext/sw.jsonl").read_text(encoding="utf8").splitlines():
        record = json.loads(line)
        assert set(record) == {"id", "en", "sw"}
        for text in (record["en"], record["sw"]):
            assert not set("[]") & set(text)
            assert not any(f"({label})" in text for label in LABELS)


def test_target_markup_leaves_no_trace_in_training(tmp_path: Path, marked: Path):
    """The files that train are the same whether the target side of train is marked or not."""
    make(marked, tmp_path / "with", "sw", augment=1)
    path = marked / "parallel" / "train.jsonl"
    groups = [json.loads(line) for line in path.read_text(encoding="utf8").splitlines()]
    for group in groups:
        group["sw"] = parse_markup(group["sw"], LABELS, where="toy").text
        group["differs"] = ["sw"]
    write_groups(path, groups)
    make(marked, tmp_path / "without", "sw", augment=1)
    for name in ("bitext/sw.jsonl", "english/train.spacy", "english/dev.spacy"):
        assert (tmp_path / "with" / name).read_bytes() == (tmp_path / "without" / name).read_bytes()


def test_gold_is_marked(tmp_path: Path, marked: Path):
    make(marked, tmp_path / "corpus", "sw")
    for path in (tmp_path / "corpus" / "gold").iterdir():
        assert len(read_docs(path)) == 8
        with pytest.raises(OpticalError, match="E207"):
            read_training_docs(path)


def test_a_sentence_of_test_in_train_is_left_out_and_told(tmp_path: Path, marked: Path):
    test = read_groups(marked / "parallel/test.jsonl", ["en", "sw"])[0]
    texts = {code: markup_of(test.sentences[code]) for code in ("en", "sw")}
    path = marked / "english/train.jsonl"
    row = json.dumps({"id": "x", "en": texts["en"]}, ensure_ascii=False)
    path.write_text(path.read_text(encoding="utf8") + row + "\n", encoding="utf8")
    path = marked / "parallel/train.jsonl"
    row = json.dumps({"id": "y", "en": "Quite other words.", "sw": texts["sw"], "differs": ["sw"]})
    path.write_text(path.read_text(encoding="utf8") + row + "\n", encoding="utf8")
    said: list[str] = []
    summary = make(marked, tmp_path / "corpus", "sw", say=said.append)
    assert summary.source["left_out"] == 1
    assert any("1 en sentences are in dev or test" in text for text in said)
    assert summary.languages["sw"].left_out == {"in_gold": 1}
    assert summary.languages["sw"].pairs == 32


def test_types_of_gold_are_compared_with_the_source(tmp_path: Path, marked: Path):
    path = marked / "parallel/test.jsonl"
    group = {"id": "x", "en": "[Pune](LOC).", "sw": "[Pune](PER)."}
    path.write_text(path.read_text(encoding="utf8") + json.dumps(group) + "\n", encoding="utf8")
    with pytest.raises(OpticalError, match=r"E211.*test\.jsonl, line 9: 'sw' has 1 PER"):
        make(marked, tmp_path / "corpus", "sw")
    assert not (tmp_path / "corpus").exists()


def test_unknown_language(tmp_path: Path, marked: Path):
    with pytest.raises(OpticalError, match=r"E208.*\.jsonl, line 1.*'de'"):
        make(marked, tmp_path / "corpus", "sw", "de")
    assert not (tmp_path / "corpus").exists()


def test_same_seed_same_corpus(tmp_path: Path, marked: Path):
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        make(marked, tmp_path / name, "sw", augment=1, seed=seed)
    for name in ("bitext/sw.jsonl", "english/train.spacy"):
        a, b, c = ((tmp_path / which / name).read_bytes() for which in "abc")
        assert a == b
        assert a != c


def test_unseen_test_names(tmp_path: Path):
    groups = toy_groups()[:3]
    rows = [
        {"en": "[Amina](PER) sat.", "sw": "[Amina](PER) aliketi."},
        {"en": "[Otto](PER) and [Amina](PER) ate.", "sw": "[Otto](PER) na [Amina](PER) walikula."},
        {"en": "[Otto](PER) met [amina](PER).", "sw": "[Otto](PER) na [amina](PER)."},
    ]
    for group, row, name in zip(groups, rows, ("train", "dev", "test"), strict=True):
        write_groups(tmp_path / "marked/parallel" / f"{name}.jsonl", [{**group, **row}])
    write_groups(
        tmp_path / "marked/english/train.jsonl", [{"id": "1", "en": "[Leila](PER) slept."}]
    )
    summary = make(tmp_path / "marked", tmp_path / "out", "sw")
    assert summary.unseen_names == 0.5
    assert summary.entities == {"PER": 2}


def test_altered_copies_that_judge_or_cannot_be_split_are_left_out(
    tmp_path: Path, marked: Path, monkeypatch: pytest.MonkeyPatch
):
    judged = read_groups(marked / "parallel/dev.jsonl", ["en"])[0].sentences["en"]
    fused = parse_markup("It is in [Å](LOC).", LABELS, where="toy")
    good = parse_markup("It is in [Oslo](LOC).", LABELS, where="toy")

    def altered(*args: object, **kwargs: object) -> list[MarkedText]:
        return [judged, fused, good]

    monkeypatch.setattr("spacy_optical.data.make_corpus.augment_english", altered)
    monkeypatch.setattr(
        "spacy_optical.data.make_corpus.augment_pairs",
        lambda *args, **kwargs: [(judged.text, "x"), ("New.", "Mpya.")],
    )
    summary = make(marked, tmp_path / "corpus", "sw", augment=1)
    assert summary.source["altered"] == 1
    assert (summary.languages["sw"].pairs, summary.languages["sw"].altered) == (33, 1)
    docs = read_training_docs(tmp_path / "corpus/english/train.spacy")
    assert docs[-1].text == "It is in Oslo."
