import json
import shutil
import tracemalloc
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from spacy.tokens import Doc, DocBin

from spacy_optical import files
from spacy_optical.align.transport import align_words
from spacy_optical.data.docs import read_docs
from spacy_optical.distill import make_plans as make_plans_module
from spacy_optical.distill import plan_writer
from spacy_optical.distill.config import DistillConfig, load_config
from spacy_optical.distill.make_plans import _write_alone, make_plans
from spacy_optical.distill.plan_reader import english_sentences, plans_belong, read_plans
from spacy_optical.distill.plan_store import chunk_path, dense, words_of, write_chunk
from spacy_optical.distill.plan_writer import read_pairs
from spacy_optical.distill.provenance import provenance
from spacy_optical.distill.sentences import plain_sentence
from spacy_optical.distill.tagger import load_tagger, read_sentences
from spacy_optical.distill.training_batches import StudentTask
from spacy_optical.encoders.word_vectors import WordEncoder
from spacy_optical.errors import OpticalError
from spacy_optical.projection.distributions import project_to_target, source_distributions
from spacy_optical.runtime.decode import bio_tags
from spacy_optical.runtime.pieces import WordPieces

from ..conftest import Trained

SIDES = ("source", "target")


def config_of(trained: Trained, **overrides: Any) -> DistillConfig:
    return load_config(trained.config_path, overrides)


@pytest.fixture
def pieces(trained: Trained) -> WordPieces:
    return WordPieces((trained.teacher / "tokenizer.json").read_bytes())


def with_corpus(trained: Trained, tmp_path: Path, **overrides: Any) -> DistillConfig:
    """A config over copies of corpus and plans that a test may change."""
    for name in ("corpus", "plans"):
        shutil.copytree(trained.config_path.parent / name, tmp_path / name, dirs_exist_ok=True)
    paths = {f"paths.{name}": str(tmp_path / name) for name in ("corpus", "plans")}
    return config_of(trained, **(paths | overrides))


def test_what_is_kept(trained: Trained, pieces: WordPieces):
    """The arrays on disk are the teacher's scores and vectors, and the plans of the encoder's."""
    tagger = load_tagger(trained.teacher)
    english, plans = read_plans(trained.config, trained.teacher)
    assert list(plans) == ["sw", "fi"]
    of_language = plans["fi"]
    assert len(of_language) == 32
    arrays = of_language[3]
    source_words, target_words = (words_of(arrays[f"{side}-words"]) for side in SIDES)
    (source,) = read_sentences(
        tagger,
        [plain_sentence(source_words, pieces)],
        pieces,
        layer=trained.config.student.middle[1],
    )
    (target,) = read_sentences(tagger, [plain_sentence(target_words, pieces)], pieces)
    np.testing.assert_allclose(arrays["logits"], target.logits, atol=0.01)
    np.testing.assert_allclose(arrays["last"], target.last, atol=0.01)
    np.testing.assert_allclose(arrays["source"], source.middle, atol=0.01)
    encoder = WordEncoder(trained.config.paths.encoder, trained.config.plans.layer)
    vectors = encoder.vectors([source_words, target_words])
    align = trained.config.plans.align
    plan = align_words(vectors[0], vectors[1], source_words, target_words, align)
    shape = (len(source_words), len(target_words))
    np.testing.assert_allclose(dense(arrays["plan"], shape), plan.matrix, atol=0.001)
    assert ((arrays["trust"] >= 0) & (arrays["trust"] <= 1)).all()
    np.testing.assert_allclose(arrays["projected"].sum(axis=1), 1.0, atol=0.01)
    assert len(english.sentences) == len(english.store) == 64
    assert all(sentence.tags is not None for sentence in english.sentences)


@pytest.mark.parametrize(
    "overrides",
    [
        {"plans.layer": 2},
        {"plans.gold": 0.5},
        {"plans.align.solver": "exact"},
        {"plans.align.full_weight_above": 0.9},
        {"student.layers": [1, 2]},  # another middle layer
        {"training.max_pieces": 48},  # it decides which pairs there are
        {"general.seed": 4},
    ],
)
def test_plans_of_another_config(trained: Trained, overrides: dict[str, Any]):
    with pytest.raises(OpticalError, match=r"E410.*plans was made from other data"):
        read_plans(config_of(trained, **overrides), trained.teacher)


@pytest.mark.parametrize(
    "overrides",
    [
        {"objective.labels": 0.0, "training.epochs": 9, "teacher.epochs": 9},
        {"student.layers": [0, 1], "student.width": 16, "student.vocabulary": 100},
    ],
)
def test_objectives_and_sizes_need_no_new_plans(trained: Trained, overrides: dict[str, Any]):
    read_plans(config_of(trained, **overrides), trained.teacher)


@pytest.mark.parametrize("what", ["bitext", "english", "teacher", "encoder"])
def test_plans_of_other_data(tmp_path: Path, trained: Trained, what: str):
    overrides, teacher = {}, trained.teacher
    if what in ("teacher", "encoder"):
        folder = tmp_path / what
        shutil.copytree(trained.config_path.parent / what, folder)
        content = bytearray((folder / "model.safetensors").read_bytes())
        content[-2] ^= 1
        (folder / "model.safetensors").write_bytes(content)
        if what == "teacher":
            teacher = folder
        else:
            overrides = {"paths.encoder": str(folder)}
    config = with_corpus(trained, tmp_path, **overrides)
    if what == "bitext":
        path = config.paths.corpus / "bitext" / "fi.jsonl"
        path.write_text(path.read_text(encoding="utf8").replace("asuu", "asui"), encoding="utf8")
    if what == "english":
        path = config.paths.corpus / "english" / "train.spacy"
        DocBin(store_user_data=True, docs=read_docs(path)[:-1]).to_disk(path)
    with pytest.raises(OpticalError, match="E410"):
        read_plans(config, teacher)


def test_files_of_one_name(tmp_path: Path, trained: Trained):
    """The weights of the teacher count if the encoder's folder has the same name."""
    paths = [tmp_path / name / "model" / "model.safetensors" for name in ("encoder", "teacher")]
    for path, text in zip(paths, ("encoder", "teacher"), strict=True):
        path.parent.mkdir(parents=True)
        path.write_text(text)
    one, both, twice = (
        provenance(trained.config, "plans", chosen)["fingerprint"]
        for chosen in (paths[:1], paths, paths[:1] * 2)
    )
    assert one == twice != both
    paths[0].write_text("other")
    assert provenance(trained.config, "plans", paths)["fingerprint"] != both
    paths[0].write_text("encoder")
    paths[1].write_text("other")
    assert provenance(trained.config, "plans", paths)["fingerprint"] != both


@pytest.mark.parametrize(("what", "code"), [("english", "E002"), ("teacher", "E414")])
def test_missing_data_and_models(tmp_path: Path, trained: Trained, what: str, code: str):
    config, teacher = with_corpus(trained, tmp_path), trained.teacher
    if what == "english":
        (config.paths.corpus / "english" / "train.spacy").unlink()
    else:
        teacher = tmp_path / "none"
    with pytest.raises(OpticalError, match=code):
        read_plans(config, teacher)
    assert not plans_belong(config, teacher)


def test_folder_that_cannot_be_written(tmp_path: Path, trained: Trained):
    (tmp_path / "file").touch()
    config = config_of(trained, **{"paths.plans": str(tmp_path / "file" / "plans")})
    with pytest.raises(OpticalError, match=r"E003.*plans-partial"):
        make_plans(config, trained.teacher)


@pytest.mark.parametrize("content", ["", "{}", "[]", "{"])
def test_damaged_record(tmp_path: Path, trained: Trained, content: str):
    config = with_corpus(trained, tmp_path)
    (config.paths.plans / "plans.json").write_text(content)
    with pytest.raises(OpticalError, match=r"E205.*plans\.json"):
        read_plans(config, trained.teacher)


def test_a_missing_chunk(tmp_path: Path, trained: Trained, monkeypatch: pytest.MonkeyPatch):
    config = in_chunks(trained, tmp_path, monkeypatch)
    make_plans(config, trained.teacher)
    chunk_path(config.paths.plans, "fi", 3).unlink()
    with pytest.raises(OpticalError, match=r"E205.*fi has 21 sentences instead of 32"):
        read_plans(config, trained.teacher)


def test_no_plans(tmp_path: Path, trained: Trained):
    config = config_of(trained, **{"paths.plans": str(tmp_path / "none")})
    with pytest.raises(OpticalError, match=r"E002\] No such plans"):
        read_plans(config, trained.teacher)


def test_language_without_bitext(tmp_path: Path, trained: Trained):
    config = config_of(
        trained, **{"data.languages": ["sw", "xyz"], "paths.plans": str(tmp_path / "plans")}
    )
    with pytest.raises(OpticalError, match=r"E409\] No bitext for language 'xyz'"):
        make_plans(config, trained.teacher)
    assert list(tmp_path.iterdir()) == []


def test_languages_without_a_tokenizer_are_refused_first(tmp_path: Path, trained: Trained):
    config = config_of(trained, **{"data.languages": ["sw", "km"]})
    with pytest.raises(OpticalError, match="E251"):
        make_plans(config, tmp_path / "no-teacher")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('{"id": "1", "en": "", "sw": "Habari."}', "E208"),
        ('{"id": "1", "en": "Hi.", "sw": " "}', "E208"),
        ('{"id": "1", "en": "Hi."}', "E220"),
        ("{", "E220"),
    ],
)
def test_broken_bitext(tmp_path: Path, trained: Trained, line: str, code: str):
    config = with_corpus(trained, tmp_path)
    shutil.rmtree(tmp_path / "plans")
    path = config.paths.corpus / "bitext" / "sw.jsonl"
    lines = path.read_text(encoding="utf8").splitlines()
    path.write_text("\n".join([*lines, line]) + "\n", encoding="utf8")
    with pytest.raises(OpticalError, match=rf"{code}.*sw\.jsonl, line {len(lines) + 1}"):
        make_plans(config, trained.teacher)
    assert not (tmp_path / "plans").exists()


def test_long_pairs_are_left_out_and_counted(tmp_path: Path, trained: Trained, pieces: WordPieces):
    config = with_corpus(trained, tmp_path)
    path = config.paths.corpus / "bitext" / "sw.jsonl"
    row = {"id": "long", "en": "Hi.", "sw": "barabara " * 40}
    path.write_text(path.read_text(encoding="utf8") + json.dumps(row), encoding="utf8")
    pairs = list(read_pairs(config, "sw", pieces))
    assert [pair is None for pair in pairs] == [False] * 32 + [True]
    shutil.rmtree(tmp_path / "plans")
    row = make_plans(config, trained.teacher)["languages"]["sw"]
    assert (row["pairs"], row["left_out"]) == (32, 1)


def content_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.safetensors")}


def stopped_at(line: str):
    def say(text: str) -> None:
        if text == line:
            raise KeyboardInterrupt

    return say


def in_chunks(trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DistillConfig:
    """A config for plans that are made seven pairs at a time."""
    monkeypatch.setattr(plan_writer, "CHUNK", 7)
    return config_of(trained, **{"paths.plans": str(tmp_path / "plans")})


def content_of_whole_run(config: DistillConfig, trained: Trained) -> dict:
    """Make plans without an interruption, read their files, and remove them."""
    make_plans(config, trained.teacher)
    whole = content_of(config.paths.plans)
    shutil.rmtree(config.paths.plans)
    return whole


def test_continued_run_equals_uninterrupted(
    tmp_path: Path, trained: Trained, monkeypatch: pytest.MonkeyPatch
):
    """To the byte, though the first run was stopped twice, once within a write."""
    config = in_chunks(trained, tmp_path, monkeypatch)
    whole = content_of_whole_run(config, trained)
    for line in ("sw: 14 pairs read", "fi: 7 pairs read"):
        with pytest.raises(KeyboardInterrupt):
            make_plans(config, trained.teacher, say=stopped_at(line))
        assert not (tmp_path / "plans").exists()
        number = len(list((tmp_path / "plans-partial").glob(f"{line[:2]}-*.safetensors")))
        chunk_path(tmp_path / "plans-partial", line[:2], number).write_bytes(b"half a chunk")
    said: list[str] = []
    record = make_plans(config, trained.teacher, say=said.append)
    assert "fi: continuing after 7 pairs" in said
    assert content_of(tmp_path / "plans") == whole
    assert [row["pairs"] for row in record["languages"].values()] == [32, 32]
    assert [path.name for path in tmp_path.iterdir()] == ["plans"]
    assert {path.name for path in (tmp_path / "plans").iterdir()} == {*whole, "plans.json"}
    read_plans(config, trained.teacher)


def test_killed_while_writing(tmp_path: Path, trained: Trained, monkeypatch: pytest.MonkeyPatch):
    config = in_chunks(trained, tmp_path, monkeypatch)
    whole = content_of_whole_run(config, trained)

    def killed(path: Path, sentences: list[dict[str, np.ndarray]]) -> None:
        write_chunk(path, sentences)
        if path.name == "sw-00002.safetensors":  # the journal does not have it yet
            raise KeyboardInterrupt

    monkeypatch.setattr(plan_writer, "write_chunk", killed)
    with pytest.raises(KeyboardInterrupt):
        make_plans(config, trained.teacher)
    monkeypatch.setattr(plan_writer, "write_chunk", write_chunk)
    make_plans(config, trained.teacher)
    assert content_of(tmp_path / "plans") == whole


def test_folder_that_cannot_take_its_place(
    tmp_path: Path, trained: Trained, monkeypatch: pytest.MonkeyPatch
):
    config = in_chunks(trained, tmp_path, monkeypatch)
    whole = content_of_whole_run(config, trained)

    def refused(new: Path, path: Path) -> None:
        raise PermissionError("not now")

    with monkeypatch.context() as patch:
        patch.setattr(files, "_take_place", refused)
        with pytest.raises(OpticalError, match="not now"):
            make_plans(config, trained.teacher)
    said: list[str] = []
    make_plans(config, trained.teacher, say=said.append)
    assert not any("pairs read" in line for line in said)
    assert content_of(tmp_path / "plans") == whole
    assert {path.name for path in (tmp_path / "plans").iterdir()} == {*whole, "plans.json"}


def test_begun_with_another_config(
    tmp_path: Path, trained: Trained, monkeypatch: pytest.MonkeyPatch
):
    config = in_chunks(trained, tmp_path, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        make_plans(config, trained.teacher, say=stopped_at("sw: 14 pairs read"))
    other = config_of(trained, **{"paths.plans": str(tmp_path / "plans"), "plans.layer": 2})
    said: list[str] = []
    make_plans(other, trained.teacher, say=said.append)
    assert "starting over" in said[0]
    assert not any("continuing" in line for line in said)
    read_plans(other, trained.teacher)


def test_damaged_journal(tmp_path: Path, trained: Trained, monkeypatch: pytest.MonkeyPatch):
    config = in_chunks(trained, tmp_path, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        make_plans(config, trained.teacher, say=stopped_at("sw: 14 pairs read"))
    (tmp_path / "plans-partial" / "sw-journal.json").write_text("{")
    with pytest.raises(OpticalError, match=r"E205.*sw-journal\.json"):
        make_plans(config, trained.teacher)


def test_memory_does_not_grow_with_the_bitext(
    tmp_path: Path, trained: Trained, monkeypatch: pytest.MonkeyPatch
):
    """Neither when the plans are made nor when a student opens them; held are lengths alone."""
    monkeypatch.setattr(plan_writer, "CHUNK", 16)
    config = with_corpus(trained, tmp_path)
    student = WordPieces((trained.student / "tokenizer.json").read_bytes())
    path = config.paths.corpus / "bitext" / "sw.jsonl"
    lines = path.read_text(encoding="utf8")
    made, read, sizes = [], [], []
    for times in (2, 42):
        path.write_text(lines * times, encoding="utf8")
        tracemalloc.start()
        make_plans(config, trained.teacher)
        made.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        tracemalloc.start()
        task = StudentTask(config, *read_plans(config, trained.teacher), student)
        read.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert len(task.rows) == 32 * times + 32
        sizes.append(sum(path.stat().st_size for path in config.paths.plans.glob("sw-*")))
    grown = sizes[1] - sizes[0]
    assert grown > 1_000_000
    assert made[1] - made[0] < grown / 5
    assert read[1] - read[0] < grown / 5


def test_foreign_partial_folder(tmp_path: Path, trained: Trained):
    (tmp_path / "plans-partial").mkdir()
    (tmp_path / "plans-partial" / "notes.txt").write_text("mine")
    config = config_of(trained, **{"paths.plans": str(tmp_path / "plans")})
    with pytest.raises(OpticalError, match=r"E004.*plans-partial"):
        make_plans(config, trained.teacher)
    assert (tmp_path / "plans-partial" / "notes.txt").read_text() == "mine"


def test_two_processes_write_what_one_does(tmp_path: Path, trained: Trained):
    config = config_of(trained, **{"paths.plans": str(tmp_path / "plans")})
    record = make_plans(config, trained.teacher, processes=2)
    assert content_of(tmp_path / "plans") == content_of(trained.config.paths.plans)
    assert list(record["languages"]) == ["sw", "fi"]


def test_a_process_loads_its_models_once(
    tmp_path: Path, trained: Trained, monkeypatch: pytest.MonkeyPatch
):
    config, loaded = config_of(trained), []
    monkeypatch.setattr(make_plans_module, "Readers", lambda *given: loaded.append(given))
    monkeypatch.setattr(make_plans_module, "read_repeated_sources", lambda folder: None)
    monkeypatch.setattr(make_plans_module, "write_language_plans", lambda language, *_: language)
    one = partial(_write_alone, config.model_dump_json(), trained.teacher, tmp_path, 1)
    assert list(map(one, ["sw", "fi"])) == ["sw", "fi"]
    assert loaded == [(config, trained.teacher)]


def test_error_in_a_process(tmp_path: Path, trained: Trained):
    config = with_corpus(trained, tmp_path)
    shutil.rmtree(tmp_path / "plans")
    path = config.paths.corpus / "bitext" / "fi.jsonl"
    path.write_text(path.read_text(encoding="utf8") + "{\n", encoding="utf8")
    with pytest.raises(OpticalError, match=r"E220.*fi\.jsonl, line 33"):
        make_plans(config, trained.teacher, processes=2)


@pytest.mark.parametrize(
    ("overrides", "code"),
    [
        ({"student.layers": [0, 4]}, r"E406.*no layer 4: it has 4"),
        ({"plans.layer": 9}, r"E406.*no layer 9"),
        ({"training.max_pieces": 128, "student.positions": 128}, r"E413.*128.*96 positions"),
        ({"training.max_pieces": 8}, r"E412.*English sentence fits a window of 8"),
    ],
)
def test_config_that_does_not_fit_the_teacher(
    tmp_path: Path, trained: Trained, overrides: dict[str, Any], code: str
):
    config = config_of(trained, **{"paths.plans": str(tmp_path / "plans")}, **overrides)
    with pytest.raises(OpticalError, match=code):
        make_plans(config, trained.teacher)
    assert list(tmp_path.iterdir()) == []


def test_label_that_the_teacher_lacks(tmp_path: Path, trained: Trained, pieces: WordPieces):
    with pytest.raises(OpticalError, match=r"E411.*'LOC' in .*train\.spacy.*labels are DATE, PER"):
        english_sentences(trained.config, pieces, bio_tags(["DATE", "PER"]))


def test_fewer_labels_than_the_teachers_keep_its_numbers(trained: Trained, pieces: WordPieces):
    tags = bio_tags(["AGE", "DATE", "LOC", "ORG", "PER"])
    for sentence in english_sentences(trained.config, pieces, tags):
        assert sentence.tags is not None
        assert not {1, 2} & set(sentence.tags)


def test_foreign_folder_in_the_way(tmp_path: Path, trained: Trained):
    (tmp_path / "notes.txt").write_text("mine")
    config = config_of(trained, **{"paths.plans": str(tmp_path)})
    with pytest.raises(OpticalError, match="E004"):
        make_plans(config, trained.teacher)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_each_sentence_is_cut_once(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The teacher and the encoder that aligns have one tokenizer."""
    calls: Counter[tuple[str, ...]] = Counter()
    cut = WordPieces.pieces

    def counted(self: WordPieces, words: Any) -> Any:
        calls[tuple(words)] += 1
        return cut(self, words)

    config = config_of(trained, **{"paths.plans": str(tmp_path / "plans"), "data.languages": "sw"})
    with monkeypatch.context() as patch:
        patch.setattr(WordPieces, "pieces", counted)
        make_plans(config, trained.teacher)
    targets = read_plans(config, trained.teacher)[1]["sw"].words("target-words")
    assert {calls[words] for words in targets} == {1}


def test_gold_share_by_hand():
    logits = np.log(np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25]], dtype=np.float32))
    np.testing.assert_allclose(
        source_distributions(logits, (1, 1), 0.8),
        [[0.1, 0.85, 0.05], [0.05, 0.9, 0.05]],
        atol=1e-6,
    )
    np.testing.assert_allclose(source_distributions(logits, None, 0.8)[0], [0.5, 0.25, 0.25])


@pytest.mark.parametrize("way", ["words", "spans"])
def test_labels_go_where_the_mass_goes(trained: Trained, way: str):
    """A plan that swaps two halves of a sentence carries an entity to its new place."""
    config = config_of(trained, **{"plans.projection": way})
    tags = bio_tags(["LOC", "PER"])
    probs = np.full((4, 5), 0.01)
    for word, tag in enumerate(("B-PER", "I-PER", "O", "O")):
        probs[word, tags.index(tag)] = 0.96
    vectors = np.eye(4, 8)
    swapped = vectors[[2, 3, 0, 1]]
    align = config.plans.align.model_copy(
        update={"centre": False, "punctuation": 0.0, "case": 0.0, "spelling": 0.0}
    )
    plan = align_words(vectors, swapped, ["aa"] * 4, ["aa"] * 4, align)
    projected, trust = project_to_target(plan, probs, ["aa"] * 4, tags, config.plans.align, way)
    found = [tags[i] for i in projected.argmax(axis=1)]
    assert found == ["O", "O", "B-PER", "I-PER"]
    assert projected.shape == (4, 5)
    assert (trust > 0.5).all()


def test_corpus_docs_are_what_the_teacher_reads(trained: Trained, pieces: WordPieces):
    docs: list[Doc] = read_docs(trained.corpus / "english" / "train.spacy")
    sentences = english_sentences(trained.config, pieces, load_tagger(trained.teacher).tags)
    assert [" ".join(s.words) for s in sentences] == [" ".join(t.text for t in d) for d in docs]
