from pathlib import Path

import pytest

from spacy_optical.data.docs import (
    EVALUATION_ONLY,
    make_doc,
    read_docs,
    read_training_docs,
    write_docs,
)
from spacy_optical.data.markup import parse_markup
from spacy_optical.data.parallel import LABELS
from spacy_optical.errors import OpticalError


def doc_of(marked: str, language: str = "en"):
    return make_doc(parse_markup(marked, LABELS, where="f"), language, where="f, line 1")


def test_round_trip(tmp_path: Path):
    docs = [doc_of("[Amina Juma](PER) is in [Pune](LOC)."), doc_of("Nobody.")]
    write_docs(docs, tmp_path / "deep" / "train.spacy")
    found = read_training_docs(tmp_path / "deep" / "train.spacy")
    assert [doc.text for doc in found] == [doc.text for doc in docs]
    assert [[(e.text, e.label_) for e in doc.ents] for doc in found] == [
        [("Amina Juma", "PER"), ("Pune", "LOC")],
        [],
    ]


def test_entity_inside_a_word():
    with pytest.raises(OpticalError, match=r"E204\] f, line 1: the entity 'Pu'"):
        doc_of("In [Pu](LOC)ne.")


def test_language_that_spacy_lacks():
    assert [ent.text for ent in doc_of("[Amina](PER) waa.", "so").ents] == ["Amina"]


def test_gold_never_trains(tmp_path: Path):
    path = tmp_path / "sw-dev.spacy"
    gold = doc_of("[Juma](PER)")
    gold.user_data[EVALUATION_ONLY] = True
    write_docs([doc_of("Habari."), gold], path)
    assert len(read_docs(path)) == 2
    with pytest.raises(OpticalError, match=r"E207.*sw-dev\.spacy.*evaluation only"):
        read_training_docs(path)


@pytest.mark.parametrize("kept", [0, 1, 40, -1])
def test_damaged(tmp_path: Path, kept: int):
    path = tmp_path / "train.spacy"
    write_docs([doc_of("[Amina](PER) left.")], path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(OpticalError, match=r"E205.*train\.spacy"):
        read_docs(path)


def test_missing_and_empty(tmp_path: Path):
    with pytest.raises(OpticalError, match="E002"):
        read_docs(tmp_path / "none.spacy")
    write_docs([], tmp_path / "empty.spacy")
    with pytest.raises(OpticalError, match="E206"):
        read_docs(tmp_path / "empty.spacy")
