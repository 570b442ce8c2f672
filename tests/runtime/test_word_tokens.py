import pytest
import spacy
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_optical.runtime.word_tokens import is_word, word_tokens, words_to_read


def test_white_space_is_no_word():
    nlp = spacy.blank("xx")
    doc = nlp("Amina  Juma \n\u2028left\u00a0\u00a0.")
    assert [token.text for token in doc if token.is_space]
    assert [token.text for token in word_tokens(doc)] == ["Amina", "Juma", "left", "."]
    assert [doc[token.i].text for token in word_tokens(doc)] == ["Amina", "Juma", "left", "."]
    assert word_tokens(nlp(" \n ")) == []


@pytest.mark.parametrize(
    "alone", ["\ufeff", "\u200b", "\u00ad", "\x07", "\x00", "\u034f", "\ufe0f"]
)
def test_invisible_characters_alone_are_no_word(alone: str):
    doc = Doc(Vocab(), words=["Amina", alone, f"Ju{alone}ma"])
    assert words_to_read(doc) == ([0, 2], ["Amina", f"Ju{alone}ma"])
    assert [token.i for token in word_tokens(doc)] == [0, 2]


@pytest.mark.parametrize("word", ["a", "\U0001f600", "\u0301e", "।", "$", "9", "पु", "😀\ufe0f"])
def test_visible_characters_are_words(word: str):
    assert is_word(word)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("NG'OMBE 12 WAUAWA MBEYA .", "Ng'ombe 12 Wauawa Mbeya ."),
        ("NATO YAKUTANA", "NATO YAKUTANA"),  # too short to tell
        ("UN NA EU ZAKUTANA na", "UN NA EU ZAKUTANA na"),
        ("Amina Juma", "Amina Juma"),
        ("अमिना जुमा पुण्यात आली", "अमिना जुमा पुण्यात आली"),  # no case
        ("12 30 45", "12 30 45"),
    ],
)
def test_a_text_in_capital_letters_is_read_with_one_a_word(text: str, read: str):
    doc = spacy.blank("xx")(text)
    assert words_to_read(doc) == ([token.i for token in word_tokens(doc)], read.split())
