import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc, Span

from spacy_optical.data.docs import write_docs
from spacy_optical.errors import OpticalError
from spacy_optical.export import bundle_export as bundle_module
from spacy_optical.export import verify as verify_module
from spacy_optical.export.bundle_export import export_bundle
from spacy_optical.export.pipeline_folder import assemble
from spacy_optical.export.verify import Gate, Verdict
from spacy_optical.runtime.bundle import Bundle

from ..conftest import Trained

STRICT = Gate(max_f1_loss=-100.0)


@pytest.fixture(scope="module")
def gold(trained: Trained) -> dict[str, Path]:
    return {lang: trained.corpus / "gold" / f"{lang}-dev.spacy" for lang in ("en", "sw")}


@pytest.fixture(scope="module")
def int8(
    trained: Trained, gold: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Verdict]:
    out = tmp_path_factory.mktemp("bundles") / "int8"
    return out, export_bundle(trained.student, out, gold)


def nothing(folder: Path) -> bool:
    return list(folder.iterdir()) == []


def test_int8_passes_the_gate(int8: tuple[Path, Verdict], trained: Trained):
    path, verdict = int8
    info = Bundle.from_disk(path).info
    assert info.verified
    assert info.preset == "int8"
    assert info.labels == ("DATE", "LOC", "ORG", "PER")
    assert info.languages == ("en", "fi", "sw")  # those that trained, not those of the gold
    assert info.max_pieces == 64  # the student's positions, fewer than the 128 asked for
    assert verdict.f1_fp32 > 80
    assert verdict.fp32_max_difference < 1e-3
    assert info.metrics["gate"]["f1"] == pytest.approx(verdict.f1)
    assert info.metrics["gate"]["words"] == verdict.words > 50


def test_provenance_is_the_trainings(int8: tuple[Path, Verdict], trained: Trained):
    provenance = Bundle.from_disk(int8[0]).info.provenance
    metrics = json.loads((trained.student / "metrics.json").read_text(encoding="utf8"))
    for key in ("stage", "seed", "config", "config_hash", "data", "versions", "fingerprint"):
        assert provenance[key] == metrics[key]
    assert "machine" not in provenance


def test_fp32_loses_nothing(tmp_path: Path, trained: Trained, gold: dict[str, Path]):
    verdict = export_bundle(trained.teacher, tmp_path / "fp32", gold, preset="fp32")
    assert verdict.disagreement == 0.0
    assert verdict.f1 == verdict.f1_fp32
    assert Bundle.from_disk(tmp_path / "fp32").info.preset == "fp32"


def test_failing_the_gate_gives_figures_and_writes_nothing(
    tmp_path: Path, trained: Trained, gold: dict[str, Path]
):
    out = tmp_path / "int8"
    with pytest.raises(OpticalError, match=r"E504.*int8 did not pass the gate: .*F1 .*the words"):
        export_bundle(trained.student, out, gold, gate=STRICT)
    assert nothing(tmp_path)


def test_an_earlier_bundle_survives_a_failure(
    tmp_path: Path, trained: Trained, gold: dict[str, Path]
):
    out = tmp_path / "bundle"
    export_bundle(trained.student, out, gold, preset="fp32")
    with pytest.raises(OpticalError, match="E504"):
        export_bundle(trained.student, out, gold, gate=STRICT)
    assert Bundle.from_disk(out).info.preset == "fp32"


def test_forced_bundle_is_marked_and_not_assembled(
    tmp_path: Path, trained: Trained, gold: dict[str, Path]
):
    out = tmp_path / "forced"
    said: list[str] = []
    export_bundle(trained.student, out, gold, gate=STRICT, force=True, say=said.append)
    assert not Bundle.from_disk(out).info.verified
    assert "Written anyway: [E504]" in said[-1]
    with pytest.raises(OpticalError, match=r"E506.*forced did not pass its gate"):
        assemble(out, tmp_path / "pipeline", name="toy", version="0.0.1")
    assert not (tmp_path / "pipeline").exists()


@pytest.mark.parametrize(
    ("loss", "disagreement", "refused"),
    [(1.0, 0.02, False), (1.01, 0.0, True), (0.0, 0.021, True), (-5.0, 0.0, False)],
)
def test_gate_by_hand(loss: float, disagreement: float, refused: bool):
    verdict = Verdict(0.0, disagreement, 80.0, 80.0 - loss, 100)
    refusal = Gate().refusal(verdict, Path("out"))
    assert bool(refusal) == refused
    if refused:
        assert f"loses {loss:.2f} F1 (allowed: 1)" in refusal
        assert f"on {disagreement:.2%} of the words (allowed: 2.00%)" in refusal


def test_graph_that_differs_from_torch(
    tmp_path: Path, trained: Trained, gold: dict[str, Path], monkeypatch: pytest.MonkeyPatch
):
    """A graph with one weight changed is found out, forced or not."""
    export: Callable[..., bytes] = bundle_module.export_onnx

    def altered(tagger, suffix: int, **settings: bool) -> bytes:
        import torch

        with torch.no_grad():
            bias = tagger.model.classifier.bias
            bias += 0.01
            model = export(tagger, suffix, **settings)
            bias -= 0.01
        return model

    monkeypatch.setattr(bundle_module, "export_onnx", altered)
    with pytest.raises(OpticalError, match=r"E503.*differs from torch by 0.01"):
        export_bundle(trained.student, tmp_path / "out", gold, preset="fp32", force=True)
    assert nothing(tmp_path)


def test_torch_without_numbers(
    tmp_path: Path, trained: Trained, gold: dict[str, Path], monkeypatch: pytest.MonkeyPatch
):
    def none(tagger, texts, pieces, **settings: int) -> list[np.ndarray]:
        return [np.full((len(words), len(tagger.tags)), np.nan) for words in texts]

    monkeypatch.setattr(verify_module, "word_logits", none)
    with pytest.raises(OpticalError, match=r"E503.*differs from torch by nan"):
        export_bundle(trained.student, tmp_path / "out", gold, preset="fp32", force=True)
    assert nothing(tmp_path)


def test_too_few_pieces(tmp_path: Path, trained: Trained, gold: dict[str, Path]):
    with pytest.raises(OpticalError, match=r"E114.*max_pieces must be at least 4, not 3"):
        export_bundle(trained.student, tmp_path / "out", gold, preset="fp32", max_pieces=3)


def test_damaged_metrics(tmp_path: Path, trained: Trained, gold: dict[str, Path]):
    shutil.copytree(trained.student, tmp_path / "student")
    (tmp_path / "student" / "metrics.json").write_text('{"seed": ')
    with pytest.raises(OpticalError, match=r"E602.*metrics\.json"):
        export_bundle(tmp_path / "student", tmp_path / "out", gold, preset="fp32")


def doc_of(words: str, label: str = "") -> Doc:
    doc = Doc(spacy.blank("xx").vocab, words=words.split())
    doc.set_ents([Span(doc, 0, 1, label=label)] if label else [])
    return doc


def test_unknown_label_in_gold(tmp_path: Path, trained: Trained):
    write_docs([doc_of("Amina left", "PERSON")], tmp_path / "sw.spacy")
    with pytest.raises(OpticalError, match=r"E411.*'PERSON' in .*sw\.spacy.*DATE, LOC, ORG, PER"):
        export_bundle(trained.student, tmp_path / "out", {"sw": tmp_path / "sw.spacy"})
    assert not (tmp_path / "out").exists()


def test_no_gold(tmp_path: Path, trained: Trained):
    with pytest.raises(OpticalError, match="E505"):
        export_bundle(trained.student, tmp_path / "out", {})


@pytest.mark.parametrize("words", ["", "barabara " * 90])
def test_gold_without_words_or_too_long(tmp_path: Path, trained: Trained, words: str):
    """Long documents are judged in windows; where there are no words there is no judgement."""
    write_docs([doc_of(words)], tmp_path / "sw.spacy")
    files = {"sw": tmp_path / "sw.spacy"}
    if words:
        verdict = export_bundle(trained.student, tmp_path / "out", files, preset="fp32")
        assert verdict.words == 90
    else:
        with pytest.raises(OpticalError, match="E505"):
            export_bundle(trained.student, tmp_path / "out", files, preset="fp32")


def test_foreign_folder(tmp_path: Path, trained: Trained, gold: dict[str, Path]):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(OpticalError, match="E004"):
        export_bundle(trained.student, tmp_path, gold)


def test_unknown_preset(tmp_path: Path, trained: Trained, gold: dict[str, Path]):
    with pytest.raises(OpticalError, match="E502"):
        export_bundle(trained.student, tmp_path / "out", gold, preset="int4")


def test_full_disk(
    tmp_path: Path, trained: Trained, gold: dict[str, Path], monkeypatch: pytest.MonkeyPatch
):
    move = os.replace

    def full_disk(source: Path, target: Path) -> None:
        if Path(target).parent == tmp_path:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        move(source, target)

    monkeypatch.setattr(os, "replace", full_disk)
    with pytest.raises(OpticalError, match=r"E003.*out: No space left on device"):
        export_bundle(trained.student, tmp_path / "out", gold, preset="fp32")
    assert nothing(tmp_path)


def test_assembled_pipeline_stands_alone(tmp_path: Path, int8: tuple[Path, Verdict]):
    Bundle.from_disk(int8[0]).to_disk(tmp_path / "passing-name")
    bundle, pipeline = tmp_path / "passing-name", tmp_path / "pipeline"
    assemble(bundle, pipeline, name="toy_ner", version="1.2.3", licence="CC0")
    for file in ("config.cfg", "meta.json"):
        assert "passing-name" not in (tmp_path / "pipeline" / file).read_text(encoding="utf8")
    (tmp_path / "passing-name").rename(tmp_path / "elsewhere")
    nlp = spacy.load(tmp_path / "pipeline")
    meta = [nlp.meta[key] for key in ("name", "version", "license")]
    assert meta == ["toy_ner", "1.2.3", "CC0"]
    assert nlp.meta["description"].startswith("Named entities in en, fi, sw,")
    assert nlp.meta["performance"]["gate"]["words"] == int8[1].words
    doc = nlp("Leila Haddad lives near Nairobi.")
    assert [(ent.text, ent.label_) for ent in doc.ents] == [
        ("Leila Haddad", "PER"),
        ("Nairobi", "LOC"),
    ]


def test_no_licence_is_claimed_unasked(tmp_path: Path, int8: tuple[Path, Verdict]):
    assemble(int8[0], tmp_path / "pipeline", name="toy", version="1")
    meta = json.loads((tmp_path / "pipeline" / "meta.json").read_text(encoding="utf8"))
    assert meta["license"] == ""


def test_assembling_nothing(tmp_path: Path):
    with pytest.raises(OpticalError, match=r"E002\] No such bundle folder"):
        assemble(tmp_path / "none", tmp_path / "out", name="toy", version="1")


@pytest.mark.parametrize(("name", "version"), [("my ner/x", "1.0"), ("", "1.0"), ("toy", "x")])
def test_a_name_or_version_that_no_package_can_have(
    tmp_path: Path, int8: tuple[Path, Verdict], name: str, version: str
):
    with pytest.raises(OpticalError, match=r"E114.*(name|version) must be"):
        assemble(int8[0], tmp_path / "pipeline", name=name, version=version)
    assert not (tmp_path / "pipeline").exists()


def test_a_bundle_in_a_folder_with_the_name_of_a_model(
    tmp_path: Path, int8: tuple[Path, Verdict], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    Bundle.from_disk(int8[0]).to_disk("md")
    assemble(Path("md"), Path("pipeline"), name="toy", version="1")
    assert Bundle.from_disk("pipeline/optical_ner/bundle").model == Bundle.from_disk("md").model
