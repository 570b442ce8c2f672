"""Distributions over tags, from the words of a sentence to those of its translation."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy.special import softmax

from ..align.config import AlignConfig
from ..align.project import project_distributions, project_entities
from ..align.transport import Plan
from ..runtime.decode import decode


def source_distributions(logits: np.ndarray, tags: Sequence[int] | None, gold: float) -> np.ndarray:
    """Give what is known of each English word: the teacher's distribution, and gold where it is.

    logits (ndarray): The teacher's scores, [m, tags].
    tags (Optional[Sequence[int]]): Gold tags, where the sentence has them; a word whose tag is
        below 0 has none.
    gold (float): The share of the gold tag in the mixture.
    RETURNS (ndarray): Distributions [m, tags].
    """
    probs = softmax(logits.astype(np.float64), axis=-1)
    if tags is None:
        return probs
    numbers = np.array(tags, dtype=np.int64)
    mixed = (1 - gold) * probs + gold * np.eye(probs.shape[1])[numbers.clip(min=0)]
    return np.where(numbers[:, None] < 0, probs, mixed)


def project_to_target(
    plan: Plan,
    probs: np.ndarray,
    words: Sequence[str],
    tags: Sequence[str],
    config: AlignConfig,
    by: Literal["words", "spans"],
) -> tuple[np.ndarray, np.ndarray]:
    """Project the source's distributions through a plan, word by word or as whole spans.

    plan (Plan): The plan.
    probs (ndarray): What is known of the source words, [m, tags].
    words (Sequence[str]): The source words, for the articles that spans leave behind.
    tags (Sequence[str]): The tags that the distributions are over.
    config (AlignConfig): How spans are projected.
    by (str): `words` or `spans`.
    RETURNS (Tuple[ndarray, ndarray]): Distributions [n, tags], and the trust in each [n]: the mass
        received times one minus its entropy; for words of a span the span's confidence.
    """
    projected = project_distributions(plan, probs)
    trust = projected.mass * (1 - projected.entropy)
    target = projected.probs
    if by == "words":
        return target, trust
    spans = decode(np.log(probs + 1e-9).astype(np.float32), tags)
    sources = [(s.start, s.end, s.label) for s in spans]
    # Where the words speak of an entity and no whole span arrived, nothing is known.
    trust[target[:, 0] < 0.5] = 0.0
    target = np.zeros_like(target)
    target[:, 0] = 1.0
    for span in project_entities(plan, sources, words, config):
        for j in range(span.start, span.end):
            tag = tags.index(f"{'B' if j == span.start else 'I'}-{span.label}")
            target[j] = 0.0
            target[j, tag] = 1.0
            trust[j] = span.confidence
    return target, trust
