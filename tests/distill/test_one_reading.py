"""Plans of one reading by the teacher: sentences in several pairs, text without translations."""

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any
from weakref import WeakSet

import numpy as np
import pytest

from spacy_optical.align.transport import align_words
from spacy_optical.data.docs import NOT_LABELLED, read_docs, write_docs
from spacy_optical.distill import plan_writer, repeated_sources
from spacy_optical.distill.config import DistillConfig, load_config
from spacy_optical.distill.distillation import distill
from spacy_optical.distill.make_plans import make_plans
from spacy_optical.distill.plan_reader import read_plans
from spacy_optical.distill.plan_store import ArrayStore, dense, words_of
from spacy_optical.distill.sentences import plain_sentence
from spacy_optical.distill.tagger import load_tagger, read_sentences
from spacy_optical.distill.teacher import teach
from spacy_optical.errors import OpticalError
from spacy_optical.runtime.pieces import WordPieces

from ..conftest import Trained

TEXTS = ("Mvua ilinyesha.", "Amina Juma anaishi Pune.")


def config_of(trained: Trained, folder: Path, **overrides: Any) -> DistillConfig:
    """The toy config over a copy of the corpus, with plans still to be made."""
    shutil.copytree(trained.corpus, folder / "corpus", dirs_exist_ok=True)
    paths = {f"paths.{name}": str(folder / name) for name in ("corpus", "plans")}
    return load_config(trained.config_path, paths | overrides)


def with_text(config: DistillConfig) -> None:
    path = config.paths.corpus / "text" / "sw.jsonl"
    path.parent.mkdir()
    rows = [json.dumps({"id": str(i), "sw": text}) for i, text in enumerate(TEXTS)]
    path.write_text("\n".join(rows) + "\n", encoding="utf8")


def content_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.safetensors")}


def test_the_teachers_own_vectors_are_aligned(
    tmp_path: Path, trained: Trained, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delattr(plan_writer, "WordEncoder")  # it is not read
    config = config_of(trained, tmp_path, **{"plans.vectors": "teacher", "plans.layer": 2})
    make_plans(config, trained.teacher)
    of_language = read_plans(config, trained.teacher)[1]["sw"]
    words = tuple(words_of(of_language[3][f"{side}-words"]) for side in ("source", "target"))
    pieces = WordPieces((trained.teacher / "tokenizer.json").read_bytes())
    tagger = load_tagger(trained.teacher)
    sides = [plain_sentence(side, pieces) for side in words]
    vectors = [read.middle for read in read_sentences(tagger, sides, pieces, layer=2)]
    plan = align_words(vectors[0], vectors[1], *words, config.plans.align)
    cells = of_language[3]["plan"]
    shape = (len(words[0]), len(words[1]))
    np.testing.assert_allclose(dense(cells, shape), plan.matrix, atol=0.001)
    deep = config_of(trained, tmp_path, **{"plans.vectors": "teacher", "plans.layer": 9})
    with pytest.raises(OpticalError, match=r"E406.*no layer 9"):
        make_plans(deep, trained.teacher)


def test_an_english_sentence_of_several_languages_is_read_once(
    tmp_path: Path, trained: Trained, monkeypatch: pytest.MonkeyPatch
):
    calls: Counter[tuple[str, ...]] = Counter()

    def counted(tagger, sentences, *args, **kwargs):
        calls.update(sentence.words for sentence in sentences)
        return read_sentences(tagger, sentences, *args, **kwargs)

    monkeypatch.setattr(plan_writer, "read_sentences", counted)
    config = config_of(trained, tmp_path)
    make_plans(config, trained.teacher)
    plans = read_plans(config, trained.teacher)[1]
    sources = set(plans["fi"].words("source-words"))
    assert sources == set(plans["sw"].words("source-words"))
    assert {calls[words] for words in sources} == {1}
    assert not list(config.paths.plans.glob("repeated-*"))


def test_repeated_sentences_are_closed_before_they_are_deleted(
    tmp_path: Path, trained: Trained, monkeypatch: pytest.MonkeyPatch
):
    """Windows deletes no file that is mapped."""
    mapped: WeakSet[ArrayStore] = WeakSet()
    seen: list[str] = []
    unlink = Path.unlink

    def opened(*args: Any) -> ArrayStore:
        store = ArrayStore(*args)
        mapped.add(store)
        seen.append("opened")
        return store

    def deleted(path: Path, missing_ok: bool = False) -> None:
        if path.name.startswith("repeated-0"):
            seen.append(f"deleted with {len(mapped)} mapped")
        unlink(path, missing_ok)

    monkeypatch.setattr(repeated_sources, "ArrayStore", opened)
    monkeypatch.setattr(Path, "unlink", deleted)
    make_plans(config_of(trained, tmp_path), trained.teacher)
    assert seen == ["opened", "deleted with 0 mapped"]


def test_reading_of_repeated_sentences_is_continued_to_the_same_bytes(
    tmp_path: Path, trained: Trained, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(repeated_sources, "CHUNK", 7)
    config = config_of(trained, tmp_path)
    make_plans(config, trained.teacher)
    whole = content_of(config.paths.plans)
    shutil.rmtree(config.paths.plans)

    def stop(text: str) -> None:
        if text.startswith("14 of 32 en sentences"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_plans(config, trained.teacher, say=stop)
    (tmp_path / "plans-partial" / ".repeated-00002.safetensors.x").write_bytes(b"half a chunk")
    said: list[str] = []
    make_plans(config, trained.teacher, say=said.append)
    assert [text.split()[0] for text in said if "several pairs" in text] == ["21", "28", "32"]
    assert content_of(config.paths.plans) == whole


def test_text_gets_the_teachers_outputs_and_no_plan(tmp_path: Path, trained: Trained):
    config = config_of(trained, tmp_path)
    with_text(config)
    with pytest.raises(OpticalError, match="E002"):
        read_plans(config, trained.teacher)
    said: list[str] = []
    row = make_plans(config, trained.teacher, say=said.append)["languages"]["sw"]
    assert (row["pairs"], row["texts"], row["left_out"]) == (34, 2, 0)
    assert any(line.startswith("sw: 32 pairs") and "2 texts" in line for line in said)
    before = json.loads((trained.config.paths.plans / "plans.json").read_text())["languages"]["sw"]
    assert row["mass_moved"] == pytest.approx(before["mass_moved"], abs=0.001)
    of_language = read_plans(config, trained.teacher)[1]["sw"]
    arrays = of_language[33]
    words = words_of(arrays["target-words"])
    assert words == ("Amina", "Juma", "anaishi", "Pune", ".")
    assert words_of(arrays["source-words"]) == ()
    assert {name: len(array) for name, array in arrays.items() if "words" not in name} == {
        "logits": 5, "last": 5, "source": 0, "plan": 0, "projected": 5, "trust": 5, "weight": 1
    }  # fmt: skip
    assert not arrays["trust"].any()
    assert not arrays["weight"].any()
    pieces = WordPieces((trained.teacher / "tokenizer.json").read_bytes())
    sentence = plain_sentence(words, pieces)
    (read,) = read_sentences(load_tagger(trained.teacher), [sentence], pieces)
    np.testing.assert_allclose(arrays["logits"], read.logits, atol=0.01)
    np.testing.assert_allclose(arrays["last"], read.last, atol=0.01)


def test_other_text_needs_new_plans(tmp_path: Path, trained: Trained):
    config = config_of(trained, tmp_path)
    shutil.copytree(trained.config.paths.plans, config.paths.plans)
    read_plans(config, trained.teacher)
    with_text(config)
    with pytest.raises(OpticalError, match="E410"):
        read_plans(config, trained.teacher)


def test_unlike_pairs_train_as_text(tmp_path: Path, trained: Trained):
    unlike = {"plans.align.skip_below": 0.9, "plans.align.full_weight_above": 0.95}
    config = config_of(trained, tmp_path, **{"plans.keep_unlike": True}, **unlike)
    row = make_plans(config, trained.teacher)["languages"]["sw"]
    assert (row["pairs"], row["unlike"]) == (32, 0)
    assert row["texts"] > 0


def test_the_release_recipe_from_end_to_end(tmp_path: Path, trained: Trained):
    """Partly labelled English, the teacher's own vectors, text and unlike pairs in one run."""
    recipe = {
        "teacher.epochs": 1,
        "teacher.select": "last",
        "plans.vectors": "teacher",
        "plans.keep_unlike": True,
        "plans.projection": "spans",
        "student.pool_after": 1,
        "objective.hard": 0.5,
        "objective.kd_discount": 1.0,
        "training.epochs": 1,
        "training.english": 0.25,
        "training.select": "last",
    }
    config = config_of(trained, tmp_path, **recipe)
    with_text(config)
    path = config.paths.corpus / "english" / "train.spacy"
    docs = read_docs(path)
    for doc in docs[::2]:
        doc.set_ents([e for e in doc.ents if e.label_ != "DATE"], default="missing")
        doc.user_data[NOT_LABELLED] = ["DATE"]
    write_docs(docs, path)
    teach(config, tmp_path / "teacher")
    make_plans(config, tmp_path / "teacher")
    metrics = distill(config, tmp_path / "teacher", tmp_path / "student")
    (row,) = metrics["epochs"]
    assert all(np.isfinite(value) for value in row.values())
    assert {"hard", "soft", "target_kd", "repr", "labels", "hidden"} <= set(row)
    assert set(load_tagger(tmp_path / "student").labels) == {"DATE", "LOC", "ORG", "PER"}
