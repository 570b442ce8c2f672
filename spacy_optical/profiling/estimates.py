"""Figures with their intervals: bootstrap over rounds, and over sentences for F1."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from .schema import Estimate

RESAMPLES = 1000
# Resampling pools all calls of the drawn rounds, which may be tens of thousands.
POOLED_RESAMPLES = 300
INTERVAL = (2.5, 97.5)


def median_estimate(samples: Sequence[float], seed: int) -> Estimate:
    """Give the median of samples with its bootstrap interval.

    samples (Sequence[float]): One value a round or a process, at least one.
    seed (int): Seed of the resampling.
    RETURNS (Estimate): The median; its interval is a point if there is one sample only.
    """
    values = np.asarray(samples, dtype=float)
    rng = np.random.default_rng(seed)
    drawn = values[rng.integers(len(values), size=(RESAMPLES, len(values)))]
    low, high = np.percentile(np.median(drawn, axis=1), INTERVAL)
    return Estimate(
        value=float(np.median(values)), low=float(low), high=float(high), samples=values.tolist()
    )


def ratio_estimate(
    numerators: Sequence[float], denominators: Sequence[float], seed: int
) -> Estimate:
    """Give the median of ratios of samples that were taken in the same rounds.

    numerators (Sequence[float]): One value a round.
    denominators (Sequence[float]): One value of the same rounds.
    seed (int): Seed of the resampling.
    RETURNS (Estimate): The median ratio with its bootstrap interval.
    """
    pairs = zip(numerators, denominators, strict=True)
    return median_estimate([above / below for above, below in pairs], seed)


def independent_ratio(
    numerators: Sequence[float], denominators: Sequence[float], seed: int
) -> Estimate:
    """Give the ratio of the medians of samples that were taken in different runs.

    numerators (Sequence[float]): Samples of one run.
    denominators (Sequence[float]): Samples of the other.
    seed (int): Seed of the resampling.
    RETURNS (Estimate): The ratio; its interval comes from resampling each run by itself.
    """
    rng = np.random.default_rng(seed)
    medians = []
    for samples in (numerators, denominators):
        values = np.asarray(samples, dtype=float)
        drawn = values[rng.integers(len(values), size=(RESAMPLES, len(values)))]
        medians.append(np.append(np.median(values), np.median(drawn, axis=1)))
    return estimate_of_draws(medians[0] / medians[1])


def pooled_percentiles(
    rounds: Sequence[NDArray[np.float64]], percentiles: Sequence[float], seed: int
) -> list[Estimate]:
    """Give percentiles of all calls together, with intervals from drawing whole rounds.

    rounds (Sequence[NDArray[float64]]): The calls of each round; rounds without any count for
        nothing.
    percentiles (Sequence[float]): 0 to 100.
    seed (int): Seed of the resampling.
    RETURNS (List[Estimate]): One for each percentile; the samples are those of the rounds.
    """
    rounds = [values for values in rounds if len(values)]
    rng = np.random.default_rng(seed)
    values = np.percentile(np.concatenate(rounds), percentiles)
    samples = np.array([np.percentile(values, percentiles) for values in rounds])
    resampled = np.array(
        [
            np.percentile(np.concatenate([rounds[at] for at in draw]), percentiles)
            for draw in rng.integers(len(rounds), size=(POOLED_RESAMPLES, len(rounds)))
        ]
    )
    lows, highs = np.percentile(resampled, INTERVAL, axis=0)
    return [
        Estimate(
            value=float(values[k]),
            low=float(lows[k]),
            high=float(highs[k]),
            samples=samples[:, k].tolist(),
        )
        for k in range(len(percentiles))
    ]


def precision_recall_f1(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn counts into scores.

    counts (NDArray[float64]): [..., 3]: true positives, false positives, false negatives.
    RETURNS (NDArray[float64]): [..., 3]: precision, recall, F1; 0 where nothing was to be found
        or nothing was found.
    """
    right, wrong, missed = np.moveaxis(counts, -1, 0)
    return np.stack(
        [
            right / np.maximum(right + wrong, 1),
            right / np.maximum(right + missed, 1),
            2 * right / np.maximum(2 * right + wrong + missed, 1),
        ],
        axis=-1,
    )


def resampled_counts(counts: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Sum the counts of sentences drawn with replacement.

    The draw depends on the seed and the number of sentences alone, so two pipelines judged on the
    same sentences get the same draws and may be compared draw by draw.

    counts (NDArray[float64]): [sentences, 3], as for `precision_recall_f1`.
    seed (int): Seed of the draws.
    RETURNS (NDArray[float64]): [draws, 3].
    """
    rng = np.random.default_rng(seed)
    draws = rng.integers(len(counts), size=(RESAMPLES, len(counts)))
    times_drawn = np.stack([np.bincount(draw, minlength=len(counts)) for draw in draws])
    return times_drawn @ counts


def score_estimates(counts: NDArray[np.float64], seed: int) -> list[Estimate]:
    """Give precision, recall and F1 with intervals over sentences.

    counts (NDArray[float64]): [sentences, 3], as for `precision_recall_f1`.
    seed (int): Seed of the draws.
    RETURNS (List[Estimate]): Precision, recall, F1.
    """
    values = precision_recall_f1(counts.sum(axis=0))
    lows, highs = np.percentile(
        precision_recall_f1(resampled_counts(counts, seed)), INTERVAL, axis=0
    )
    return [
        Estimate(value=float(value), low=float(low), high=float(high))
        for value, low, high in zip(values, lows, highs, strict=True)
    ]


def macro_draws(counts: Mapping[str, NDArray[np.float64]], seed: int) -> NDArray[np.float64]:
    """Give the mean F1 over languages for each draw of sentences; the first is the undrawn one.

    counts (Mapping[str, NDArray[float64]]): For each language [sentences, 3].
    seed (int): Seed of the draws.
    RETURNS (NDArray[float64]): [1 + draws].
    """
    by_language = []
    for rows in counts.values():
        sums = np.concatenate([rows.sum(axis=0, keepdims=True), resampled_counts(rows, seed)])
        by_language.append(precision_recall_f1(sums)[:, 2])
    return np.mean(by_language, axis=0)


def estimate_of_draws(draws: NDArray[np.float64]) -> Estimate:
    """Give an estimate whose value is the first of the draws.

    draws (NDArray[float64]): As `macro_draws` gives them.
    RETURNS (Estimate): The first with the interval of the others.
    """
    low, high = np.percentile(draws[1:], INTERVAL)
    return Estimate(value=float(draws[0]), low=float(low), high=float(high))
