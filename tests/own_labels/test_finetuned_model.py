"""Fine-tuning on labels of one's own, from model to pipeline, on a toy model."""

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import spacy
import torch
from spacy.tokens import Doc, DocBin, Span, SpanGroup

from spacy_optical.data.docs import EVALUATION_ONLY, write_docs
from spacy_optical.data.gold import TaggedSentence, tagged_doc
from spacy_optical.distill.tagger import load_tagger, save_tagger
from spacy_optical.errors import OpticalError
from spacy_optical.export.verify import Gate
from spacy_optical.own_labels import finetuned_model
from spacy_optical.own_labels.finetuned_model import finetune
from spacy_optical.own_labels.finetuning import Finetuning
from spacy_optical.runtime.bundle import Bundle
from spacy_optical.runtime.decode import bio_tags

from ..util import toy_bundle, toy_encoder, trained_toy_tokenizer

PEOPLE = ("Amina", "Juma", "Otto", "Siti", "Leila", "Pekka")
PLACES = ("Nairobi", "Tampere", "Mombasa", "Lyon", "Pune")
GOODS = ("Kilimo", "Jembe", "Safari", "Radi")
# Words of a sentence; a name is marked by its label.
VISITS = [(("PER", p), "anaishi", "mjini", ("LOC", l)) for p in PEOPLE for l in PLACES]  # noqa: E741
SALES = [
    (verb, "trekta", ("PRODUCT", g), "leo")
    for verb in ("Aliuza", "Alinunua", "Aliona", "Alitengeneza", "Walipenda")
    for g in GOODS
]
QUICK: dict[str, Any] = {"epochs": 12, "batch_size": 4, "learning_rate": 5e-3, "patience": 12}
LONGER = {**QUICK, "epochs": 25, "learning_rate": 3e-3, "patience": 25}


def doc_of(parts: Sequence[str | tuple[str, str]], rename: dict[str, str] | None = None) -> Doc:
    words = tuple(part if isinstance(part, str) else part[1] for part in parts)
    spans = tuple(
        (at, at + 1, (rename or {}).get(part[0], part[0]))
        for at, part in enumerate(parts)
        if not isinstance(part, str)
    )
    return tagged_doc(TaggedSentence("toy", words, spans), evaluation_only=False)


def split(folder: Path, name: str, rows: Sequence[Any], **rename: str) -> tuple[Path, Path]:
    """Write every fourth sentence for development and the others for training."""
    order = np.random.default_rng(0).permutation(len(rows)).tolist()
    docs = [doc_of(rows[at], rename) for at in order]
    train, dev = folder / f"{name}-train.spacy", folder / f"{name}-dev.spacy"
    write_docs([doc for at, doc in enumerate(docs) if at % 4], train)
    write_docs(docs[::4], dev)
    return train, dev


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an untrained student, and gold of two kinds."""
    folder = tmp_path_factory.mktemp("finetune")
    rows = [*VISITS, *SALES]
    texts = [" ".join(p if isinstance(p, str) else p[1] for p in row) for row in rows]
    tokenizer = trained_toy_tokenizer(texts)
    toy_encoder(folder / "encoder", tokenizer, layers=2)
    torch.manual_seed(0)
    save_tagger(
        load_tagger(folder / "encoder", bio_tags(("LOC", "PER"))), tokenizer, {}, folder / "student"
    )
    split(folder, "visits", VISITS)
    split(folder, "sales", SALES)
    return folder


@pytest.fixture(scope="module")
def visits(home: Path) -> tuple[Path, dict[str, Any], list[str]]:
    """What fine-tuning on people and places writes, gives and says."""
    said: list[str] = []
    files = home / "visits-train.spacy", home / "visits-dev.spacy"
    metrics = finetune(home / "student", *files, home / "visits", say=said.append, **QUICK)
    return home / "visits", metrics, said


def found(pipeline: Path, text: str) -> set[tuple[str, str]]:
    return {(ent.text, ent.label_) for ent in spacy.load(pipeline)(text).ents}


def test_a_model_learns_and_is_packaged(visits):
    folder, metrics, _ = visits
    assert metrics["dev"]["ents_f"] > 0.9
    assert metrics["bundle"]["f1"] > 90
    info = Bundle.from_disk(folder / "bundle").info
    assert info.verified
    assert info.preset == "int8"
    assert info.labels == ("LOC", "PER")
    assert info.provenance["stage"] == "finetuned"
    assert found(folder / "pipeline", "Leila anaishi mjini Pune") == {
        ("Leila", "PER"),
        ("Pune", "LOC"),
    }
    assert sorted(path.name for path in folder.iterdir()) == ["bundle", "pipeline", "student"]
    record = (folder / "student" / "metrics.json").read_text(encoding="utf8")
    assert str(folder.parent) not in record
    assert json.loads(record)["data"].keys() == {
        f"{folder.parent.name}/visits-train.spacy",
        f"{folder.parent.name}/visits-dev.spacy",
        "student/model.safetensors",
    }


def test_old_labels_are_kept_beside_new_ones(home: Path, visits, tmp_path: Path):
    """From the bundle, on one new label; the gold says nothing about people and places."""
    files = home / "sales-train.spacy", home / "sales-dev.spacy"
    metrics = finetune(
        visits[0] / "bundle", *files, tmp_path / "o", beside=home / "visits-train.spacy", **LONGER
    )
    assert Bundle.from_disk(tmp_path / "o" / "bundle").info.labels == ("LOC", "PER", "PRODUCT")
    assert metrics["dev"]["ents_per_type"]["PRODUCT"]["f"] > 0.8
    pipeline = tmp_path / "o" / "pipeline"
    assert ("Jembe", "PRODUCT") in found(pipeline, "Alinunua trekta Jembe leo")
    assert found(pipeline, "Leila anaishi mjini Pune") == {("Leila", "PER"), ("Pune", "LOC")}


def test_labels_are_replaced_and_one_label_is_enough(home: Path, visits, tmp_path: Path):
    said: list[str] = []
    files = home / "sales-train.spacy", home / "sales-dev.spacy"
    out = tmp_path / "o"
    metrics = finetune(
        visits[0] / "student", *files, out, labels="replace", say=said.append, **LONGER
    )
    assert Bundle.from_disk(out / "bundle").info.labels == ("PRODUCT",)
    assert {"new: PRODUCT", "dropped: LOC, PER"} <= set(said)
    assert metrics["dev"]["ents_per_type"].keys() == {"PRODUCT"}
    assert metrics["dev"]["ents_f"] > 0.8


def test_renamed_and_dropped_labels_need_no_learning(visits, home: Path, tmp_path: Path):
    train, dev = split(tmp_path, "renamed", [row[:3] for row in VISITS[::5]], PER="PERSON")
    out = tmp_path / "o"
    metrics = finetune(
        visits[0] / "student",
        train,
        dev,
        out,
        label_map={"PER": "PERSON", "LOC": ""},
        epochs=1,
        learning_rate=1e-7,
        preset="fp32",
    )
    assert Bundle.from_disk(out / "bundle").info.labels == ("PERSON",)
    assert metrics["dev"]["ents_f"] == 1.0


def test_the_same_seed_gives_the_same_model_interrupted_or_not(home: Path, tmp_path: Path):
    files = home / "visits-train.spacy", home / "visits-dev.spacy"
    settings = {**QUICK, "epochs": 3, "preset": "fp32", "force": True}
    whole = finetune(home / "student", *files, tmp_path / "whole", **settings)

    def stop(text: str) -> None:
        if text.startswith("epoch  2"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        finetune(home / "student", *files, tmp_path / "cut", say=stop, **settings)
    said: list[str] = []
    resumed = finetune(
        home / "student", *files, tmp_path / "cut", resume=True, say=said.append, **settings
    )
    assert "Continuing after epoch 2 of 3" in said
    assert resumed["epochs"] == whole["epochs"]
    assert resumed["dev"] == whole["dev"]
    once_more: list[str] = []
    finetune(
        home / "student", *files, tmp_path / "cut", resume=True, say=once_more.append, **settings
    )
    assert any("was made from the same already" in line for line in once_more)


def test_training_stops_when_it_gets_no_better(home: Path, tmp_path: Path, monkeypatch):
    scores = iter([0.5, 0.9, 0.8, 0.8, 0.7, 0.6])
    monkeypatch.setattr(finetuned_model, "entity_scores", lambda *_: {"ents_f": next(scores)})
    files = home / "visits-train.spacy", home / "visits-dev.spacy"
    said: list[str] = []
    settings = {**QUICK, "epochs": 9, "patience": 2, "force": True}
    metrics = finetune(home / "student", *files, tmp_path / "o", say=said.append, **settings)
    assert [row["dev_f1"] for row in metrics["epochs"]] == [0.5, 0.9, 0.8, 0.8]
    assert metrics["kept_epoch"] == 2
    assert "No better F1 for 2 epochs" in said


def test_gold_for_evaluation_may_train_and_its_development_sentences_do_not(
    home: Path, tmp_path: Path
):
    docs = [doc_of(row) for row in VISITS[:12]]
    for doc in docs:
        doc.user_data[EVALUATION_ONLY] = True
    write_docs(docs, tmp_path / "train.spacy")
    write_docs(docs[8:], tmp_path / "dev.spacy")
    said: list[str] = []
    files = tmp_path / "train.spacy", tmp_path / "dev.spacy"
    finetune(
        home / "student",
        *files,
        tmp_path / "o",
        say=said.append,
        force=True,
        **{**QUICK, "epochs": 1},
    )
    assert any(
        re.match(r"4 of the 12 documents in .*train.spacy are in .*dev", line) for line in said
    )
    assert any("do not judge the new model by it" in line for line in said)
    assert "8 sentences, 0 beside them" in said


def with_spans(path: Path, *groups: tuple[tuple[int, int, str], ...]) -> None:
    docs = []
    for spans in groups:
        doc = doc_of(("Amina", "Juma", "anaishi", "Lyon"))
        doc.spans["sc"] = SpanGroup(doc, spans=[Span(doc, a, b, label=c) for a, b, c in spans])
        docs.append(doc)
    DocBin(docs=docs, attrs=["ENT_IOB", "ENT_TYPE", "SPACY"]).to_disk(path)


def bad_gold(folder: Path, home: Path) -> None:
    """Files that cannot be learned from, beside ones that can."""
    shutil.copy(home / "visits-train.spacy", folder / "train.spacy")
    shutil.copy(home / "visits-dev.spacy", folder / "dev.spacy")
    shutil.copy(home / "sales-dev.spacy", folder / "sales.spacy")
    DocBin().to_disk(folder / "empty.spacy")
    write_docs([doc_of(("Barabara", "ilifungwa"))], folder / "nothing.spacy")
    (folder / "damaged.spacy").write_bytes(b"not a file of documents")
    # The same span twice, and spans that overlap.
    twice = ((0, 1, "PER"), (0, 1, "PER"))
    with_spans(folder / "overlap.spacy", twice, ((0, 2, "PER"), (1, 2, "PER")))
    with_spans(folder / "apart.spacy", ((0, 2, "PER"), (3, 4, "LOC")))
    toy_bundle().to_disk(folder / "old")
    (folder / "newer").mkdir()
    shutil.copytree(folder / "old", folder / "newer", dirs_exist_ok=True)
    manifest = json.loads((folder / "newer" / "bundle.json").read_text(encoding="utf8"))
    (folder / "newer" / "bundle.json").write_text(json.dumps({**manifest, "format": 99}))
    (folder / "taken" / "student").mkdir(parents=True)
    (folder / "taken" / "student" / "thesis.txt").touch()


@pytest.mark.parametrize(
    ("arguments", "options", "expected"),
    [
        (("old", "train", "dev"), {}, r"E507.*old cannot be read back"),
        (("newer", "train", "dev"), {}, r"E103.*newer has format 99"),
        (("nowhere", "train", "dev"), {}, r"E508.*nowhere is neither a student"),
        ((None, "none", "dev"), {}, r"E002.*none.spacy"),
        ((None, "train", "empty"), {}, r"E206.*empty.spacy"),
        ((None, "empty", "dev"), {}, r"E206.*empty.spacy"),
        ((None, "damaged", "dev"), {}, r"E205.*damaged.spacy"),
        ((None, "train", "nothing"), {}, r"E428.*nothing.spacy has no entity in doc.ents\."),
        ((None, "nothing", "dev"), {}, r"E428.*nothing.spacy"),
        ((None, "apart", "dev"), {}, r"E428.*apart.spacy.*name one of sc as --spans-key"),
        ((None, "overlap", "apart"), {"spans_key": "sc"}, r"E427.*document 2: 'Juma' overlaps"),
        ((None, "apart", "train"), {"spans_key": "sc"}, r"E426.*train.spacy has no group 'sc'"),
        ((None, "train", "sales"), {}, r"E431.*sales.spacy has the label PRODUCT, but .*train"),
        (
            (None, "sales", "dev"),
            {"labels": "replace"},
            r"E431.*dev.spacy has the label LOC, PER, but .*sales",
        ),
        ((None, "train", "train"), {}, r"E429.*22 of the 22 documents in .*train.spacy"),
        ((None, "train", "dev"), {"label_map": {"ORG": "FIRM"}}, r"E425.*ORG.*only LOC, PER"),
        ((None, "train", "dev"), {"epochs": 0}, r"E402.*'epochs' is wrong"),
        ((None, "train", "dev"), {"labels": "both"}, r"E402.*'labels' is wrong"),
        ((None, "train", "dev"), {"preset": "int3"}, r"E502.*int3"),
        ((None, "train", "dev", "taken"), {}, r"E004.*student already exists"),
    ],
)
def test_bad_input_is_one_sentence_and_loses_nothing(
    home: Path, tmp_path: Path, arguments: Any, options: dict[str, Any], expected: str
):
    bad_gold(tmp_path, home)
    before = sorted(tmp_path.rglob("*"))
    model, train, dev, *out = arguments
    with pytest.raises(OpticalError, match=expected) as caught:
        finetune(
            home / "student" if model is None else tmp_path / model,
            tmp_path / f"{train}.spacy",
            tmp_path / f"{dev}.spacy",
            tmp_path / (out[0] if out else "out"),
            **options,
        )
    assert "\n" not in str(caught.value)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(("batches", "expected"), [(4, 20), (125, 16), (400, 5), (3000, 5)])
def test_many_sentences_have_fewer_epochs(batches: int, expected: int):
    assert Finetuning().with_epochs(batches).epochs == expected
    assert Finetuning(epochs=7).with_epochs(batches).epochs == 7
    assert Finetuning(epochs=20).with_epochs(batches).epochs == 20


def test_several_processes_are_refused(home: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(finetuned_model, "world", lambda: SimpleNamespace(num_processes=2))
    files = home / "visits-train.spacy", home / "visits-dev.spacy"
    with pytest.raises(OpticalError, match=r"E430.*in 2 processes"):
        finetune(home / "student", *files, tmp_path / "o")
    assert not (tmp_path / "o").exists()


def test_entities_are_read_from_spans(home: Path, tmp_path: Path):
    with_spans(tmp_path / "train.spacy", *[((0, 2, "PER"), (3, 4, "LOC"))] * 3)
    docs = [doc_of((("PER", "Otto"), "alilala"))]
    docs[0].spans["sc"] = SpanGroup(docs[0], spans=list(docs[0].ents))
    write_docs(docs, tmp_path / "dev.spacy")
    said: list[str] = []
    finetune(
        home / "student",
        tmp_path / "train.spacy",
        tmp_path / "dev.spacy",
        tmp_path / "o",
        spans_key="sc",
        force=True,
        say=said.append,
        **{**QUICK, "epochs": 1},
    )
    assert "Labels: LOC, PER" in said


def test_a_failing_gate_keeps_the_student(home: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(finetuned_model, "Gate", StrictGate)
    files = home / "visits-train.spacy", home / "visits-dev.spacy"
    settings = {**QUICK, "epochs": 1}
    with pytest.raises(OpticalError, match="E504"):
        finetune(home / "student", *files, tmp_path / "o", **settings)
    assert [path.name for path in (tmp_path / "o").iterdir()] == ["student"]
    finetune(home / "student", *files, tmp_path / "o", resume=True, force=True, **settings)
    assert not Bundle.from_disk(tmp_path / "o" / "bundle").info.verified
    assert not (tmp_path / "o" / "pipeline").exists()


class StrictGate(Gate):
    """A gate that nothing passes."""

    def __init__(self, **allowed: float) -> None:
        super().__init__(max_f1_loss=-100.0, max_disagreement=0.0)


DOCS = Path(__file__).parents[2] / "docs" / "finetune.md"


def test_the_example_of_the_docs_runs(visits, tmp_path: Path, monkeypatch, capsys):
    """As it stands there, but for the model, the length of the training and its one figure."""
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf8"), re.DOTALL)
    assert '"md"' in code
    exec(code.replace('"md"', repr(str(visits[0] / "bundle"))), {})
    assert Bundle.from_disk(tmp_path / "mine" / "bundle").info.labels == ("LOC", "PER", "PRODUCT")
    assert capsys.readouterr().out.startswith("(")
