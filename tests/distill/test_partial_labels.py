"""Sentences whose source does not annotate every label."""

import math

import numpy as np
import pytest
import spacy
import torch
from spacy.tokens import Doc, Span

from spacy_optical.data.docs import NOT_LABELLED
from spacy_optical.distill import objectives
from spacy_optical.distill.sentences import Sentence, collate, labelled_sentence
from spacy_optical.distill.tagger_evaluation import predicted_spans, scores_of
from spacy_optical.projection.distributions import source_distributions
from spacy_optical.runtime.decode import bio_tags
from spacy_optical.runtime.pieces import WordPieces

from ..util import toy_tokenizer

TAGS = bio_tags(["DATE", "PER"])  # O, B-DATE, I-DATE, B-PER, I-PER
NUMBER = {tag: i for i, tag in enumerate(TAGS)}


@pytest.fixture
def pieces() -> WordPieces:
    return WordPieces(toy_tokenizer(["Amina"], letters="ab"))


def partly(*lacking: str) -> Doc:
    doc = Doc(spacy.blank("xx").vocab, words=["Amina", "ab", "ba"])
    doc.set_ents([Span(doc, 0, 1, label="PER")], default="missing" if lacking else "outside")
    doc.user_data[NOT_LABELLED] = list(lacking)
    return doc


def test_words_without_an_entity_may_have_a_tag_that_was_not_annotated(pieces: WordPieces):
    sentence = labelled_sentence(partly("DATE"), pieces, NUMBER)
    assert (sentence.tags, sentence.also) == ((3, 0, 0), (1, 2))
    assert sentence.certain_tags == (3, -100, -100)
    whole = labelled_sentence(partly(), pieces, NUMBER)
    assert (whole.tags, whole.also, whole.certain_tags) == ((3, 0, 0), (), (3, 0, 0))
    batch = collate([whole, sentence, Sentence(("ab",), ((5,),))], pieces)
    assert batch.also.tolist() == [[0, 0], [1, 2], [0, 0]]


def test_marginal_likelihood_by_hand(pieces: WordPieces):
    sentences = [labelled_sentence(partly(*lacking), pieces, NUMBER) for lacking in ("", ["DATE"])]
    batch = collate(sentences, pieces)
    shares = torch.tensor([0.1, 0.2, 0.3, 0.35, 0.05])
    logits = shares.log().expand(2, 3, 5)
    exact = -(math.log(0.35) + 2 * math.log(0.1))
    partial = -(math.log(0.35) + 2 * math.log(0.1 + 0.2 + 0.3))
    found = objectives.hard(logits, batch.tags, batch.also)
    assert float(found) == pytest.approx((exact + partial) / 6)
    whole = collate(sentences[:1], pieces)
    assert not whole.also.numel()
    found = objectives.hard(logits[:1], whole.tags, whole.also)
    assert float(found) == pytest.approx(exact / 3)


def test_a_possible_tag_costs_nothing_and_gets_no_push(pieces: WordPieces):
    batch = collate([labelled_sentence(partly("DATE"), pieces, NUMBER)], pieces)
    logits = torch.zeros(1, 3, 5)
    logits[0, 0, 3] = logits[0, 1, 1] = logits[0, 2, 0] = 20.0
    logits.requires_grad_()
    loss = objectives.hard(logits, batch.tags, batch.also)
    loss.backward()
    assert float(loss.detach()) < 1e-6
    assert logits.grad is not None
    assert float(logits.grad.abs().max()) < 1e-6


def test_gold_is_not_mixed_in_where_it_is_not_known():
    logits = np.log(np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25]], dtype=np.float32))
    np.testing.assert_allclose(
        source_distributions(logits, (-100, 1), 0.8),
        [[0.5, 0.25, 0.25], [0.05, 0.9, 0.05]],
        atol=1e-6,
    )


def test_predictions_of_labels_that_gold_does_not_annotate_do_not_count():
    logits = 9 * np.eye(5, dtype=np.float32)[[3, 1, 3]]
    (spans,) = predicted_spans([partly("DATE")], [logits], TAGS)
    assert spans == [(0, 1, "PER"), (2, 3, "PER")]
    scores = scores_of([partly("DATE")], [logits], TAGS)
    assert (scores["ents_p"], scores["ents_r"]) == (0.5, 1.0)
    assert scores_of([partly()], [logits], TAGS)["ents_p"] == pytest.approx(1 / 3)
