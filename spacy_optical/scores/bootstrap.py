"""Confidence intervals by resampling (percentile bootstrap)."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..compat import require
from .f1 import precision_recall_f1

Counts = NDArray[Any]
# The minimum of a divisor, in points of F1.
LEAST_F1 = 1e-3
# Resamples that are held in memory at the same time.
BATCH = 100


def bootstrap_interval(
    statistic: Callable[..., Any],
    *samples: ArrayLike,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[Any, Any]:
    """Compute the bootstrap confidence interval of a statistic.

    statistic (Callable): Takes the samples and the keyword argument `axis`, the axis of the
        observations, and reduces this axis to an average, as `numpy.median` does.
    samples (ndarray): One or more samples, [..., observations], with at least one observation each.
        The samples are resampled independently. The rows of a sample are resampled together, so
        paired observations must be rows of the same sample.
    resamples (int): Number of resamples.
    level (float): Confidence level, 0 to 1.
    seed (int): Seed of the resampling. The same seed and sizes give the same resamples.
    RETURNS (Tuple): The lower and the upper bound, of the type that the statistic returns. With one
        observation in each sample, both are the statistic itself.

    >>> bootstrap_interval(np.median, [3.0, 3.0, 3.0])
    (3.0, 3.0)
    """
    arrays = [np.asarray(sample) for sample in samples]
    if all(x.shape[-1] == 1 for x in arrays):
        only = statistic(*arrays, axis=-1)
        return (float(only), float(only)) if np.ndim(only) == 0 else (only, only)
    result = require("scipy.stats", "profile").bootstrap(
        # scipy needs two observations. Two copies have the same average.
        [np.repeat(x, 2, axis=-1) if x.shape[-1] == 1 else x for x in arrays],
        statistic,
        axis=-1,
        vectorized=True,
        method="percentile",
        n_resamples=resamples,
        batch=BATCH,
        rng=seed,
    )
    # With equal values, the interval that scipy computes differs from them in the last bit.
    tail = 50 * (1 - level)
    low, high = np.percentile(result.bootstrap_distribution, [tail, 100 - tail], axis=-1)
    return (float(low), float(high)) if np.ndim(low) == 0 else (low, high)


def score_intervals(counts: Counts, **settings: Any) -> list[tuple[float, float]]:
    """Compute the confidence intervals of precision, recall and F1 over sentences.

    counts (ndarray): [sentences, 3], as `span_counts` returns them.
    **settings: `resamples`, `level` and `seed` of `bootstrap_interval`.
    RETURNS (List[Tuple[float, float]]): Lower and upper bound of precision, recall and F1, 0 to
        100. All are 0 without sentences.

    >>> score_intervals(np.array([[1, 1, 0]] * 5))
    [(50.0, 50.0), (100.0, 100.0), (66.66666666666667, 66.66666666666667)]
    """

    def statistic(drawn: NDArray[Any], axis: int) -> NDArray[np.float64]:
        return np.moveaxis(_scores(drawn, axis), -1, 0)

    low, high = bootstrap_interval(statistic, _rows(counts), **settings)
    return list(zip(low.tolist(), high.tolist(), strict=True))


def macro_f1_interval(
    counts: Sequence[Counts], minus: Sequence[Counts] | None = None, **settings: Any
) -> tuple[float, float]:
    """Compute the confidence interval of the mean F1 over languages, or of a difference of two.

    counts (Sequence[ndarray]): For each language [sentences, 3], as `span_counts` returns them.
    minus (Optional[Sequence[ndarray]]): The counts of another system on the same sentences, to get
        the interval of the difference. Both use the same resamples.
    **settings: `resamples`, `level` and `seed` of `bootstrap_interval`.
    RETURNS (Tuple[float, float]): Lower and upper bound in points of F1, 0 to 100.

    >>> macro_f1_interval([np.array([[1, 0, 0]] * 9), np.array([[0, 1, 1]])])
    (50.0, 50.0)
    """
    samples = [_rows(own) for own in counts] if minus is None else _paired(counts, minus)

    def statistic(*drawn: NDArray[Any], axis: int) -> NDArray[np.float64]:
        value = _macro_f1([part[:3] for part in drawn], axis)
        if minus is not None:
            value = value - _macro_f1([part[3:] for part in drawn], axis)
        return value

    return bootstrap_interval(statistic, *samples, **settings)


def macro_f1_ratio(
    counts: Sequence[Counts], base: Sequence[Counts], **settings: Any
) -> tuple[float, float, float]:
    """Compute the mean F1 over languages divided by that of another system on the same sentences.

    counts (Sequence[ndarray]): For each language [sentences, 3], as `span_counts` returns them.
    base (Sequence[ndarray]): The counts of the other system on the same sentences.
    **settings: `resamples`, `level` and `seed` of `bootstrap_interval`.
    RETURNS (Tuple[float, float, float]): The ratio with its lower and upper bound. Both systems use
        the same resamples. The upper bound is infinite if the F1 of the other system can be 0.

    >>> macro_f1_ratio([np.array([[1, 1, 1]])], [np.array([[1, 0, 0]])])
    (0.5, 0.5, 0.5)
    """
    samples = _paired(counts, base)

    def statistic(*drawn: NDArray[Any], axis: int = -1) -> NDArray[np.float64]:
        other = _macro_f1([part[3:] for part in drawn], axis)
        return _macro_f1([part[:3] for part in drawn], axis) / np.maximum(other, LEAST_F1)

    low, high = bootstrap_interval(statistic, *samples, **settings)
    return float(statistic(*samples)), low, high if high < 1 / LEAST_F1 else np.inf


def _scores(drawn: NDArray[Any], axis: int) -> NDArray[np.float64]:
    return precision_recall_f1(np.moveaxis(drawn.sum(axis=axis), 0, -1))


def _macro_f1(drawn: Sequence[NDArray[Any]], axis: int) -> NDArray[np.float64]:
    return np.mean([_scores(part, axis)[..., 2] for part in drawn], axis=0)


def _paired(counts: Sequence[Counts], others: Sequence[Counts]) -> list[Counts]:
    both = zip(counts, others, strict=True)
    return [np.concatenate([_rows(own), _rows(other)]) for own, other in both]


def _rows(counts: Counts) -> Counts:
    """Transpose counts, so that observations are last. No sentences are scored as an empty one."""
    return np.asarray(counts if len(counts) else np.zeros((1, 3))).T
