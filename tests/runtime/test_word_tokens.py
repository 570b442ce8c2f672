import spacy

from spacy_optical.runtime.word_tokens import word_tokens


def test_white_space_is_no_word():
    nlp = spacy.blank("xx")
    doc = nlp("Amina  Juma \n\u2028left\u00a0\u00a0.")
    assert [token.text for token in doc if token.is_space]
    assert [token.text for token in word_tokens(doc)] == ["Amina", "Juma", "left", "."]
    assert [doc[token.i].text for token in word_tokens(doc)] == ["Amina", "Juma", "left", "."]
    assert word_tokens(nlp(" \n ")) == []
