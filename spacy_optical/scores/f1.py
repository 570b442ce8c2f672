"""Precision, recall and F1 from counts, each from 0 to 100."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Score:
    """Precision, recall and F1, each from 0 to 100, and the number of gold spans."""

    precision: float
    recall: float
    f1: float
    gold: int


def score(counts: ArrayLike) -> Score:
    """Compute the score of all sentences together (micro average).

    counts (ndarray): [sentences, 3]: true positives, false positives, false negatives.
    RETURNS (Score): The score. Values with a denominator of 0 are 0.

    >>> score([[1, 1, 0], [2, 0, 1]])
    Score(precision=75.0, recall=75.0, f1=75.0, gold=4)
    """
    sums = np.asarray(counts).sum(axis=0)
    precision, recall, f1 = precision_recall_f1(sums).tolist()
    return Score(precision, recall, f1, int(sums[0] + sums[2]))


def precision_recall_f1(counts: ArrayLike) -> NDArray[np.float64]:
    r"""Compute precision, recall and F1 from counts.

    $$ P = \frac{100\,tp}{tp + fp}, \quad R = \frac{100\,tp}{tp + fn}, \quad
       F_1 = \frac{200\,tp}{2\,tp + fp + fn} $$

    counts (ndarray): [..., 3]: true positives, false positives, false negatives.
    RETURNS (ndarray): [..., 3]: precision, recall and F1, each from 0 to 100. Values with a
        denominator of 0 are 0.

    >>> precision_recall_f1([[3, 1, 2], [0, 0, 0]]).round(1).tolist()
    [[75.0, 60.0, 66.7], [0.0, 0.0, 0.0]]
    """
    tp, fp, fn = np.moveaxis(np.asarray(counts, dtype=np.float64), -1, 0)
    precision = 100 * tp / np.maximum(tp + fp, 1)
    recall = 100 * tp / np.maximum(tp + fn, 1)
    f1 = 200 * tp / np.maximum(2 * tp + fp + fn, 1)
    return np.stack([precision, recall, f1], axis=-1)
