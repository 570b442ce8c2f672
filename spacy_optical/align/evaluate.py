"""Judging alignments and projections, with intervals that say how sure the figures are."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import Errors, OpticalError
from .transport import Plan

Span = tuple[int, int, str]
Links = set[tuple[int, int]]


@dataclass(frozen=True)
class SpanScore:
    """Precision, recall and F1 of labelled spans, each 0 to 100, with the number of gold ones."""

    precision: float
    recall: float
    f1: float
    gold: int


def span_counts(
    gold: Sequence[Sequence[Span]], found: Sequence[Sequence[Span]], label: str | None = None
) -> NDArray[np.int64]:
    """Count each sentence's right, found and gold spans.

    A span is right if start, end and label are; a span that is there twice counts twice.

    gold (Sequence[Sequence[Span]]): Start, end and label of the gold spans of each sentence.
    found (Sequence[Sequence[Span]]): The same of those to be judged.
    label (Optional[str]): Count this label only.
    RETURNS (ndarray): [sentences, 3]: right, found, gold.
    RAISES (OpticalError): If there are not as many sentences on both sides.
    """
    if len(gold) != len(found):
        raise OpticalError(Errors.E314.format(gold=len(gold), found=len(found)))
    rows = []
    for wanted, got in zip(gold, found, strict=True):
        left, right = (
            Counter((s, e, kind) for s, e, kind in spans if label in (None, kind))
            for spans in (wanted, got)
        )
        rows.append(((left & right).total(), right.total(), left.total()))
    return np.array(rows, dtype=np.int64).reshape(-1, 3)


def ceiling_counts(
    source: Sequence[Sequence[Span]], target: Sequence[Sequence[Span]]
) -> NDArray[np.int64]:
    """Count what a perfect projection could reach where two annotations differ.

    A projection keeps types, so that in each sentence at most as many spans of a type can be right
    as both annotations have.

    source (Sequence[Sequence[Span]]): The source side's gold spans of each sentence.
    target (Sequence[Sequence[Span]]): The target side's.
    RETURNS (ndarray): [sentences, 3]: right at best, found (the source's), gold (the target's).

    >>> ceiling_counts([[(0, 1, "PER")]], [[(4, 6, "PER"), (7, 8, "LOC")]]).tolist()
    [[1, 1, 2]]
    """
    types = [
        [[(0, 0, kind) for _, _, kind in spans] for spans in side] for side in (source, target)
    ]
    return span_counts(types[1], types[0])


def span_score(counts: NDArray[np.int64]) -> SpanScore:
    """Sum counts of sentences into precision, recall and F1 (micro).

    counts (ndarray): [sentences, 3], as `span_counts` gives them.
    RETURNS (SpanScore): 0 where nothing was found or nothing is gold.
    """
    right, found, gold = (int(n) for n in counts.sum(axis=0))
    return SpanScore(
        precision=100.0 * right / max(1, found),
        recall=100.0 * right / max(1, gold),
        f1=200.0 * right / max(1, found + gold),
        gold=gold,
    )


def bootstrap_interval(
    counts: NDArray[np.int64],
    minus: NDArray[np.int64] | None = None,
    *,
    samples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Say within which bounds F1 lies, by drawing sentences again and again.

    counts (ndarray): [sentences, 3], as `span_counts` gives them.
    minus (Optional[ndarray]): Another system's counts on the same sentences; the interval is then
        that of the difference of the two, both judged on the same draws.
    samples (int): Draws.
    level (float): The share of draws inside the interval.
    seed (int): Of the draws.
    RETURNS (Tuple[float, float]): Lower and upper bound, in points of F1.
    """
    size = len(counts)
    if not size:
        return (0.0, 0.0)
    drawn = np.random.default_rng(seed).multinomial(size, np.full(size, 1 / size), size=samples)
    values = _f1(drawn @ counts)
    if minus is not None:
        values = values - _f1(drawn @ minus)
    tail = 50.0 * (1 - level)
    low, high = np.percentile(values, [tail, 100 - tail])
    return float(low), float(high)


def alignment_error_rate(found: Links, sure: Links, possible: Links | None = None) -> float:
    r"""Give the alignment error rate of links (Och and Ney 2003, equation 38).

    $$ 1 - \frac{|A \cap S| + |A \cap P|}{|A| + |S|} $$

    found (Set[Tuple[int, int]]): $A$, source and target word.
    sure (Set[Tuple[int, int]]): $S$, gold links that must be there.
    possible (Optional[Set[Tuple[int, int]]]): $P$, gold links that may be; holds the sure ones.
    RETURNS (float): 0 (perfect) to 1.

    >>> alignment_error_rate({(0, 0), (1, 2)}, {(0, 0), (1, 1)})
    0.5
    """
    possible = sure | (possible or set())
    if not found and not sure:
        return 0.0
    return 1.0 - (len(found & sure) + len(found & possible)) / (len(found) + len(sure))


def links(plan: Plan, share: float = 0.5) -> Links:
    """Give the pairs of words that got at least a share of what they could have.

    plan (Plan): The plan.
    share (float): Of the lighter word's mass.
    RETURNS (Set[Tuple[int, int]]): Source and target word.
    """
    most = np.minimum(plan.source_mass[:, None], plan.target_mass[None, :])
    return {(int(i), int(j)) for i, j in np.argwhere(plan.matrix >= share * most)}


def null_ratio(plan: Plan, share: float = 0.5) -> float:
    """Give the share of words, both sides alike, of which less than a share moved.

    plan (Plan): The plan.
    share (float): Of the word's mass.
    RETURNS (float): 0 (every word has a counterpart) to 1.
    """
    return float(np.mean(np.append(plan.sent, plan.received) < share))


def plan_entropy(plan: Plan) -> float:
    r"""Say how spread a plan is: the mean entropy of where target words' mass came from.

    plan (Plan): The plan.
    RETURNS (float): Weighed by mass; 0 (each from one word) to 1 (each from all alike). 0 for a
        plan that moved nothing.
    """
    matrix = plan.matrix
    arrived = matrix.sum(axis=0)
    if len(matrix) < 2 or arrived.sum() <= 0:
        return 0.0
    shares = np.divide(matrix, arrived, out=np.zeros_like(matrix), where=arrived > 0)
    entropy = -(shares * np.log(np.where(shares > 0, shares, 1.0))).sum(axis=0)
    return float((entropy * arrived).sum() / arrived.sum() / np.log(len(matrix)))


def _f1(sums: NDArray[np.int64]) -> NDArray[np.float64]:
    return 200.0 * sums[:, 0] / np.maximum(1, sums[:, 1] + sums[:, 2])
