"""Students narrower than their teacher: basis, heads, norms, and what is learned through them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from spacy_optical.distill.config import Student, load_config
from spacy_optical.distill.distillation import distill
from spacy_optical.distill.sentences import Sentence, plain_sentence
from spacy_optical.distill.student import (
    WidthPruning,
    _Fit,
    find_width_pruning,
    make_student,
    neuron_outputs,
)
from spacy_optical.distill.tagger import WordTagger, load_tagger, read_sentences
from spacy_optical.encoders.vocabulary_trimming import trim_vocabulary
from spacy_optical.errors import OpticalError
from spacy_optical.export.bundle_export import export_bundle
from spacy_optical.runtime.bundle import Bundle
from spacy_optical.runtime.pieces import WordPieces

from ..conftest import Trained
from ..toy_project import toy_text

WORDS = [text.split() for text in toy_text()]
WIDTH = 16  # of 32, so two heads of four


@pytest.fixture(scope="module")
def teacher(trained: Trained) -> WordTagger:
    return load_tagger(trained.teacher).eval()


@pytest.fixture(scope="module")
def pieces(trained: Trained) -> WordPieces:
    return WordPieces((trained.teacher / "tokenizer.json").read_bytes())


@pytest.fixture(scope="module")
def sentences(pieces: WordPieces) -> list[Sentence]:
    return [plain_sentence(words, pieces) for words in WORDS]


@pytest.fixture(scope="module")
def pruning(teacher: WordTagger, sentences: list[Sentence], pieces: WordPieces) -> WidthPruning:
    return find_width_pruning(teacher, [0, 2], WIDTH, sentences, pieces)


def test_basis_keeps_more_of_the_vectors_than_any_other(
    teacher: WordTagger, sentences: list[Sentence], pieces: WordPieces, pruning: WidthPruning
):
    torch.testing.assert_close(pruning.basis.T @ pruning.basis, torch.eye(WIDTH))
    read = read_sentences(teacher, sentences, pieces, layer=3)
    vectors = torch.from_numpy(np.concatenate([output.middle for output in read]))
    kept = (vectors @ pruning.basis).norm() / vectors.norm()
    drawn = torch.linalg.qr(torch.randn(32, WIDTH, generator=torch.Generator().manual_seed(0))).Q
    assert kept > 0.9
    assert kept > (vectors @ drawn).norm() / vectors.norm()


def test_heads_that_write_nothing_go_first(
    trained: Trained, sentences: list[Sentence], pieces: WordPieces
):
    teacher = load_tagger(trained.teacher).eval()
    silent = teacher.model.base_model.encoder.layer[2].attention.output.dense.weight
    with torch.no_grad():
        silent[:, 8:24] = 0
    found = find_width_pruning(teacher, [2], WIDTH, sentences, pieces)
    assert found.heads[2].tolist() == [*range(8), *range(24, 32)]


def test_norms_are_found_again_through_a_basis_that_changes_nothing():
    norm = torch.nn.LayerNorm(8)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        norm.weight.copy_(torch.rand(8, generator=generator) + 0.5)
        norm.bias.copy_(torch.randn(8, generator=generator))
    fit = _Fit(torch.eye(8))
    for _ in range(3):
        given = 3 * torch.randn(2, 9, 8, generator=generator) + 1
        fit.add(norm, (given,), norm(given))
    gain, bias = fit.solved()
    torch.testing.assert_close(gain, norm.weight.detach())
    torch.testing.assert_close(bias, norm.bias.detach())


def test_a_narrow_student_begins_close_to_its_teacher(
    trained: Trained,
    teacher: WordTagger,
    sentences: list[Sentence],
    pieces: WordPieces,
):
    vocabulary = trim_vocabulary((trained.teacher / "tokenizer.json").read_bytes(), [WORDS], 10_000)
    layers = list(range(teacher.model.config.num_hidden_layers))
    shape = Student(layers=layers, width=WIDTH, vocabulary=10_000)
    found = find_width_pruning(teacher, layers, WIDTH, sentences, pieces)
    outputs = neuron_outputs(teacher, sentences, pieces)
    student = make_student(teacher, shape, vocabulary, outputs, found).eval()
    assert student.model.config.hidden_size == WIDTH
    assert student.model.config.num_attention_heads == 2
    mine = WordPieces(vocabulary.tokenizer)
    own = [plain_sentence(words, mine) for words in WORDS]
    said = np.concatenate([r.logits for r in read_sentences(teacher, sentences, pieces)])
    read = np.concatenate([r.logits for r in read_sentences(student, own, mine)])
    assert (read.argmax(-1) == said.argmax(-1)).mean() > 0.8


@pytest.mark.parametrize(
    ("overrides", "error"),
    [
        ({"student.width": 12}, r"E419.* is 12.*8 wide.*32"),
        ({"student.width": 40}, r"E419.* is 40.*8 wide.*32"),
        # The plans depend on the middle layer only.
        ({"student.width": WIDTH, "student.layers": [0, 4]}, r"E406.*no layer 4: it has 4"),
    ],
)
def test_shapes_that_do_not_fit_the_teacher_are_refused(
    trained: Trained, tmp_path: Path, overrides: dict[str, Any], error: str
):
    config = load_config(trained.config_path, overrides)
    with pytest.raises(OpticalError, match=error):
        distill(config, trained.teacher, tmp_path / "student")
    assert not (tmp_path / "student").exists()


def test_a_narrow_student_learns_resumes_and_becomes_a_bundle(trained: Trained, tmp_path: Path):
    overrides = {"student.width": WIDTH, "training.epochs": 2}
    config = load_config(trained.config_path, overrides)
    whole = distill(config, trained.teacher, tmp_path / "whole")
    first, last = whole["epochs"][0], whole["epochs"][-1]
    assert last["hidden"] < first["hidden"]

    def stop(text: str) -> None:
        if text.startswith("epoch  1"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        distill(config, trained.teacher, tmp_path / "again", say=stop)
    again = distill(config, trained.teacher, tmp_path / "again", resume=True)
    assert again["epochs"] == whole["epochs"]
    gold = {"en": trained.corpus / "english" / "dev.spacy"}
    export_bundle(tmp_path / "again", tmp_path / "bundle", gold, preset="fp32")
    assert Bundle.from_disk(tmp_path / "bundle").info.verified
