import json
from pathlib import Path

import pytest

from spacy_optical.data import corpus
from spacy_optical.data.corpus import make_corpus
from spacy_optical.data.docs import read_docs, read_training_docs
from spacy_optical.data.markup import MarkedText, parse_markup
from spacy_optical.data.parallel import LABELS, read_groups
from spacy_optical.errors import OpticalError

from ..toy_project import toy_groups, toy_marked_corpus, write_groups
from ..util import markup_of


@pytest.fixture
def marked(tmp_path: Path) -> tuple[Path, Path]:
    return toy_marked_corpus(tmp_path / "marked")


def test_what_is_written(tmp_path: Path, marked: tuple[Path, Path]):
    summary = make_corpus(*marked, tmp_path / "corpus", ["sw", "fi"])
    files = {str(p.relative_to(tmp_path / "corpus")) for p in (tmp_path / "corpus").rglob("*.*")}
    gold = {f"gold/{lang}-{part}.spacy" for lang in ("en", "sw", "fi") for part in ("dev", "test")}
    assert files == gold | {
        "corpus.json",
        "bitext/sw.jsonl",
        "bitext/fi.jsonl",
        "english/train.spacy",
        "english/dev.spacy",
    }
    assert summary.groups == {"train": 32, "dev": 8, "test": 8}
    assert summary.pairs == {"sw": 32, "fi": 32}
    assert len(read_training_docs(tmp_path / "corpus/english/train.spacy")) == 64
    assert json.loads((tmp_path / "corpus/corpus.json").read_text())["languages"] == ["sw", "fi"]


def test_bitext_holds_plain_text_and_nothing_else(tmp_path: Path, marked: tuple[Path, Path]):
    make_corpus(*marked, tmp_path / "corpus", ["sw"], augment=2, seed=1)
    for line in (tmp_path / "corpus/bitext/sw.jsonl").read_text(encoding="utf8").splitlines():
        record = json.loads(line)
        assert set(record) == {"id", "en", "sw"}
        for text in (record["en"], record["sw"]):
            assert not set("[]") & set(text)
            assert not any(f"({label})" in text for label in LABELS)


def test_target_markup_leaves_no_trace_in_training(tmp_path: Path, marked: tuple[Path, Path]):
    """The files that train are the same whether the target side of train is marked or not."""
    make_corpus(*marked, tmp_path / "with", ["sw"], augment=1)
    path = marked[0] / "train.jsonl"
    groups = [json.loads(line) for line in path.read_text(encoding="utf8").splitlines()]
    for group in groups:
        group["sw"] = parse_markup(group["sw"], LABELS, where="toy").text
        group["differs"] = ["sw"]
    write_groups(path, groups)
    make_corpus(*marked, tmp_path / "without", ["sw"], augment=1)
    for name in ("bitext/sw.jsonl", "english/train.spacy", "english/dev.spacy"):
        assert (tmp_path / "with" / name).read_bytes() == (tmp_path / "without" / name).read_bytes()


def test_gold_is_marked(tmp_path: Path, marked: tuple[Path, Path]):
    make_corpus(*marked, tmp_path / "corpus", ["sw"])
    for path in (tmp_path / "corpus" / "gold").iterdir():
        assert len(read_docs(path)) == 8
        with pytest.raises(OpticalError, match="E207"):
            read_training_docs(path)


def test_sentence_of_test_in_train(tmp_path: Path, marked: tuple[Path, Path]):
    parallel, english = marked
    test = read_groups(parallel / "test.jsonl", ["en"])
    write_groups(english / "train.jsonl", [{"id": "x", "en": markup_of(test[0].sentences["en"])}])
    with pytest.raises(OpticalError, match=r"E209.*test\.jsonl, line 1.*english"):
        make_corpus(parallel, english, tmp_path / "corpus", ["sw"])
    assert not (tmp_path / "corpus").exists()


def test_unknown_language(tmp_path: Path, marked: tuple[Path, Path]):
    with pytest.raises(OpticalError, match=r"E208.*train\.jsonl, line 1.*'de'"):
        make_corpus(*marked, tmp_path / "corpus", ["sw", "de"])
    assert not (tmp_path / "corpus").exists()


def test_same_seed_same_corpus(tmp_path: Path, marked: tuple[Path, Path]):
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        make_corpus(*marked, tmp_path / name, ["sw"], augment=1, seed=seed)
    for name in ("bitext/sw.jsonl", "english/train.spacy"):
        a, b, c = ((tmp_path / which / name).read_bytes() for which in "abc")
        assert a == b
        assert a != c


def test_unseen_test_names(tmp_path: Path):
    groups = toy_groups()[:3]
    rows = [
        {"en": "[Amina](PER) sat.", "sw": "[Amina](PER) aliketi."},
        {"en": "[Otto](PER) and [Amina](PER) ate.", "sw": "[Otto](PER) na [Amina](PER) walikula."},
        {"en": "[Leila](PER) met [amina](PER).", "sw": "[Leila](PER) na [amina](PER)."},
    ]
    for group, row, name in zip(groups, rows, ("train", "dev", "test"), strict=True):
        write_groups(tmp_path / "parallel" / f"{name}.jsonl", [{**group, **row}])
    write_groups(tmp_path / "english" / "train.jsonl", [{"id": "1", "en": "Plain."}])
    summary = make_corpus(tmp_path / "parallel", tmp_path / "english", tmp_path / "out", ["sw"])
    assert summary.test_names_unseen_in_train == 0.5
    assert summary.entities == {"PER": 5}


def test_altered_copies_that_judge_or_cannot_be_split_are_left_out(
    tmp_path: Path, marked: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
):
    judged = read_groups(marked[0] / "dev.jsonl", ["en"])[0].sentences["en"]
    fused = parse_markup("It is in [Å](LOC).", LABELS, where="toy")
    good = parse_markup("It is in [Oslo](LOC).", LABELS, where="toy")

    def altered(*args: object, **kwargs: object) -> list[MarkedText]:
        return [judged, fused, good]

    monkeypatch.setattr(corpus, "augment_english", altered)
    monkeypatch.setattr(
        corpus, "augment_pairs", lambda *args, **kwargs: [(judged.text, "x"), ("New.", "Mpya.")]
    )
    summary = make_corpus(*marked, tmp_path / "corpus", ["sw"], augment=1)
    assert summary.augmented_english == 1
    assert summary.pairs == {"sw": 33}
    docs = read_training_docs(tmp_path / "corpus/english/train.spacy")
    assert docs[-1].text == "It is in Oslo."
