"""A bundle's weights, read back."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from spacy_optical.distill.tagger import load_tagger, save_tagger
from spacy_optical.distill.tagger_evaluation import word_logits
from spacy_optical.errors import OpticalError
from spacy_optical.export.from_bundle import tagger_of_bundle
from spacy_optical.export.onnx import export_onnx
from spacy_optical.export.quantize import quantize
from spacy_optical.export.weights import with_weights_apart
from spacy_optical.runtime.bundle import INPUTS, OUTPUT, Bundle, BundleInfo, model_path
from spacy_optical.runtime.decode import bio_tags
from spacy_optical.runtime.pieces import WordPieces
from spacy_optical.runtime.session import Runtime

from ..toy_project import toy_text
from ..util import pooled_toy_encoder, toy_bundle, toy_encoder, trained_toy_tokenizer

LABELS = ("LOC", "PER")
TEXTS = [text.split() for text in toy_text()[:12]]


def exported(
    folder: Path,
    preset: str,
    *,
    kind: str = "bert",
    width: int = 64,
    pool_after: int | None = None,
    moved: float = 0.1,
) -> Bundle:
    """The bundle of a random student, whose biases and norms are moved apart."""
    tokenizer = trained_toy_tokenizer(toy_text())
    if pool_after is None:
        toy_encoder(folder, tokenizer, kind=kind, width=width, layers=3)
    else:
        pooled_toy_encoder(
            folder, tokenizer, kind=kind, width=width, layers=3, pool_after=pool_after
        )
    tagger = load_tagger(folder, bio_tags(LABELS))
    torch.manual_seed(0)
    with torch.no_grad():
        for weight in tagger.parameters():
            weight.add_(moved * torch.randn_like(weight))
    info = BundleInfo(LABELS, 64, preset, INPUTS, OUTPUT, {}, {})
    model = quantize(export_onnx(tagger), preset)
    return with_weights_apart(Bundle(info, model, tokenizer))


@pytest.mark.parametrize(
    ("preset", "kind", "width", "pool_after"),
    [
        ("fp32", "bert", 32, None),
        ("fp32", "xlm-roberta", 32, 1),
        ("int8", "xlm-roberta", 32, None),  # the word table is in eight bits
        ("int8", "bert", 64, 2),  # and here in four
        ("int8", "bert", 64, 0),
    ],
)
def test_a_tagger_of_a_bundle_scores_as_the_bundle_does(
    tmp_path: Path, preset: str, kind: str, width: int, pool_after: int | None
):
    bundle = exported(tmp_path / "student", preset, kind=kind, width=width, pool_after=pool_after)
    tagger = tagger_of_bundle(bundle)
    assert tagger.labels == LABELS
    assert tagger.pool_after == pool_after
    pieces = WordPieces(bundle.tokenizer)
    found = np.concatenate(word_logits(tagger, TEXTS, pieces, max_pieces=64))
    expected = np.concatenate(Runtime(bundle).scores(TEXTS))
    # The weights are the same; in int8 the bundle also rounds what lies between layers.
    spread = np.ptp(expected)
    assert np.abs(found - expected).max() < (1e-4 if preset == "fp32" else 0.05 * spread)


def test_integers_come_through_a_second_export_unchanged(tmp_path: Path):
    """The word table, which training leaves as it is, loses nothing more."""
    bundle = exported(tmp_path / "student", "int8", pool_after=1)
    tagger = tagger_of_bundle(bundle)
    save_tagger(tagger, bundle.tokenizer, {}, tmp_path / "read")
    eager = load_tagger(tmp_path / "read")
    model = quantize(export_onnx(eager), "int8")
    again = replace(bundle, model=model, weights=b"")
    first, second = (
        each.model.base_model.embeddings.word_embeddings.weight.detach().numpy()
        for each in (tagger, tagger_of_bundle(again))
    )
    np.testing.assert_array_equal(first, second)


def test_the_model_of_the_package_can_be_read_back():
    bundle = Bundle.from_disk(model_path())
    texts = [["Waziri", "Amina", "Juma", "alitembelea", "Hospitali", "ya", "Mbeya", "Jumatatu"]]
    pieces = WordPieces(bundle.tokenizer)
    tagger = tagger_of_bundle(bundle)
    (found,) = word_logits(tagger, texts, pieces, max_pieces=bundle.info.max_pieces)
    (expected,) = Runtime(bundle).scores(texts)
    assert found.argmax(axis=-1).tolist() == expected.argmax(axis=-1).tolist()


def test_a_graph_of_another_form_is_refused():
    with pytest.raises(OpticalError, match=r"E507.*a bundle in memory cannot be read back"):
        tagger_of_bundle(toy_bundle())


def test_a_layer_that_cannot_be_told_from_another_is_not_lost(tmp_path: Path):
    """The exporter joins the biases of an untrained student, which are all 0."""
    bundle = exported(tmp_path / "student", "fp32", moved=0.0)
    with pytest.raises(OpticalError, match=r"E507"):
        tagger_of_bundle(bundle)
