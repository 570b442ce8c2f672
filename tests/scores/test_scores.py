import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_optical.errors import OpticalError
from spacy_optical.scores import (
    bootstrap_interval,
    macro_f1_interval,
    precision_recall_f1,
    score,
    score_intervals,
    span_counts,
)

GOLD = [[(0, 2, "PER"), (4, 5, "LOC")], [(1, 2, "ORG")], []]
PREDICTED = [[(0, 2, "PER"), (4, 6, "LOC")], [(1, 2, "LOC"), (3, 4, "ORG")], []]


def test_a_span_is_correct_if_start_end_and_label_are():
    counts = span_counts(GOLD, PREDICTED)
    assert counts.tolist() == [[1, 1, 1], [0, 2, 1], [0, 0, 0]]
    found = score(counts)
    assert found.precision == pytest.approx(25)
    assert found.recall == pytest.approx(100 / 3)
    assert found.f1 == pytest.approx(200 / 7)
    assert found.gold == 3
    assert score(span_counts(GOLD, PREDICTED, "PER")).f1 == 100


def test_a_repeated_span_counts_twice():
    assert span_counts([[(0, 1, "PER")]], [[(0, 1, "PER")] * 2]).tolist() == [[1, 1, 0]]


def test_nothing_scores_zero():
    nothing = span_counts([], [])
    assert score(nothing).f1 == 0
    assert score_intervals(nothing) == [(0, 0)] * 3
    assert macro_f1_interval([nothing]) == (0, 0)


def test_sentences_must_match():
    with pytest.raises(OpticalError, match=r"E314.*3 gold sentences and 1"):
        span_counts(GOLD, PREDICTED[:1])


def test_scores_of_hand():
    counts = [[3, 1, 2], [0, 0, 0], [0, 2, 0], [0, 0, 2]]
    expected = [[75, 60, 200 / 3], [0, 0, 0], [0, 0, 0], [0, 0, 0]]
    np.testing.assert_allclose(precision_recall_f1(counts), expected)
    assert score(counts).f1 == pytest.approx(600 / 13)


def test_an_interval_holds_the_score_and_narrows_with_more_sentences():
    rng = np.random.default_rng(0)
    right = rng.random(2000) < 0.7
    counts = np.stack([right, ~right, ~right], axis=1).astype(int)
    few, many = macro_f1_interval([counts[:100]]), macro_f1_interval([counts])
    assert many[0] < score(counts).f1 < many[1]
    # The binomial interval of 2,000 draws at 0.7 is 4.0 wide.
    assert many[1] - many[0] == pytest.approx(4.0, abs=0.4)
    assert few[1] - few[0] > 3 * (many[1] - many[0])
    assert macro_f1_interval([counts]) == many
    precision, recall, f1 = score_intervals(counts)
    assert f1 == many
    assert precision == recall == pytest.approx(f1)


def test_two_systems_are_compared_on_the_same_resamples():
    rng = np.random.default_rng(0)
    counts = [rng.integers(0, 3, size=(n, 3)) for n in (40, 25)]
    assert macro_f1_interval(counts, counts) == (0, 0)
    better = [rows + np.array([1, 0, 0]) for rows in counts]
    low, high = macro_f1_interval(better, counts)
    assert 0 < low < high
    apart = [macro_f1_interval(one) for one in (better, counts)]
    assert high - low < sum(high - low for low, high in apart)


def test_macro_is_the_mean_of_languages_not_of_sentences():
    many, one = np.array([[1, 0, 0]] * 9), np.array([[0, 1, 1]])
    assert macro_f1_interval([many, one]) == (50, 50)


@given(values=st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=9))
def test_a_median_lies_in_its_interval(values):
    low, high = bootstrap_interval(np.median, values, resamples=99)
    assert min(values) <= low <= np.median(values) <= high <= max(values)


def test_samples_are_resampled_on_their_own_and_their_rows_together():
    drift = np.array([1.0, 1.4, 0.8, 2.0, 1.1])

    def ratio(above, below, axis):
        return np.median(above, axis=axis) / np.median(below, axis=axis)

    def paired(rows, axis):
        return np.median(rows[0] / rows[1], axis=axis)

    assert bootstrap_interval(paired, [3 * drift, drift]) == pytest.approx((3, 3))
    low, high = bootstrap_interval(ratio, 3 * drift, drift)
    assert low < 2.5 < 3.5 < high


def test_a_confidence_level_and_a_seed_are_followed():
    values = np.arange(50.0)
    wide = bootstrap_interval(np.mean, values, level=0.99)
    narrow = bootstrap_interval(np.mean, values, level=0.5)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]
    assert bootstrap_interval(np.mean, values, level=0.5, seed=1) != narrow


def test_the_interval_of_one_observation_is_the_statistic_itself():
    def length(drawn, axis):
        return np.full(drawn.shape[:-1], drawn.shape[axis], float)

    assert bootstrap_interval(length, [5.0]) == (1.0, 1.0)
