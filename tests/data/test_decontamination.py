import pytest

from spacy_optical.data.decontamination import Judged, key_of

GOLD = "Amina Juma alisema Jumatatu kwamba mvua itanyesha huko Nairobi wiki hii ."


@pytest.fixture
def judged() -> Judged:
    return Judged([GOLD.split(), ["Nairobi", "."], ["१२", "मुंबईत"]])


@pytest.mark.parametrize(
    "text",
    [
        "Amina Juma alisema Jumatatu, kwamba mvua itanyesha huko Nairobi wiki hii!",
        "NAIROBI",
        "१२ मुंबईत.",
    ],
)
def test_same_but_for_case_spaces_and_punctuation(judged, text):
    assert judged.same(text)
    assert judged.overlaps(text)


def test_text_that_holds_a_gold_sentence_overlaps(judged):
    longer = f"Habari za leo: {GOLD} Watu wengi walifurahi sana kusikia hayo yote."
    assert not judged.same(longer)
    assert judged.overlaps(longer)


@pytest.mark.parametrize(
    "text",
    [
        "Amina Juma alisema Jumatatu kwamba barabara ya Nairobi imefungwa wiki hii.",
        "Nairobi ni mji mkuu wa Kenya.",
        "मुंबईत १२",
        "",
    ],
)
def test_text_that_shares_a_few_words_does_not(judged, text):
    assert not judged.overlaps(text)


def test_vowel_signs_are_part_of_the_key():
    assert key_of("की") != key_of("का")


def test_texts_without_letters_keep_apart():
    assert key_of("...") != key_of("!")
