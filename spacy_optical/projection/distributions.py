"""Project tag distributions from the words of a sentence to the words of its translation."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy.special import softmax

from ..align.config import AlignConfig
from ..align.project import project_distributions, project_entities
from ..align.transport import Plan
from ..runtime.decode import decode


def source_distributions(logits: np.ndarray, tags: Sequence[int] | None, gold: float) -> np.ndarray:
    """Mix the tag distributions of the teacher with gold tags.

    logits (ndarray): The logits of the teacher, [m, tags].
    tags (Optional[Sequence[int]]): The gold tags. Words with a negative tag have no gold tag.
    gold (float): The share of the gold tag in the mixture, 0 to 1.
    RETURNS (ndarray): Distributions, [m, tags].
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
    """Project the distributions of the source words through a plan, by words or by whole spans.

    plan (Plan): The plan between m source words and n target words.
    probs (ndarray): Distributions of the source words, [m, tags].
    words (Sequence[str]): The source words, to remove articles at the start of spans.
    tags (Sequence[str]): The names of the tags.
    config (AlignConfig): The settings of the projection of spans.
    by (str): `words` or `spans`.
    RETURNS (Tuple[ndarray, ndarray]): Distributions, [n, tags], and trust, [n]: the received mass
        times one minus the entropy, and for the words of a span its confidence.
    """
    projected = project_distributions(plan, probs)
    trust = projected.mass * (1 - projected.entropy)
    if by == "words":
        return projected.probs, trust
    # A word that is probably in an entity, but in no projected span, has an unknown tag.
    trust[projected.probs[:, 0] < 0.5] = 0.0
    numbers = np.zeros(len(trust), dtype=np.int64)
    spans = decode(np.log(probs + 1e-9).astype(np.float32), tags)
    sources = [(span.start, span.end, span.label) for span in spans]
    for start, end, label, confidence in project_entities(plan, sources, words, config):
        numbers[start:end] = tags.index(f"I-{label}")
        numbers[start] = tags.index(f"B-{label}")
        trust[start:end] = confidence
    return np.eye(len(tags))[numbers], trust
