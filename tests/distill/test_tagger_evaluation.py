from pathlib import Path

import numpy as np
import pytest
import spacy
import torch
from spacy.scorer import Scorer
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_optical.data.docs import read_docs, write_docs
from spacy_optical.distill.sentences import plain_sentence
from spacy_optical.distill.tagger import load_tagger, read_sentences
from spacy_optical.distill.tagger_evaluation import (
    check_labels,
    entity_scores,
    predicted_spans,
    scores_of,
)
from spacy_optical.errors import OpticalError
from spacy_optical.export.model_scores import evaluate_model
from spacy_optical.runtime.decode import bio_tags
from spacy_optical.runtime.pieces import WordPieces

from ..conftest import Trained

TAGS = bio_tags(["LOC", "PER"])


def gold(words: str, *ents: tuple[int, int, str]) -> Doc:
    nlp = spacy.blank("xx")
    doc = Doc(nlp.vocab, words=words.split(" "))
    doc.set_ents([Span(doc, start, end, label=label) for start, end, label in ents])
    return doc


def logits_of(*tags: str) -> np.ndarray:
    return 9 * np.eye(len(TAGS), dtype=np.float32)[[TAGS.index(tag) for tag in tags]]


def test_scores_by_hand():
    docs = [
        gold("Amina Juma in Pune", (0, 2, "PER"), (3, 4, "LOC")),
        gold("Otto left", (0, 1, "PER")),
    ]
    found = scores_of(
        docs, [logits_of("B-PER", "I-PER", "O", "B-PER"), logits_of("B-PER", "B-LOC")], TAGS
    )
    # Right: 2 of the 4 found and of the 3 gold.
    assert found["ents_p"] == 0.5
    assert found["ents_r"] == pytest.approx(2 / 3)
    assert found["ents_f"] == pytest.approx(4 / 7)
    assert found["ents_per_type"]["PER"]["r"] == 1.0


def test_white_space_has_no_scores():
    nlp = spacy.blank("xx")
    doc = nlp("Amina  Juma \n left")
    doc.set_ents([Span(doc, 0, 3, label="PER")])
    found = scores_of([doc], [logits_of("B-PER", "I-PER", "O")], TAGS)
    assert found["ents_f"] == 1.0


def test_no_entity_on_either_side_is_a_number():
    found = scores_of([gold("Nobody left")], [logits_of("O", "O")], TAGS)
    assert (found["ents_p"], found["ents_r"], found["ents_f"]) == (0.0, 0.0, 0.0)
    assert found["ents_per_type"] == {}


def test_unknown_label():
    docs = [gold("Amina left", (0, 1, "PERSON"))]
    with pytest.raises(OpticalError, match=r"E411.*'PERSON' in sw\.spacy.*labels are LOC, PER"):
        check_labels(docs, ["PER", "LOC"], Path("sw.spacy"))


def test_readings_come_in_order_and_leave_the_mode(trained: Trained):
    tagger = load_tagger(trained.teacher).train()
    pieces = WordPieces((trained.teacher / "tokenizer.json").read_bytes())
    sentences = [plain_sentence(["Kone"] * n, pieces) for n in (5, 1, 3)]
    outputs = read_sentences(tagger, sentences, pieces, batch_size=2)
    assert [len(output.logits) for output in outputs] == [5, 1, 3]
    assert tagger.training
    assert torch.is_grad_enabled()


def test_long_documents_are_read_in_windows(trained: Trained):
    """A document of several windows scores as its sentences do; its last words are not lost."""
    tagger = load_tagger(trained.teacher)
    pieces = WordPieces((trained.teacher / "tokenizer.json").read_bytes())
    docs = read_docs(trained.corpus / "gold" / "en-test.spacy") * 4
    long = Doc.from_docs([Doc(docs[0].vocab, words=[t.text for t in doc]) for doc in docs])
    assert long is not None
    ents, at = [], 0
    for doc in docs:
        ents += [Span(long, at + e.start, at + e.end, label=e.label_) for e in doc.ents]
        at += len(doc)
    long.set_ents(ents)
    assert sum(map(len, pieces.pieces([t.text for t in long]))) > 3 * tagger.max_pieces
    apart = entity_scores(tagger, docs, pieces)["ents_f"]
    together = entity_scores(tagger, [long], pieces)["ents_f"]
    assert together > apart - 0.1 > 0.8


def test_empty_documents(trained: Trained):
    tagger = load_tagger(trained.teacher)
    pieces = WordPieces((trained.teacher / "tokenizer.json").read_bytes())
    nlp = spacy.blank("xx")
    found = entity_scores(tagger, [nlp(""), nlp(" \n ")], pieces)
    assert found["ents_f"] == 0.0


def test_evaluate_on_another_label(tmp_path: Path, trained: Trained):
    write_docs([gold("Amina left", (0, 1, "PERSON"))], tmp_path / "sw.spacy")
    with pytest.raises(OpticalError, match=r"E411.*'PERSON'"):
        evaluate_model(trained.teacher, {"sw": tmp_path / "sw.spacy"})


def test_evaluate_on_nothing(trained: Trained):
    with pytest.raises(OpticalError, match="E505"):
        evaluate_model(trained.teacher, {})


def test_scores_are_those_of_spacy():
    rng = np.random.default_rng(0)
    docs, logits = [], []
    for _ in range(20):
        size = int(rng.integers(2, 8))
        docs.append(gold(" ".join(["w"] * size), (0, 1, "PER"), (1, size, "LOC")))
        logits.append(rng.normal(size=(size, len(TAGS))).astype(np.float32))
    examples = []
    for doc, spans in zip(docs, predicted_spans(docs, logits, TAGS), strict=True):
        guess = Doc(doc.vocab, words=[token.text for token in doc])
        guess.set_ents([Span(guess, start, end, label=label) for start, end, label in spans])
        examples.append(Example(guess, doc))
    expected = Scorer.score_spans(examples, "ents")
    found = scores_of(docs, logits, TAGS)
    for key in ("ents_p", "ents_r", "ents_f"):
        assert found[key] == pytest.approx(expected[key])
    for label, one in expected["ents_per_type"].items():
        assert found["ents_per_type"][label] == pytest.approx(one)
