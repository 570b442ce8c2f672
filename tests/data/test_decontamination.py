import pytest

from spacy_optical.data.decontamination import GoldIndex, key_of

GOLD = "Amina Juma alisema Jumatatu kwamba mvua itanyesha huko Nairobi wiki hii ."


@pytest.fixture
def gold_index() -> GoldIndex:
    return GoldIndex([GOLD.split(), ["Nairobi", "."], ["१२", "मुंबईत"]])


@pytest.mark.parametrize(
    "text",
    [
        "Amina Juma alisema Jumatatu, kwamba mvua itanyesha huko Nairobi wiki hii!",
        "NAIROBI",
        "१२ मुंबईत.",
    ],
)
def test_same_but_for_case_spaces_and_punctuation(gold_index, text):
    assert gold_index.same(text)
    assert gold_index.overlaps(text)


def test_text_that_holds_a_gold_sentence_overlaps(gold_index):
    longer = f"Habari za leo: {GOLD} Watu wengi walifurahi sana kusikia hayo yote."
    assert not gold_index.same(longer)
    assert gold_index.overlaps(longer)


@pytest.mark.parametrize(
    "text",
    [
        "Amina Juma alisema Jumatatu kwamba barabara ya Nairobi imefungwa wiki hii.",
        "Nairobi ni mji mkuu wa Kenya.",
        "मुंबईत १२",
        "",
    ],
)
def test_text_that_shares_a_few_words_does_not(gold_index, text):
    assert not gold_index.overlaps(text)


def test_vowel_signs_are_part_of_the_key():
    assert key_of("की") != key_of("का")


def test_texts_without_letters_keep_apart():
    assert key_of("...") != key_of("!")
