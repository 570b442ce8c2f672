"""One score for a student in torch and for its bundle in spaCy."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import spacy
from spacy.scorer import Scorer
from spacy.tokens import Span
from spacy.training import Corpus

from spacy_optical.data.docs import read_docs, write_docs
from spacy_optical.data.layout import gold_files
from spacy_optical.errors import OpticalError
from spacy_optical.export.bundle_export import export_bundle
from spacy_optical.export.model_scores import evaluate_model
from spacy_optical.profiling.accuracy import count_entities

from ..conftest import Trained


def test_torch_bundle_and_pipeline_agree(trained: Trained, tmp_path: Path) -> None:
    gold = gold_files(trained.corpus / "gold", "test")
    export_bundle(trained.student, tmp_path / "bundle", gold, preset="fp32")
    nlp = spacy.blank("xx")
    nlp.add_pipe("optical_ner", config={"model": str(tmp_path / "bundle")})
    nlp.to_disk(tmp_path / "pipeline")
    torch = evaluate_model(trained.student, gold)
    bundle = evaluate_model(tmp_path / "bundle", gold)
    assert bundle == evaluate_model(tmp_path / "pipeline", gold)
    for language, path in gold.items():
        assert bundle[language]["ents_f"] == pytest.approx(torch[language]["ents_f"])
        examples = list(Corpus(path)(nlp))
        for example in examples:
            example.predicted = nlp(example.predicted)
        expected = Scorer(nlp).score(examples)
        assert bundle[language]["ents_f"] == pytest.approx(expected["ents_f"])
    part = evaluate_model(tmp_path / "bundle", gold, ["PER"])
    for language in gold:
        kinds = bundle[language]["ents_per_type"]
        assert part[language]["ents_per_type"] == {"PER": kinds["PER"]}
        assert part[language]["ents_f"] == kinds["PER"]["f"]
    torch_part = evaluate_model(trained.student, gold, ["PER"])
    assert torch_part["sw"]["ents_f"] == pytest.approx(part["sw"]["ents_f"])


def test_words_without_annotation_are_not_judged(trained: Trained, tmp_path: Path) -> None:
    gold, path = gold_files(trained.corpus / "gold", "test"), tmp_path / "part.spacy"
    docs = read_docs(gold["sw"])
    whole = evaluate_model(trained.student, gold)["sw"]
    for doc in docs:
        doc.set_ents(list(doc.ents), default="missing")
    write_docs(docs, path)
    export_bundle(trained.student, tmp_path / "bundle", gold, preset="fp32")
    nlp = spacy.blank("xx")
    nlp.add_pipe("optical_ner", config={"model": str(tmp_path / "bundle")})
    expected = nlp.evaluate(list(Corpus(path)(nlp)))
    for model in (trained.student, tmp_path / "bundle"):
        part = evaluate_model(model, {"sw": path})["sw"]
        assert part["ents_r"] == pytest.approx(whole["ents_r"])
        assert part["ents_p"] == pytest.approx(expected["ents_p"])
    assert whole["ents_p"] < expected["ents_p"]
    labels = ["LOC", "ORG", "PER"]
    counts = np.sum([rows for rows in count_entities(nlp, docs, labels, {}).values()], axis=(0, 1))
    assert counts[0] / counts[:2].sum() == pytest.approx(expected["ents_p"])


def test_nothing_to_score(trained: Trained, tmp_path: Path) -> None:
    with pytest.raises(OpticalError, match="E505"):
        evaluate_model(trained.student, {})
    with pytest.raises(OpticalError, match="E603"):
        evaluate_model(tmp_path / "nowhere", {"sw": tmp_path / "sw.spacy"})
    with pytest.raises(OpticalError, match=r"E509.*no label PRE .it has "):
        evaluate_model(trained.student, gold_files(trained.corpus / "gold", "test"), ["PRE", "ORG"])


def test_gold_without_an_entity_to_score(trained: Trained, tmp_path: Path) -> None:
    nlp = spacy.blank("xx")
    doc = nlp("Amina alinunua trekta")
    write_docs([doc], tmp_path / "none.spacy")
    doc.set_ents([Span(doc, 2, 3, label="PRODUCT")])
    write_docs([doc], tmp_path / "product.spacy")
    for name, error in (("none", "E604"), ("product", "E510.*are PRODUCT, and the scored")):
        with pytest.raises(OpticalError, match=error):
            evaluate_model("sm", {"sw": tmp_path / f"{name}.spacy"})
    with pytest.raises(OpticalError, match="E604"):
        evaluate_model(trained.student, {"sw": tmp_path / "none.spacy"})


def test_a_student_in_a_folder_with_the_name_of_a_model(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gold = {"sw": gold_files(trained.corpus / "gold", "test")["sw"]}
    student = evaluate_model(trained.student, gold)
    shutil.copytree(trained.student, tmp_path / "md")
    monkeypatch.chdir(tmp_path)
    assert evaluate_model(Path("md"), gold) == student
    assert evaluate_model("md", gold) != student
