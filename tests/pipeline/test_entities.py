"""Writing entities beside or over those that a document has."""

import pytest
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from spacy_optical.pipeline.entities import write_entities
from spacy_optical.runtime.decode import LabelledSpan

FOUND = [LabelledSpan(0, 2, "PER", 0.9), LabelledSpan(3, 4, "LOC", 0.6)]


@pytest.fixture
def doc() -> Doc:
    return Doc(Vocab(), words=["Amina", "Juma", "wa", "Nairobi", "leo"])


def ents(doc: Doc) -> list[tuple[int, int, str]]:
    return [(ent.start, ent.end, ent.label_) for ent in doc.ents]


def test_a_document_without_entities(doc: Doc) -> None:
    write_entities(doc, FOUND, spans_key="optical")
    assert ents(doc) == [(0, 2, "PER"), (3, 4, "LOC")]
    assert [token.ent_iob_ for token in doc] == ["B", "I", "O", "B", "O"]
    assert [(span.start, span.end, span.label_) for span in doc.spans["optical"]] == ents(doc)
    assert [ent._.score for ent in doc.ents] == [0.9, 0.6]
    assert doc.spans["optical"].attrs == {"scores": [0.9, 0.6]}


def test_without_a_group(doc: Doc) -> None:
    write_entities(doc, FOUND)
    assert ents(doc) == [(0, 2, "PER"), (3, 4, "LOC")]
    assert not doc.spans


def test_nothing_found_is_said_too(doc: Doc) -> None:
    write_entities(doc, [], spans_key="optical")
    assert [token.ent_iob_ for token in doc] == ["O"] * 5
    assert len(doc.spans["optical"]) == len(doc.spans["optical"].attrs["scores"]) == 0


def test_empty_document() -> None:
    doc = Doc(Vocab(), words=[])
    write_entities(doc, [], spans_key="optical")
    assert ents(doc) == []


def test_earlier_entities_stay(doc: Doc) -> None:
    doc.set_ents([Span(doc, 1, 3, label="ORG", kb_id="Q1", span_id="own")])
    write_entities(doc, FOUND, spans_key="optical")
    assert ents(doc) == [(1, 3, "ORG"), (3, 4, "LOC")]
    assert (doc.ents[0].kb_id_, doc.ents[0].ent_id_) == ("Q1", "own")
    assert [ent._.score for ent in doc.ents] == [None, 0.6]
    assert len(doc.spans["optical"]) == 2


def test_overwrite_replaces_what_overlaps(doc: Doc) -> None:
    doc.set_ents(
        [Span(doc, 1, 3, label="ORG", kb_id="Q1", span_id="own"), Span(doc, 4, 5, label="DATE")]
    )
    write_entities(doc, FOUND, spans_key="optical", overwrite=True)
    assert ents(doc) == [(0, 2, "PER"), (3, 4, "LOC"), (4, 5, "DATE")]
    assert [(token.ent_id_, token.ent_kb_id_) for token in doc] == [("", "")] * 5
    assert [token.ent_iob_ for token in doc] == ["B", "I", "O", "B", "B"]
    assert [ent._.score for ent in doc.ents] == [0.9, 0.6, None]


def test_blocked_tokens_stay_out_of_entities(doc: Doc) -> None:
    doc.set_ents([], blocked=[Span(doc, 1, 2)], default="missing")
    write_entities(doc, FOUND, spans_key="optical")
    assert ents(doc) == [(3, 4, "LOC")]
    assert (doc[1].ent_iob_, doc[1].ent_type_) == ("B", "")
    assert len(doc.spans["optical"]) == 2
    write_entities(doc, FOUND, spans_key="optical", overwrite=True)
    assert ents(doc) == [(0, 2, "PER"), (3, 4, "LOC")]


@pytest.mark.parametrize("overwrite", [False, True])
def test_twice_is_once(doc: Doc, overwrite: bool) -> None:
    for _ in range(2):
        write_entities(doc, FOUND, spans_key="optical", overwrite=overwrite)
    assert ents(doc) == [(0, 2, "PER"), (3, 4, "LOC")]
    assert [ent._.score for ent in doc.ents] == [0.9, 0.6]


def test_scores_survive_serialisation(doc: Doc) -> None:
    write_entities(doc, FOUND, spans_key="optical")
    read = Doc(Vocab()).from_bytes(doc.to_bytes())
    group = read.spans["optical"]
    assert group.attrs["scores"] == [0.9, 0.6] == [ent._.score for ent in read.ents]
    assert [span.label_ for span in group] == ["PER", "LOC"]
