import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_optical.align import (
    AlignConfig,
    cosine,
    masses,
    pair_weight,
    parallelism,
    word_cost,
)
from spacy_optical.align.cost import folded
from spacy_optical.align.solvers import agreed
from spacy_optical.errors import OpticalError

PLAIN = AlignConfig(spelling=0, punctuation=0, case=0, distortion=0, agreement=0)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 8))
Y = RNG.normal(size=(3, 8))


def only(**cue):
    return PLAIN.model_copy(update=cue)


def cost_of(x, y, config, *words):
    return agreed(word_cost(cosine(x, y, centre=config.centre), config, *words), config)


def test_plain_cost_is_one_minus_the_centred_cosine():
    x, y = X - X.mean(axis=0), Y - Y.mean(axis=0)
    expected = 1 - (x @ y.T) / np.outer(np.linalg.norm(x, axis=1), np.linalg.norm(y, axis=1))
    assert cost_of(X, Y, PLAIN) == pytest.approx(expected)


def test_cosine_of_equal_vectors_is_defined():
    assert not np.isnan(cosine(np.ones((3, 5)), np.ones((2, 5)))).any()
    assert cosine(np.ones((1, 5)), np.ones((1, 5))) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("cue", "source", "target", "dearer"),
    [
        ({"spelling": 0.2}, ["Obama"], ["Obama", "Merkel"], 1),
        ({"spelling": 0.2}, ["Cagayan"], ["Cagayanjoen", "virrassa"], 1),
        ({"spelling": 0.2}, ["2024"], ["२०२४", "मुलाखत"], 1),
        ({"punctuation": 0.2}, ["said"], ["sagte", ","], 1),
    ],
)
def test_cues_make_what_does_not_belong_dearer(cue, source, target, dearer):
    x, y = np.eye(4)[:1], np.eye(4)[1:3]
    cost = cost_of(x, y, only(centre=False, **cue), source, target)
    reference = cost_of(x, y, only(centre=False), source, target)
    change = (cost - reference)[0]
    assert change[dearer] > change[1 - dearer]


def test_case_speaks_only_inside_a_sentence_and_only_where_there_is_case():
    config = only(case=0.3, centre=False)
    x, y = np.ones((2, 4)), np.ones((3, 4))
    found = cost_of(x, y, config, ["In", "Rome"], ["am", "in", "Rom"])
    assert found.round(6).tolist() == [[0, 0, 0], [0, 0.3, 0]]
    marathi = cost_of(x, y, config, ["In", "Rome"], ["ते", "रोममध्ये", "होते"])
    assert not marathi.any()


def test_agreement_prefers_what_both_words_choose():
    cost = cost_of(X, Y, only(agreement=0.1))
    assert ((cost >= 0) & (cost <= 1)).all()
    x = np.eye(4)
    same = cost_of(x, x, only(agreement=0.05))
    assert np.diag(same).max() < 0.01
    assert same[~np.eye(4, dtype=bool)].min() > 0.9


def test_distortion_grows_with_the_difference_of_place():
    cost = cost_of(np.ones((3, 4)), np.ones((3, 4)), only(centre=False, distortion=0.3))
    assert cost[0].tolist() == pytest.approx([0.0, 0.1, 0.2])


def test_folding_keeps_vowel_signs_and_drops_diacritics():
    assert folded("Mäkelä") == "makela"
    assert folded("Hel\u00adsin\u200bki\ufeff") == "helsinki"
    assert folded("मुंबई") != folded("मबई")


@pytest.mark.parametrize("how", ["uniform", "length"])
def test_masses_are_positive_and_sum_to_one(how):
    found = masses(only(masses=how), ["a", "few", "words", "!"], 4)
    assert found.sum() == pytest.approx(1)
    assert (found > 0).all()


def test_length_needs_the_words():
    with pytest.raises(OpticalError, match="E313"):
        masses(only(masses="length"), None, 2)


def test_parallelism_of_a_sentence_with_itself_is_one():
    assert parallelism(cosine(X, X)) == pytest.approx(1)
    assert parallelism(cosine(X, Y)) < 0.9


@pytest.mark.parametrize(
    ("source", "target", "code"),
    [
        (np.zeros((0, 4)), np.ones((2, 4)), "E301"),
        (np.ones((2, 4)), np.ones((0, 4)), "E301"),
        (np.array([[1.0, 2.0], [np.nan, 0.0]]), np.ones((2, 2)), "E302"),
        (np.ones((2, 2)), np.array([[np.inf, 0.0]]), "E302"),
        (np.ones((2, 3)), np.ones((2, 4)), "E303"),
        (np.ones(3), np.ones((2, 4)), "E305"),
    ],
)
def test_bad_vectors_are_named(source, target, code):
    with pytest.raises(OpticalError, match=code):
        cost_of(source, target, PLAIN)


def test_words_must_be_as_many_as_vectors():
    with pytest.raises(OpticalError, match="E304"):
        cost_of(X, Y, only(spelling=0.1), ["one"], ["a", "b", "c"])
    with pytest.raises(OpticalError, match="E304"):
        masses(only(masses="length"), ["one"], 4)


SHARE = st.floats(0, 1)


@given(SHARE, SHARE, SHARE, SHARE)
def test_weight_grows_with_likeness_from_nothing_to_all(least, sure, one, other):
    config = AlignConfig(skip_below=least, full_weight_above=sure)
    low, high = (pair_weight(similarity, config) for similarity in sorted((one, other)))
    assert 0 <= low <= high <= 1
    assert pair_weight(1.0, config) == 1
    assert pair_weight(max(least, sure), config) == 1
    if one < least:
        assert pair_weight(one, config) == 0


def test_shuffled_sentences_weigh_less():
    """Translations are noisy copies in a space where sentences differ; so are words, as in text."""
    rng = np.random.default_rng(1)
    sentences = rng.normal(size=(20, 12, 48))
    copies = sentences + rng.normal(scale=0.7, size=sentences.shape)
    weights = [
        [pair_weight(parallelism(cosine(x, y)), AlignConfig()) for y in copies] for x in sentences
    ]
    own = np.diag(weights)
    others = np.array(weights)[~np.eye(20, dtype=bool)]
    assert own.min() == 1
    assert others.mean() < 0.3
