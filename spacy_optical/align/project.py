"""Project labels through a plan: distributions of words, and whole spans."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import Errors, OpticalError
from .config import AlignConfig
from .cost import pair_weight
from .transport import Plan, align_words

# Their translations are not part of a name.
ARTICLES = frozenset({"the", "a", "an"})
_NOTHING = 1e-12
# Candidates for each span. If another span overlaps the best one, the next one is used.
_ALTERNATIVES = 16


class Projected(NamedTuple):
    """Projected distributions and their reliability.

    probs (ndarray): [n, k], each row sums to 1. Uniform for words that received no mass.
    mass (ndarray): [n], the received share of the mass of the word, 0 to 1.
    entropy (ndarray): [n], entropy of the source words, 0 (one word) to 1 (uniform, or no mass).
    """

    probs: NDArray[np.float64]
    mass: NDArray[np.float64]
    entropy: NDArray[np.float64]


class ProjectedSpan(NamedTuple):
    """A labelled span of target words, `end` excluded, with a confidence from 0 to 1."""

    start: int
    end: int
    label: str
    confidence: float


def align_and_project(
    source_vectors: np.ndarray,
    target_vectors: np.ndarray,
    source_words: Sequence[str],
    target_words: Sequence[str],
    source_spans: Sequence[tuple[int, int, str]],
    config: AlignConfig | None = None,
) -> tuple[Plan, list[ProjectedSpan]]:
    """Align a sentence with its translation and project its entities.

    source_vectors (ndarray): Word vectors, [m, d].
    target_vectors (ndarray): Word vectors, [n, d].
    source_words (Sequence[str]): The m words.
    target_words (Sequence[str]): The n words.
    source_spans (Sequence[Tuple[int, int, str]]): Start, end (excluded) and label, in words.
    config (Optional[AlignConfig]): The settings of the alignment.
    RETURNS (Tuple[Plan, List[ProjectedSpan]]): The plan and the projected entities. Each confidence
        is multiplied by the weight of the pair (see `pair_weight`), so it is 0 if the similarity of
        the pair is below `skip_below`.
    RAISES (OpticalError): As `align_words` and `project_spans`.

    >>> words = ["Amina", "left"]
    >>> plan, spans = align_and_project(np.eye(2), np.eye(2), words, words, [(0, 1, "PER")])
    >>> spans
    [ProjectedSpan(start=0, end=1, label='PER', confidence=1.0)]
    """
    config = config or AlignConfig()
    plan = align_words(source_vectors, target_vectors, source_words, target_words, config)
    weight = pair_weight(plan.similarity, config)
    spans = project_entities(plan, source_spans, source_words, config)
    return plan, [span._replace(confidence=weight * span.confidence) for span in spans]


def project_entities(
    plan: Plan,
    source_spans: Sequence[tuple[int, int, str]],
    source_words: Sequence[str],
    config: AlignConfig | None = None,
) -> list[ProjectedSpan]:
    """Remove English articles at the start of entities and project them with `project_spans`.

    An entity that is only an article does not change.

    plan (Plan): The plan between m source words and n target words.
    source_spans (Sequence[Tuple[int, int, str]]): Start, end (excluded) and label, in words.
    source_words (Sequence[str]): The m words.
    config (Optional[AlignConfig]): The settings of the projection.
    RETURNS (List[ProjectedSpan]): The projected entities.
    RAISES (OpticalError): As `project_spans`.

    >>> plan = Plan(np.eye(2) / 2, np.full(2, 0.5), np.full(2, 0.5))
    >>> project_entities(plan, [(0, 2, "LOC")], ["the", "Alps"])
    [ProjectedSpan(start=1, end=2, label='LOC', confidence=1.0)]
    """
    spans = []
    for start, end, label in source_spans:
        # A slice, because `project_spans` checks the range.
        first = "".join(source_words[start : start + 1]).lower()
        spans.append((start + (end - start > 1 and first in ARTICLES), end, label))
    return project_spans(plan, spans, config)


def project_distributions(plan: Plan, source_probs: np.ndarray) -> Projected:
    r"""Project the label distributions of the source words to the target words.

    $$ q_j = \frac{\sum_i T_{ij}\, p_i}{\sum_i T_{ij}} $$

    plan (Plan): The plan between m source words and n target words.
    source_probs (ndarray): A distribution for each source word, [m, k].
    RETURNS (Projected): Distributions, mass and entropy for each target word.
    RAISES (OpticalError): If there are not m distributions, or they are not finite.

    >>> plan = Plan(np.eye(2) / 2, np.full(2, 0.5), np.full(2, 0.5))
    >>> project_distributions(plan, np.array([[0.9, 0.1], [0.2, 0.8]])).probs.tolist()
    [[0.9, 0.1], [0.2, 0.8]]
    """
    probs = np.asarray(source_probs, dtype=np.float64)
    m = len(plan.matrix)
    if probs.ndim != 2 or len(probs) != m or not np.isfinite(probs).all():
        raise OpticalError(Errors.E311.format(shape=probs.shape, words=m))
    arrived = plan.matrix.sum(axis=0)
    reached = arrived > _NOTHING
    uniform = np.full_like(plan.matrix, 1.0 / m)
    shares = np.divide(plan.matrix, arrived, out=uniform, where=reached)
    projected = shares.T @ probs
    projected[~reached] = 1.0 / probs.shape[1]
    if m == 1:
        entropy = np.where(reached, 0.0, 1.0)
    else:
        logs = np.log(np.where(shares > 0, shares, 1.0))
        entropy = np.clip(-(shares * logs).sum(axis=0) / np.log(m), 0.0, 1.0)
    return Projected(projected, plan.received, entropy)


def project_spans(
    plan: Plan,
    source_spans: Sequence[tuple[int, int, str]],
    config: AlignConfig | None = None,
) -> list[ProjectedSpan]:
    r"""Project each source span to the sequence of target words with the highest score.

    The score of target words $J$ for a span $I$ is the mass that moves between them, divided by all
    mass that either of them moved and the mass in $J$ that did not move:

    $$ \frac{T(I, J)}{T(I, \cdot) + T(\cdot, J) - T(I, J) + \gamma\,(b(J) - T(\cdot, J))} $$

    Source mass that did not move is not counted. If a target word received less than its mass, a
    share of the missing mass is added first from the source words that match it best,
    $T_{ij} + \alpha\,(b_j - T_{\cdot j})\,p(i|j)$. This keeps target words together that translate
    the same source word.

    plan (Plan): The plan between m source words and n target words.
    source_spans (Sequence[Tuple[int, int, str]]): Start, end (excluded) and label, in words.
    config (Optional[AlignConfig]): `completion` ($\alpha$), `gap_weight` ($\gamma$),
        `min_confidence`.
    RETURNS (List[ProjectedSpan]): In target order, without overlaps. The confidence is the score,
        multiplied by the share of mass that moved on the side with less mass. Spans whose mass did
        not move are left out.
    RAISES (OpticalError): If a span is not within the source words.

    >>> plan = Plan(np.eye(2) / 2, np.full(2, 0.5), np.full(2, 0.5))
    >>> project_spans(plan, [(0, 1, "PER")])
    [ProjectedSpan(start=0, end=1, label='PER', confidence=1.0)]
    """
    config = config or AlignConfig()
    matrix = plan.matrix
    if plan.choices is not None and config.completion:
        missing = np.maximum(plan.target_mass - matrix.sum(axis=0), 0.0)
        matrix = matrix + config.completion * missing * plan.choices
    m, n = matrix.shape
    # Priority (lower is better), number of the source span, start, end and confidence.
    candidates: list[tuple[float, int, int, int, float]] = []
    total = np.append(0.0, np.cumsum(matrix.sum(axis=0)))
    room = np.append(0.0, np.cumsum(plan.target_mass))
    for number, (start, end, _) in enumerate(source_spans):
        if not 0 <= start < end <= m:
            raise OpticalError(Errors.E312.format(start=start, end=end, words=m))
        arriving = matrix[start:end].sum(axis=0)
        # The best target span begins and ends with a word that received something.
        reached = np.flatnonzero(arriving > _NOTHING)
        if not len(reached):
            continue
        source_mass = max(_NOTHING, float(plan.source_mass[start:end].sum()))
        trust = min(1.0, float(arriving.sum()) / source_mass)
        inside = np.append(0.0, np.cumsum(arriving))
        first, last = reached[:, None], reached[None, :] + 1
        shared = inside[last] - inside[first]
        received = total[last] - total[first]
        idle = np.maximum(room[last] - room[first] - received, 0.0)
        union = inside[-1] + received - shared + config.gap_weight * idle
        score = np.where(first < last, shared / np.maximum(union, _NOTHING), 0.0)
        best = np.argsort(-score, axis=None, kind="stable")[:_ALTERNATIVES]
        for row, column in zip(*np.unravel_index(best, score.shape), strict=True):
            value = float(score[row, column])
            if value <= 0:
                break
            begin, stop = int(reached[row]), int(reached[column]) + 1
            possible = max(_NOTHING, min(source_mass, float(room[stop] - room[begin])))
            confidence = value * min(1.0, float(shared[row, column]) / possible)
            candidates.append((-value * trust, number, begin, stop, confidence))
    chosen: dict[int, ProjectedSpan] = {}
    taken = np.zeros(n, dtype=bool)
    for _, number, start, end, confidence in sorted(candidates):
        if number not in chosen and not taken[start:end].any():
            label = source_spans[number][2]
            chosen[number] = ProjectedSpan(start, end, label, min(1.0, confidence))
            taken[start:end] = confidence >= config.min_confidence
    return sorted(span for span in chosen.values() if span.confidence >= config.min_confidence)
