"""What is learned from gold with labels of its own, worked out by hand."""

import math
from pathlib import Path

import numpy as np
import pytest
import spacy
import torch
from spacy.tokens import Doc, Span

from spacy_optical.data.docs import NOT_LABELLED
from spacy_optical.distill.sentences import plain_sentence
from spacy_optical.distill.tagger import WordTagger, load_tagger
from spacy_optical.distill.tagger_evaluation import word_logits
from spacy_optical.own_labels.own_labels_task import (
    OwnLabelsTask,
    TagSets,
    TargetSentence,
    loss,
    target_sentences,
    with_new_labels,
)
from spacy_optical.runtime.decode import bio_tags, probabilities
from spacy_optical.runtime.pieces import WordPieces

from ..util import toy_encoder, toy_tokenizer

WORDS = ["Amina", "Juma", "alinunua", "Benki", "Kuu"]
OLD = ("LOC", "PER")
# PER is PERSON now; the gold has PRODUCT.
KEEP = TagSets(OLD, ("LOC", "PERSON", "PRODUCT"), {"LOC": "LOC", "PER": "PERSON"}, asked=True)
OUT, B_LOC, I_LOC, B_PERSON, I_PERSON, B_PRODUCT, I_PRODUCT = range(7)


@pytest.fixture(scope="module")
def pieces() -> WordPieces:
    return WordPieces(toy_tokenizer())


@pytest.fixture
def start(tmp_path: Path) -> WordTagger:
    torch.manual_seed(0)
    tagger = load_tagger(toy_encoder(tmp_path, toy_tokenizer(), layers=1), bio_tags(OLD))
    with torch.no_grad():
        tagger.model.classifier.weight.mul_(20)  # so that distributions are far from even
    return tagger


def doc_with(*ents: tuple[int, int, str], default: str = "outside") -> Doc:
    doc = Doc(spacy.blank("xx").vocab, words=WORDS)
    doc.set_ents(
        [Span(doc, start, end, label=label) for start, end, label in ents], default=default
    )
    return doc


def test_tags_become_others():
    assert KEEP.tags == bio_tags(("LOC", "PERSON", "PRODUCT"))
    assert KEEP.matrix().argmax(axis=1).tolist() == [OUT, B_LOC, I_LOC, B_PERSON, I_PERSON]
    dropped = TagSets(OLD, ("LOC",), {"LOC": "LOC"}, asked=True)
    assert dropped.matrix().argmax(axis=1).tolist() == [0, 1, 2, 0, 0]
    merged = TagSets(OLD, ("NAME",), {"LOC": "NAME", "PER": "NAME"}, asked=True)
    assert merged.matrix().sum(axis=0).tolist() == [1, 2, 2]


def test_gold_teaches_its_labels_and_the_starting_model_the_others(
    start: WordTagger, pieces: WordPieces
):
    said = probabilities(word_logits(start, [WORDS], pieces)[0]) @ KEEP.matrix()
    (found,) = target_sentences(
        [doc_with((3, 5, "PRODUCT"))], frozenset({"PRODUCT"}), KEEP, start, pieces, max_pieces=64
    )
    assert found.target[3:].argmax(axis=1).tolist() == [B_PRODUCT, I_PRODUCT]
    np.testing.assert_allclose(found.target[:3], said[:3], atol=1e-6)
    assert not found.free.any()
    assert said[:3, 1:].max() > 0.05  # so that the test can fail


def test_an_entity_may_begin_with_whitespace(start: WordTagger, pieces: WordPieces):
    doc = Doc(spacy.blank("xx").vocab, words=["alinunua", "\n", "Benki", " ", "Kuu"])
    doc.set_ents([Span(doc, 1, 5, label="PRODUCT")])
    (found,) = target_sentences([doc], frozenset({"PRODUCT"}), KEEP, start, pieces, max_pieces=64)
    assert found.target[1:].argmax(axis=1).tolist() == [B_PRODUCT, I_PRODUCT]


def test_a_label_of_both_is_the_golds(start: WordTagger, pieces: WordPieces):
    said = probabilities(word_logits(start, [WORDS], pieces)[0]) @ KEEP.matrix()
    annotated = frozenset({"LOC", "PRODUCT"})
    (found,) = target_sentences(
        [doc_with((3, 5, "PRODUCT"))], annotated, KEEP, start, pieces, max_pieces=64
    )
    assert not found.target[:3, [B_LOC, I_LOC]].any()
    np.testing.assert_allclose(
        found.target[:3, OUT], said[:3, [OUT, B_LOC, I_LOC]].sum(axis=1), atol=1e-6
    )
    np.testing.assert_allclose(found.target.sum(axis=1), 1, atol=1e-6)


def test_data_beside_says_nothing_about_a_new_label(start: WordTagger, pieces: WordPieces):
    (found,) = target_sentences(
        [doc_with((0, 2, "PERSON"))], frozenset({"PERSON"}), KEEP, start, pieces, max_pieces=64
    )
    assert found.free[2].tolist() == [False] * 5 + [True, True]
    assert found.target[:2].argmax(axis=1).tolist() == [B_PERSON, I_PERSON]


def test_words_without_annotation_and_labels_not_looked_for(start: WordTagger, pieces: WordPieces):
    said = probabilities(word_logits(start, [WORDS], pieces)[0]) @ KEEP.matrix()
    missing = doc_with((3, 5, "PRODUCT"), default="missing")
    marked = doc_with((3, 5, "PRODUCT"))
    marked.user_data[NOT_LABELLED] = ["LOC"]
    first, second = target_sentences(
        [missing, marked], frozenset({"LOC", "PRODUCT"}), KEEP, start, pieces, max_pieces=64
    )
    for found in (first, second):
        np.testing.assert_allclose(found.target[:3], said[:3], atol=1e-6)
    assert first.free[0].tolist() == [False] * 5 + [True, True]
    assert not second.free.any()


def test_replaced_labels_are_learned_from_the_gold_alone(start: WordTagger, pieces: WordPieces):
    sets = TagSets(OLD, ("PER", "PRODUCT"), {"PER": "PER"}, asked=False)
    doc = doc_with((3, 5, "PRODUCT"), default="missing")
    (found,) = target_sentences(
        [doc], frozenset({"PER", "PRODUCT"}), sets, start, pieces, max_pieces=64
    )
    assert found.target.argmax(axis=1).tolist() == [0, 0, 0, 3, 4]
    # Words that nobody annotated teach nothing, whatever the scores.
    logits = torch.randn(1, 3, 5)
    target, free = (torch.from_numpy(array[None, :3]) for array in (found.target, found.free))
    words = torch.ones(1, 3, dtype=torch.bool)
    assert float(loss(logits, target, free, words)) == pytest.approx(0, abs=1e-6)


def test_a_long_document_is_learned_in_parts(start: WordTagger, pieces: WordPieces):
    doc = Doc(spacy.blank("xx").vocab, words=WORDS * 10)
    doc.set_ents([Span(doc, 48, 50, label="PRODUCT")])
    found = target_sentences([doc], frozenset({"PRODUCT"}), KEEP, start, pieces, max_pieces=20)
    assert len(found) > 1
    assert all(len(part) <= 18 for part in found)
    assert [word for part in found for word in part.words] == WORDS * 10
    assert found[-1].target[-2:].argmax(axis=1).tolist() == [B_PRODUCT, I_PRODUCT]


def test_loss_by_hand():
    logits = torch.log(torch.tensor([[[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]]]))
    target = torch.tensor([[[1.0, 0, 0], [0, 0.5, 0.5]]])
    free = torch.tensor([[[False, True, False], [False, False, False]]])
    words = torch.tensor([[True, True]])
    expected = (-math.log(0.8) - 0.5 * math.log(0.3) - 0.5 * math.log(0.2)) / 2
    assert float(loss(logits, target, free, words)) == pytest.approx(expected, abs=1e-6)
    assert float(loss(logits, target, free, torch.tensor([[True, False]]))) == pytest.approx(
        -math.log(0.8), abs=1e-6
    )


def test_old_tags_begin_with_their_weights(start: WordTagger, pieces: WordPieces):
    before = word_logits(start, [WORDS], pieces)[0]
    with_new_labels(start, KEEP, seed=1)
    assert start.labels == KEEP.new
    after = word_logits(start, [WORDS], pieces)[0]
    np.testing.assert_allclose(after[:, :5], before, atol=1e-5)
    first = start.model.classifier.weight.detach().clone()
    with_new_labels(start, TagSets(KEEP.new, KEEP.new, {n: n for n in KEEP.new}, True), seed=2)
    torch.testing.assert_close(start.model.classifier.weight.detach(), first)


def test_an_epoch_has_as_many_sentences_beside_as_gold(start: WordTagger, pieces: WordPieces):
    words = [WORDS[: 1 + at % 5] for at in range(12)]
    made = [
        TargetSentence(
            **vars(plain_sentence(row, pieces)),
            target=np.tile(np.eye(7, dtype=np.float32)[0], (len(row), 1)),
            free=np.zeros((len(row), 7), dtype=bool),
        )
        for row in words
    ]
    task = OwnLabelsTask(made[:3], made[3:], pieces, batch_size=2)
    drawn = sorted(i for batch in task.batches(np.random.default_rng(0)) for i in batch)
    assert drawn[:3] == [0, 1, 2]
    assert len(set(drawn)) == 6
    with_new_labels(start, KEEP, seed=0)
    start.eval()
    whole = task.losses(start, [0, 4, 5])["gold"]
    parts = task.split([0, 4, 5], 2)
    shared = sum(share * task.losses(start, part)["gold"] for part, share in parts)
    torch.testing.assert_close(shared, whole)


def test_the_starting_model_is_asked_where_a_document_leaves_a_label_out(
    start: WordTagger, pieces: WordPieces
):
    """Also where the gold as a whole annotates every label."""
    said = probabilities(word_logits(start, [WORDS], pieces)[0]) @ KEEP.matrix()
    doc = doc_with((3, 5, "PRODUCT"))
    doc.user_data[NOT_LABELLED] = ["LOC"]
    (found,) = target_sentences([doc], frozenset(KEEP.new), KEEP, start, pieces, max_pieces=64)
    np.testing.assert_allclose(found.target[0, B_LOC], said[0, B_LOC], atol=1e-6)
    assert not found.target[0, [B_PERSON, I_PERSON]].any()
