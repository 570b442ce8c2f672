"""Estimates with intervals from the bootstrap over rounds, processes or sentences."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..scores import (
    bootstrap_interval,
    macro_f1_interval,
    macro_f1_ratio,
    precision_recall_f1,
    score_intervals,
)
from .schema import Estimate

Counts = Mapping[str, NDArray[np.float64]]
# Fewer than usual, because a resample may have tens of thousands of calls.
POOLED_RESAMPLES = 300


def median_estimate(samples: Sequence[float], seed: int) -> Estimate:
    """Estimate the median of samples."""
    low, high = bootstrap_interval(np.median, samples, seed=seed)
    return Estimate(value=float(np.median(samples)), low=low, high=high, samples=list(samples))


def ratio_estimate(
    numerators: Sequence[float], denominators: Sequence[float], seed: int
) -> Estimate:
    """Estimate the median of the ratios of samples from the same rounds."""
    pairs = zip(numerators, denominators, strict=False)
    return median_estimate([above / below for above, below in pairs], seed)


def independent_ratio(
    numerators: Sequence[float], denominators: Sequence[float], seed: int
) -> Estimate:
    """Estimate the ratio of the medians of samples from different runs."""

    def ratio(above: NDArray[Any], below: NDArray[Any], axis: int = -1) -> Any:
        return np.median(above, axis=axis) / np.median(below, axis=axis)

    low, high = bootstrap_interval(ratio, numerators, denominators, seed=seed)
    value = float(ratio(np.asarray(numerators), np.asarray(denominators)))
    return Estimate(value=value, low=low, high=high)


def pooled_percentiles(
    rounds: Sequence[NDArray[np.float64]], percentiles: Sequence[float], seed: int
) -> list[Estimate]:
    """Estimate percentiles of the calls of all rounds. The bootstrap resamples whole rounds.

    rounds (Sequence[ndarray]): The times of the calls of each round. Empty rounds are ignored.
    percentiles (Sequence[float]): The percentiles, 0 to 100.
    seed (int): The seed of the bootstrap.
    RETURNS (List[Estimate]): One for each percentile. The samples are the values of the rounds.
    """
    rounds = [calls for calls in rounds if len(calls)]

    def pooled(drawn: NDArray[Any]) -> NDArray[np.float64]:
        return np.percentile(np.concatenate([rounds[int(at)] for at in drawn]), percentiles)

    def statistic(drawn: NDArray[Any], axis: int) -> NDArray[np.float64]:
        return np.moveaxis(np.apply_along_axis(pooled, axis, drawn), axis, 0)

    every = np.arange(len(rounds))
    lows, highs = bootstrap_interval(statistic, every, resamples=POOLED_RESAMPLES, seed=seed)
    samples = np.array([np.percentile(calls, percentiles) for calls in rounds])
    figures = zip(pooled(every), lows, highs, samples.T.tolist(), strict=True)
    return [Estimate(value=v, low=low, high=high, samples=each) for v, low, high, each in figures]


def score_estimates(counts: NDArray[np.float64], seed: int) -> list[Estimate]:
    """Estimate precision, recall and F1, with intervals over sentences."""
    values = precision_recall_f1(counts.sum(axis=0)).tolist()
    pairs = zip(values, score_intervals(counts, seed=seed), strict=True)
    return [_fraction(value, *interval) for value, interval in pairs]


def macro_estimate(counts: Counts, seed: int) -> Estimate:
    """Estimate the mean F1 of languages, with the interval over sentences."""
    own = list(counts.values())
    f1 = float(np.mean([precision_recall_f1(rows.sum(axis=0))[2] for rows in own]))
    return _fraction(f1, *macro_f1_interval(own, seed=seed))


def macro_ratio(counts: Counts, base: Counts, seed: int) -> Estimate | None:
    """Estimate the ratio of two macro F1. None if the macro F1 of `base` may be 0."""
    others = [base[language] for language in counts]
    value, low, high = macro_f1_ratio(list(counts.values()), others, seed=seed)
    return Estimate(value=value, low=low, high=high) if np.isfinite(high) else None


def _fraction(value: float, low: float, high: float) -> Estimate:
    return Estimate(value=value / 100, low=low / 100, high=high / 100)
