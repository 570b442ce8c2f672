import json
from pathlib import Path

import pytest

from spacy_optical.data.docs import labels_not_labelled, read_docs, read_training_docs
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
    counts = {"train": 64, "altered": 0, "dev": 8, "test": 8, "left_out": 0}
    assert summary.source == counts
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


def sampled(marked: Path, lines: str) -> Path:
    """A config of the toy corpus with more lines in [sources.english] and for Swahili."""
    path = marked / "data.cfg"
    source, language = lines.split("---\n")
    text = toy_data(marked, ("sw",)).replace("[sources.english]\n", f"[sources.english]\n{source}")
    path.write_text(f"{text}\n{language}", encoding="utf8")
    return path


def test_words_of_partly_labelled_sources_are_missing_in_train_and_outside_in_gold(
    tmp_path: Path, marked: Path
):
    path = marked / "english/train.jsonl"
    lines = path.read_text(encoding="utf8").splitlines()
    undated = [line for line in lines if "(DATE)" not in line]
    path.write_text("\n".join(undated) + "\n", encoding="utf8")
    config = sampled(marked, 'not_labelled = ["DATE"]\n---\n')
    text = config.read_text(encoding="utf8")
    config.write_text(text.replace("[languages.sw]\n", '[languages.sw]\nnot_labelled = ["DATE"]\n'))
    for name in ("dev", "test"):
        gold = marked / f"parallel/{name}.jsonl"
        groups = [json.loads(line) for line in gold.read_text(encoding="utf8").splitlines()]
        write_groups(gold, [group for group in groups if "(DATE)" not in group["sw"]])
    make_corpus(load_data_config(config, {"corpus.augment": 1}), marked, tmp_path / "corpus")
    docs = read_training_docs(tmp_path / "corpus/english/train.spacy")
    partly = [doc for doc in docs if labels_not_labelled(doc)]
    assert len(partly) == len(undated)
    assert {t.ent_iob for doc in partly for t in doc if not t.ent_type_} == {0}
    assert {t.ent_iob for doc in docs if doc not in partly for t in doc if not t.ent_type_} == {2}
    gold = read_docs(tmp_path / "corpus/gold/sw-test.spacy")
    assert {labels_not_labelled(doc) for doc in gold} == {("DATE",)}
    assert 0 not in {token.ent_iob for doc in gold for token in doc}


def test_a_source_cannot_label_what_it_is_said_not_to(tmp_path: Path, marked: Path):
    config = sampled(marked, 'not_labelled = ["DATE"]\n---\n')
    with pytest.raises(OpticalError, match=r"E235.*train\.jsonl.*DATE"):
        make_corpus(load_data_config(config), marked, tmp_path / "corpus")
    with pytest.raises(OpticalError, match="'english': not_labelled has 'TIME'"):
        load_data_config(sampled(marked, 'not_labelled = ["TIME"]\n---\n'))


def test_gold_without_bitext_is_told(tmp_path: Path, marked: Path):
    """As where the code of the bitext is mistyped."""
    path = sampled(marked, '---\nkeys = ["en", "sw"]\n')
    text = path.read_text(encoding="utf8").replace("[languages.sw.bitext", "[languages.swh.bitext")
    path.write_text(text, encoding="utf8")
    said: list[str] = []
    summary = make_corpus(load_data_config(path), marked, tmp_path / "corpus", say=said.append)
    assert {code: part.pairs for code, part in summary.languages.items()} == {"sw": 0, "swh": 32}
    assert "sw: it has no bitext, so it is only evaluated" in said


def test_sentences_of_a_source_are_drawn(tmp_path: Path, marked: Path):
    config = load_data_config(sampled(marked, "max_sentences = 10\nempty_share = 0.0\n---\n"))
    said: list[str] = []
    summary = make_corpus(config, marked, tmp_path / "a", say=said.append)
    assert summary.source["train"] == 32 + 10
    assert any("22 en sentences were not drawn" in text for text in said)
    docs = read_training_docs(tmp_path / "a/english/train.spacy")[32:]
    assert all(doc.ents for doc in docs)
    make_corpus(config, marked, tmp_path / "b")
    same = [(tmp_path / name / "english/train.spacy").read_bytes() for name in ("a", "b")]
    assert same[0] == same[1]


def test_text_without_translation_is_beside_the_bitext(tmp_path: Path, marked: Path):
    gold = read_groups(marked / "parallel/test.jsonl", ["sw"])[0].sentences["sw"].text
    pair = read_groups(marked / "parallel/train.jsonl", ["sw"])[0].sentences["sw"].text
    text = tmp_path / "news.txt"
    text.write_text("\n".join([gold, pair, "Mvua ilinyesha.", "Tulifika jana."]), encoding="utf8")
    section = f'[languages.sw.text.news]\nfiles = ["{text}"]\nlicence = "CC0"\n'
    config = load_data_config(sampled(marked, f"---\n{section}"))
    summary = make_corpus(config, marked, tmp_path / "corpus")
    rows = (tmp_path / "corpus/text/sw.jsonl").read_text(encoding="utf8").splitlines()
    assert [json.loads(row)["sw"] for row in rows] == ["Mvua ilinyesha.", "Tulifika jana."]
    assert all(set(json.loads(row)) == {"id", "sw"} for row in rows)
    assert (summary.languages["sw"].texts, summary.languages["sw"].pairs) == (2, 32)
    assert summary.languages["sw"].left_out == {"in_gold": 1}
    record = json.loads((tmp_path / "corpus/corpus.json").read_text())
    assert record["licences"]["sw news"] == "CC0"


def test_a_set_has_a_limit_of_its_own(tmp_path: Path, marked: Path):
    path = sampled(marked, "---\n")
    config = load_data_config(path, {"languages.sw.bitext.parallel.max_pairs": 12})
    summary = make_corpus(config, marked, tmp_path / "corpus")
    assert summary.languages["sw"].pairs == 12
    assert summary.languages["sw"].left_out == {"not_drawn": 20}
