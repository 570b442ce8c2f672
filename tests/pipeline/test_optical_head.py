from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc, Span
from thinc.types import Ragged

from spacy_optical.pipeline.optical_head import OpticalHead

# A vector of three numbers speaks for O, B-PER and I-PER.
WEIGHT = np.eye(3, dtype=np.float32)
OUTSIDE, BEGIN, INSIDE = np.eye(3, dtype=np.float32) * 5


def head() -> OpticalHead:
    made = OpticalHead(spacy.blank("xx"))
    made.set_weights(["PER"], WEIGHT, np.zeros(3, dtype=np.float32))
    return made


def doc_with(
    words: list[str], pieces: list[Any], rows: list[list[int]], strings: str = "abcdefgh"
) -> Doc:
    """A document as `transformer` leaves it: vectors of pieces, each token's pieces, their text."""
    if not Doc.has_extension("trf_data"):
        Doc.set_extension("trf_data", default=None)
    doc = Doc(spacy.blank("xx").vocab, words=words)
    flat = np.array([i for row in rows for i in row], dtype="i").reshape(-1, 1)
    doc._.trf_data = SimpleNamespace(
        model_output=SimpleNamespace(last_hidden_state=np.array([pieces], dtype=np.float32)),
        wordpieces=SimpleNamespace(strings=[list(strings[: len(pieces)])]),
        align=Ragged(flat, np.array([len(row) for row in rows], dtype="i")),
    )
    return doc


def entities(doc: Doc) -> list[tuple[str, str]]:
    return [(ent.text, ent.label_) for ent in head()(doc).ents]


def test_reads_first_pieces():
    # The second piece of the first word would say otherwise.
    doc = doc_with(
        ["Amina", "Juma", "left"], [OUTSIDE, BEGIN, OUTSIDE, INSIDE, OUTSIDE], [[1, 2], [3], [4]]
    )
    assert entities(doc) == [("Amina Juma", "PER")]


def test_window_overlap_takes_the_first_reading():
    doc = doc_with(["Amina", "left"], [BEGIN, OUTSIDE, OUTSIDE], [[0, 2], [1]])
    assert entities(doc) == [("Amina", "PER")]


def test_white_space_is_passed_over():
    doc = doc_with(["Amina", " ", "Juma"], [BEGIN, INSIDE], [[0], [], [1]])
    assert entities(doc) == [("Amina   Juma", "PER")]


def test_space_counts_to_the_word_after_it():
    """spacy-transformers gives the piece "▁" to the token whose space it is."""
    doc = doc_with(
        ["in", "Pune"], [OUTSIDE, OUTSIDE, BEGIN, OUTSIDE], [[1, 2], [3]], strings="<i▁P"
    )
    assert entities(doc) == [("Pune", "PER")]


def test_token_without_pieces():
    assert entities(doc_with(["left", "\u200b"], [OUTSIDE], [[0], []])) == []
    assert entities(doc_with(["\u200b", "Amina"], [BEGIN], [[], [0]]))[-1][1] == "PER"


@pytest.mark.parametrize("words", [[], [" "]])
def test_nothing_to_read(words: list[str]):
    assert entities(doc_with(words, [OUTSIDE], [[] for _ in words])) == []


def test_scores():
    (ent,) = head()(doc_with(["Amina", "left"], [BEGIN, OUTSIDE], [[0], [1]])).ents
    assert type(ent._.score) is float
    assert 0.9 < ent._.score <= 1


def test_no_entity_crosses_a_sentence_start():
    doc = doc_with(["Amina", "Juma"], [BEGIN, INSIDE], [[0], [1]])
    doc[1].is_sent_start = True
    assert entities(doc) == [("Amina", "PER")]


def test_earlier_entities_stay():
    doc = doc_with(["Amina", "Juma", "left"], [BEGIN, INSIDE, OUTSIDE], [[0], [1], [2]])
    doc.set_ents([Span(doc, 1, 2, label="MISC")])
    assert entities(doc) == [("Juma", "MISC")]


def test_disk_round_trip(tmp_path: Path):
    head().to_disk(tmp_path / "head")
    again = OpticalHead(spacy.blank("xx")).from_disk(tmp_path / "head")
    assert again.labels == ("PER",)
    np.testing.assert_array_equal(again.weight, WEIGHT)
    doc = doc_with(["Amina"], [BEGIN], [[0]])
    assert [ent.label_ for ent in again(doc).ents] == ["PER"]
