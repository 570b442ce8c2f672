import random
import re

import pytest

from spacy_optical.data.augment import augment_english, augment_pairs
from spacy_optical.data.markup import MarkedText, parse_markup
from spacy_optical.data.parallel import LABELS
from tests.util import markup_of

ENGLISH = [
    "[Amina](PER) met [Otto Fischer](PER) in [Kenya](LOC) on [3 May](DATE).",
    "[Kone](ORG) hired [Siti](PER) in [Lyon](LOC).",
    "No names at all.",
]


def marked(text: str) -> MarkedText:
    return parse_markup(text, LABELS, where="toy")


def pattern_of(sentence: MarkedText) -> str:
    """Everything around the names, and the types in between."""
    return re.sub(r"\[[^]]*\]", "[]", markup_of(sentence))


@pytest.mark.parametrize("seed", range(5))
def test_only_names_change(seed: int):
    sentences = [marked(text) for text in ENGLISH]
    patterns = {pattern_of(sentence) for sentence in sentences}
    known = {(e.label, s.surface(e)) for s in sentences for e in s.entities}
    made = augment_english(sentences, copies=4, seed=seed)
    assert made
    for copy in made:
        assert pattern_of(copy) in patterns
        assert {(e.label, copy.surface(e)) for e in copy.entities} <= known
        # Offsets are right: writing the markup and reading it gives the same again.
        assert marked(markup_of(copy)) == copy
    texts = [copy.text for copy in made]
    assert len(set(texts)) == len(texts)
    assert not set(texts) & {sentence.text for sentence in sentences}


def test_dates_of_english_stay():
    sentences = [marked(text) for text in ENGLISH]
    for copy in augment_english(sentences, copies=5, seed=0):
        assert all(copy.surface(e) == "3 May" for e in copy.entities if e.label == "DATE")


def test_no_copies():
    assert augment_english([marked(ENGLISH[0])], copies=0, seed=0) == []
    assert augment_pairs([(marked(ENGLISH[0]), "x")], "sw", copies=0, seed=0) == []


def test_target_changes_where_the_english_name_stands():
    pairs = [
        (marked("[Amina](PER) slept."), "Amina alilala."),
        (marked("[Otto](PER) ate."), "Otto alikula."),
    ]
    made = augment_pairs(pairs, "sw", copies=3, seed=0)
    assert set(made) == {("Otto slept.", "Otto alilala."), ("Amina ate.", "Amina alikula.")}


@pytest.mark.parametrize(
    "target",
    [
        "Aminalla oli nälkä.",  # inflected: not the same letters
        "Amina ja Amina.",  # twice: which one is meant?
        "Hän nukkui.",  # not named
        "amina nukkui.",  # another case
    ],
)
def test_other_targets_stay_and_so_does_the_english_name(target: str):
    pairs = [(marked("[Amina](PER) slept."), target), (marked("[Otto](PER) ate."), "Hän söi.")]
    assert augment_pairs(pairs, "fi", copies=5, seed=0) == []


def test_name_twice_in_english_stays():
    pairs = [
        (marked("[Amina](PER) called [Amina](PER)."), "Amina alipiga simu."),
        (marked("[Otto](PER) ate."), "Alikula."),
    ]
    assert augment_pairs(pairs, "sw", copies=5, seed=0) == []


@pytest.mark.parametrize("seed", range(20))
def test_names_are_exchanged_at_once(seed: int):
    """A name that was just written is not taken for the next one to exchange."""
    source = marked("[Amina](PER) met [Juma](PER).")
    target = "Amina alikutana na Jumaa."  # Juma does not stand there
    for english, swahili in augment_pairs([(source, target)], "sw", copies=2, seed=seed):
        assert english.endswith(" met Juma.")
        assert swahili.endswith(" alikutana na Jumaa.")
        assert english.split()[0] == swahili.split()[0]


def test_localised_territory():
    pairs = [(marked("It rained in [Germany](LOC)."), "Saksa sai sadetta.")]
    made = augment_pairs(pairs, "fi", copies=10, seed=0)
    assert made
    from babel import Locale

    names = {
        Locale("en").territories[code]: Locale("fi").territories[code]
        for code in Locale("en").territories
        if code in Locale("fi").territories
    }
    for english, finnish in made:
        country = english.removeprefix("It rained in ").removesuffix(".")
        assert finnish == f"{names[country]} sai sadetta."


def test_localised_month():
    pairs = [(marked("Due on [3 May](DATE)."), "Mwisho ni tarehe 3 Mei.")]
    made = augment_pairs(pairs, "sw", copies=10, seed=0)
    assert ("Due on 3 June.", "Mwisho ni tarehe 3 Juni.") in augment_pairs(
        pairs, "sw", copies=60, seed=0
    )
    assert all(re.fullmatch(r"Due on 3 \w+\.", english) for english, _ in made)


def test_language_that_cldr_lacks():
    pairs = [(marked("[Amina](PER) of [Kenya](LOC)"), "Amina xx"), (marked("[Otto](PER)"), "Otto")]
    assert ("Otto of Kenya", "Otto xx") in augment_pairs(pairs, "qqq", copies=3, seed=0)


def test_the_order_of_chance_is_the_seeds():
    random.seed(0)
    sentences = [marked(text) for text in ENGLISH]
    first = augment_english(sentences, copies=2, seed=7)
    random.seed(1)
    assert augment_english(sentences, copies=2, seed=7) == first


@pytest.mark.parametrize("seed", range(10))
def test_places_that_overlap_are_not_both_written(seed: int):
    """The country's local name stands within the person's: one of the two is exchanged."""
    pairs = [
        (marked("[Germany](LOC) hired [Anna Saksa](PER)."), "Anna Saksa sai työn."),
        (marked("[Siti](PER) ate."), "Hän söi."),
    ]
    for english, finnish in augment_pairs(pairs, "fi", copies=3, seed=seed):
        assert english.endswith(" hired Anna Saksa.")
        assert re.fullmatch(r"Anna .* sai työn\.", finnish)
