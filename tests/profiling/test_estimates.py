import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_optical.profiling.estimates import (
    independent_ratio,
    macro_estimate,
    macro_ratio,
    median_estimate,
    pooled_percentiles,
    ratio_estimate,
    score_estimates,
)

POSITIVE = st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=9)


@given(samples=POSITIVE)
def test_a_median_lies_in_its_interval(samples: list[float]) -> None:
    found = median_estimate(samples, seed=0)
    assert found.value == pytest.approx(float(np.median(samples)))
    assert min(samples) <= found.low <= found.high <= max(samples)
    assert found.samples == samples


@given(samples=POSITIVE)
def test_the_same_samples_have_a_ratio_of_one(samples: list[float]) -> None:
    paired = ratio_estimate(samples, samples, seed=0)
    assert (paired.value, paired.low, paired.high) == (1, 1, 1)
    unpaired = independent_ratio(samples, samples, seed=0)
    assert unpaired.value == 1
    assert unpaired.low <= 1 + 1e-9
    assert unpaired.high >= 1 - 1e-9


def test_noise_of_a_run_cancels_in_paired_ratios() -> None:
    drift = np.array([1.0, 1.4, 0.8, 2.0])
    found = ratio_estimate(list(3 * drift), list(drift), seed=0)
    assert (found.value, found.low, found.high) == pytest.approx((3, 3, 3))


def test_percentiles_pool_the_calls_of_all_rounds() -> None:
    rounds = [np.array([1.0, 2.0, 3.0]), np.array([]), np.array([4.0, 5.0])]
    p50, p90 = pooled_percentiles(rounds, (50, 90), seed=0)
    assert p50.value == 3.0
    assert p90.value == pytest.approx(4.6)
    assert p50.samples == [2.0, 4.5]
    assert (p50.low, p50.high) == (2.0, 4.5)
    (alone,) = pooled_percentiles(rounds[:1], (50,), seed=0)
    assert (alone.low, alone.value, alone.high) == (2.0, 2.0, 2.0)
    (alone,) = pooled_percentiles(rounds[:1], (99,), seed=0)
    assert (alone.low, alone.high) == (alone.value, alone.value)


def test_scores_of_equal_sentences_are_certain() -> None:
    precision, recall, f1 = score_estimates(np.array([[1.0, 1.0, 0.0]] * 9), seed=0)
    assert (precision.low, precision.value, precision.high) == (0.5, 0.5, 0.5)
    assert (recall.low, recall.high) == (1.0, 1.0)
    assert f1.value == pytest.approx(2 / 3)


def test_pipelines_with_the_same_sentences_get_the_same_resamples() -> None:
    rng = np.random.default_rng(0)
    counts = {"sw": rng.integers(0, 3, size=(30, 3)).astype(float) + 1}
    ratio = macro_ratio(counts, counts, seed=0)
    assert ratio is not None
    assert (ratio.low, ratio.value, ratio.high) == (1, 1, 1)


def test_a_share_of_an_f1_that_may_be_0_is_not_known() -> None:
    counts = {"sw": np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]])}
    assert macro_ratio(counts, {"sw": counts["sw"] * [0, 1, 1]}, seed=0) is None


def test_the_share_is_of_means_over_languages() -> None:
    own = {"sw": np.array([[1.0, 0.0, 0.0]] * 9), "fi": np.array([[0.0, 1.0, 1.0]])}
    base = {"sw": np.array([[1.0, 0.0, 0.0]] * 9), "fi": np.array([[1.0, 0.0, 0.0]])}
    assert macro_estimate(own, seed=0).value == pytest.approx(0.5)
    ratio = macro_ratio(own, base, seed=0)
    assert ratio is not None
    assert ratio.value == pytest.approx(0.5)
