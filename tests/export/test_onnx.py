import logging
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from spacy_optical.distill.sentences import collate, plain_sentence
from spacy_optical.distill.tagger import load_tagger
from spacy_optical.errors import OpticalError
from spacy_optical.export.onnx import IR_VERSION, OPSET, export_onnx
from spacy_optical.export.quantize import PRESETS, errors_only, preset_named, quantize
from spacy_optical.runtime.bundle import INPUTS, OUTPUT, Bundle, BundleInfo
from spacy_optical.runtime.decode import bio_tags
from spacy_optical.runtime.pieces import WordPieces
from spacy_optical.runtime.session import Runtime
from spacy_optical.runtime.shared import SLOWER

from ..toy_project import toy_text
from ..util import pooled_toy_encoder, toy_encoder, trained_toy_tokenizer

TEXTS = [["Amina"], ["Barabara", "ilifungwa", "usiku", "kucha", "."], ["Kone"] * 25]


@pytest.fixture(scope="module", params=["bert", "xlm-roberta", "bert-wordpiece"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    kind = request.param.removesuffix("-wordpiece")
    word_piece = kind != request.param
    return toy_encoder(
        tmp_path_factory.mktemp(request.param) / "toy",
        trained_toy_tokenizer(toy_text(), kind="WordPiece" if word_piece else "Unigram"),
        kind=kind,
        layers=2,
    )


@pytest.fixture(params=[1, 0])
def pooled(folder: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """The toy encoder with three layers, of which two or all work on words."""
    kind = "xlm-roberta" if "xlm-roberta" in str(folder) else "bert"
    tokenizer = (folder / "tokenizer.json").read_bytes()
    return pooled_toy_encoder(
        tmp_path / "pooled", tokenizer, kind=kind, layers=3, pool_after=request.param
    )


@pytest.fixture(scope="module")
def exported(folder: Path) -> bytes:
    return export_onnx(load_tagger(folder, bio_tags(["LOC", "PER"])))


def seeded(folder: Path):
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return load_tagger(folder, bio_tags(["LOC", "PER"])).eval()


def bundle_of(model: bytes, folder: Path, preset: str = "fp32") -> Bundle:
    info = BundleInfo(
        labels=("LOC", "PER"),
        max_pieces=96,
        preset=preset,
        inputs=INPUTS,
        output=OUTPUT,
        provenance={},
        metrics={},
    )
    return Bundle(info, model, (folder / "tokenizer.json").read_bytes())


def by_torch(tagger, folder: Path) -> list[np.ndarray]:
    pieces = WordPieces((folder / "tokenizer.json").read_bytes())
    with torch.inference_mode():
        return [
            tagger(collate([plain_sentence(words, pieces)], pieces)).logits[0].numpy()
            for words in TEXTS
        ]


def test_fp32_gives_what_torch_gives(folder: Path):
    tagger = seeded(folder)
    runtime = Runtime(bundle_of(export_onnx(tagger), folder))
    for ours, theirs in zip(runtime.scores(TEXTS), by_torch(tagger, folder), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


ROWS = [TEXTS, TEXTS[1:2], [["Kone"], ["Pekka", "Kone"]], [["Kone"]] * 9]


@pytest.mark.parametrize("rows", ROWS)
def test_rows_padded_into_one_batch_give_what_torch_gives(folder: Path, rows: list[list[str]]):
    check_batch(folder, rows)


@pytest.mark.parametrize("rows", ROWS)
def test_pooled_rows_give_what_torch_gives(pooled: Path, rows: list[list[str]]):
    check_batch(pooled, rows)


def check_batch(folder: Path, rows: list[list[str]]) -> None:
    tagger = seeded(folder)
    pieces = WordPieces((folder / "tokenizer.json").read_bytes())
    batch = collate([plain_sentence(words, pieces) for words in rows], pieces)
    session = Runtime(bundle_of(export_onnx(tagger), folder)).session
    inputs = (batch.input_ids, batch.attention_mask, batch.first_pieces)
    (ours,) = session.run([OUTPUT], {n: t.numpy() for n, t in zip(INPUTS, inputs, strict=True)})
    with torch.inference_mode():
        theirs = tagger(batch).logits
    assert ours.shape == theirs.shape
    words = batch.words.numpy()
    np.testing.assert_allclose(ours[words], theirs.numpy()[words], atol=1e-4)


def test_pooled_rows_do_not_depend_on_their_neighbours(pooled: Path):
    runtime = Runtime(bundle_of(export_onnx(seeded(pooled)), pooled))
    alone = [runtime.scores([words])[0] for words in TEXTS]
    for one, other in zip(runtime.scores(TEXTS), alone, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    for ours, theirs in zip(alone, by_torch(seeded(pooled), pooled), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_pooled_int8_is_close(pooled: Path):
    model = quantize(export_onnx(seeded(pooled)), "int8")
    ours = np.concatenate(Runtime(bundle_of(model, pooled, "int8")).scores(TEXTS))
    theirs = np.concatenate(by_torch(seeded(pooled), pooled))
    assert 0 < np.abs(ours - theirs).max() < 0.25 * np.abs(theirs).max()


def test_padding_says_nothing(folder: Path):
    """Whatever the pieces behind a row's end are, as long as the mask hides them."""
    tagger = seeded(folder)
    pieces = WordPieces((folder / "tokenizer.json").read_bytes())
    batch = collate([plain_sentence(words, pieces) for words in (TEXTS[1], ["Kone"])], pieces)
    session = Runtime(bundle_of(export_onnx(tagger), folder)).session
    found = []
    for piece in (pieces.pad_id, pieces.unk_id):
        ids = batch.input_ids.masked_fill(batch.attention_mask == 0, piece)
        inputs = (ids, batch.attention_mask, batch.first_pieces)
        feed = {n: t.numpy() for n, t in zip(INPUTS, inputs, strict=True)}
        found.append(session.run([OUTPUT], feed)[0][1, 0])
    np.testing.assert_allclose(found[0], found[1], atol=1e-6)


def test_int8_is_smaller_and_close(folder: Path):
    tagger = seeded(folder)
    model = export_onnx(tagger)
    small = quantize(model, "int8")
    assert len(small) < 0.75 * len(model)  # positions, a large part of a toy, stay floats
    runtime = Runtime(bundle_of(small, folder, "int8"))
    ours = np.concatenate(runtime.scores(TEXTS))
    theirs = np.concatenate(by_torch(tagger, folder))
    assert np.abs(ours - theirs).max() < 0.25 * np.abs(theirs).max()
    assert np.abs(ours - theirs).max() > 0


def test_versions_that_older_runtimes_read(exported: bytes):
    model = onnx.load_from_string(exported)
    assert model.ir_version == IR_VERSION
    assert {o.version for o in model.opset_import if o.domain in ("", "ai.onnx")} == {OPSET}
    assert [node.name for node in model.graph.input] == list(INPUTS)
    assert [node.name for node in model.graph.output] == [OUTPUT]


def test_operators_are_fused(exported: bytes):
    operators = {node.op_type for node in onnx.load_from_string(exported).graph.node}
    assert operators & {"LayerNormalization", "SkipLayerNormalization"}
    assert "Erf" not in operators  # the activation became one operator


def test_advice_of_the_tools_is_not_shown(
    folder: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
):
    quantize(export_onnx(seeded(folder)), "int8")
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")
    with errors_only():
        logging.getLogger("onnx_model").warning("advice")
        logging.getLogger("onnx_model").error("fault")
    logging.getLogger("onnx_model").warning("afterwards")
    assert [record.message for record in caplog.records] == ["fault", "afterwards"]


def test_addition_and_norm_stay_apart(
    exported: bytes, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """In the graph that is run: ONNX Runtime would fuse them, which is slower."""
    fused = "SkipLayerNormalization"
    assert fused in operators_run(exported, tmp_path / "as-it-likes.onnx", set())
    assert fused not in operators_run(exported, tmp_path / "ours.onnx", SLOWER)
    seen = []
    make = onnxruntime.InferenceSession

    def watched(*args: Any, **kwargs: Any) -> Any:
        seen.append(kwargs["disabled_optimizers"])
        return make(*args, **kwargs)

    monkeypatch.setattr(onnxruntime, "InferenceSession", watched)
    Runtime(bundle_of(exported, folder)).scores(TEXTS)
    assert seen == [SLOWER]


def operators_run(model: bytes, path: Path, disabled: set[str]) -> set[str]:
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(path)
    options.log_severity_level = 4
    onnxruntime.InferenceSession(model, options, disabled_optimizers=disabled)
    return {node.op_type for node in onnx.load(path).graph.node}


def test_fp32_preset_changes_nothing(exported: bytes):
    assert quantize(exported, "fp32") is exported


def test_presets():
    assert preset_named("auto") == "int8"
    assert PRESETS["int8"] is True
    assert PRESETS["int8-vnni"] is False
    with pytest.raises(OpticalError, match=r"E502.*'int4'. Use one of auto, fp32, int8"):
        preset_named("int4")
