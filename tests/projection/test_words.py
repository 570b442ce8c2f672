import pytest
import spacy
from spacy.tokens import Span

from spacy_optical.data.word_tokenizer import tokenizer_for
from spacy_optical.errors import OpticalError
from spacy_optical.projection.words import (
    check_map,
    label_map,
    load_labeller,
    sentence_of,
)


def test_tokens_that_are_only_space_are_no_words():
    doc = spacy.blank("en")("Amina  Juma left\n Nairobi")
    left = [token.text for token in doc].index("left")
    doc.set_ents([Span(doc, 0, left, label="PERSON"), Span(doc, left + 1, len(doc), label="GPE")])
    found = sentence_of(doc, {"PERSON": "PER"})
    assert found.words == ("Amina", "Juma", "left", "Nairobi")
    assert found.spans == ((0, 2, "PER"),)
    assert [doc[i].text for i in found.tokens] == list(found.words)
    assert sentence_of(doc).spans == ((0, 2, "PERSON"), (3, 4, "GPE"))


def test_languages_that_spacy_does_not_know_are_split_all_the_same():
    assert sentence_of(tokenizer_for("qqq")("Amina, njoo!")).words == ("Amina", ",", "njoo", "!")


def test_label_maps():
    assert label_map(" PERSON = PER , DATE") == {"PERSON": "PER", "DATE": "DATE"}
    assert label_map("") is None
    for bad in ("PERSON=", "=PER", "PER,,LOC"):
        with pytest.raises(OpticalError, match="E317"):
            label_map(bad)


def test_a_pipeline_that_is_not_there_is_named(tmp_path):
    with pytest.raises(OpticalError, match=r"E318.*no_such_pipeline"):
        load_labeller("no_such_pipeline")
    with pytest.raises(OpticalError, match="E318"):
        load_labeller(tmp_path)
    spacy.blank("en").to_disk(tmp_path)
    config = tmp_path / "config.cfg"
    config.write_text(
        config.read_text().replace("pipeline = []", 'pipeline = ["other"]')
        + '\n[components.other]\nfactory = "not_installed"\n'
    )
    with pytest.raises(OpticalError, match=r"E318.*not_installed"):
        load_labeller(tmp_path)


def test_labels_that_the_labeller_lacks_are_named():
    nlp = spacy.blank("en")
    check_map({"PERSN": "PER"}, nlp)  # nobody says what labels there are
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "PERSON", "pattern": "Amina"}])
    check_map({"PERSON": "PER"}, nlp)
    with pytest.raises(OpticalError, match=r"E323.*has GPE, PERSN, but .* only PERSON\."):
        check_map({"PERSN": "PER", "PERSON": "PER", "GPE": "LOC"}, nlp)
