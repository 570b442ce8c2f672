"""Decode word scores to the best valid BIO sequence, and the sequence to entities with scores."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

OUTSIDE = "O"


@dataclass(frozen=True)
class LabelledSpan:
    """An entity in words.

    start (int): The first word.
    end (int): The word after the last one.
    label (str): The label.
    score (float): The mean over its words of the probability of the label, 0 to 1.
    """

    start: int
    end: int
    label: str
    score: float


def bio_tags(labels: Sequence[str]) -> list[str]:
    """Get the tags of a label set.

    labels (Sequence[str]): Entity labels, sorted.
    RETURNS (List[str]): "O", then B and I of each label in the given order.
    """
    return [OUTSIDE, *(f"{prefix}-{label}" for label in labels for prefix in "BI")]


@lru_cache(maxsize=64)
def _may_follow(tags: tuple[str, ...]) -> NDArray[np.bool_]:
    """Whether tag j may follow tag i, [tags, tags]."""
    if list(tags) != bio_tags([tag[2:] for tag in tags[1::2]]):
        raise ValueError(f"not a list made by bio_tags: {tags}")
    n_tags = len(tags)
    may_follow = np.ones((n_tags, n_tags), dtype=bool)
    for inside in range(2, n_tags, 2):
        may_follow[:, inside] = False
        may_follow[[inside - 1, inside], inside] = True
    return may_follow


def probabilities(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Compute the softmax over tags, in double precision.

    logits (NDArray[float32]): Scores, [words, tags].
    RETURNS (NDArray[float64]): Probabilities, [words, tags].
    """
    probs = logits.astype(np.float64)
    probs -= probs.max(axis=1, keepdims=True)
    np.exp(probs, out=probs)
    probs /= probs.sum(axis=1, keepdims=True)
    return probs


def best_tags(
    logits: NDArray[np.float32], tags: Sequence[str], *, sent_starts: Sequence[int] = ()
) -> NDArray[np.int64]:
    """Find the valid BIO sequence with the highest sum of scores (Viterbi).

    An I may only follow a B or I of its own label, in the same sentence. Logits and
    log-probabilities give the same sequence.

    logits (NDArray[float32]): Scores, [words, tags].
    tags (Sequence[str]): The tags, made by `bio_tags`.
    sent_starts (Sequence[int]): Words that start a sentence, in order. The first word always does.
    RETURNS (NDArray[int64]): The index of each word's tag, [words].
    RAISES (ValueError): If `tags` was not made by `bio_tags`.
    """
    may_follow = _may_follow(tuple(tags))
    if not len(logits):
        return np.zeros(0, dtype=np.int64)
    best = logits.argmax(axis=1)
    starts = np.array([0, *sent_starts])
    before = np.roll(best, 1)
    before[starts] = 0  # a tag may start a sentence if it may follow O
    # In most sentences the best tag of each word makes a valid sequence.
    invalid = np.flatnonzero(~may_follow[before, best])
    for sentence in np.unique(np.searchsorted(starts, invalid, side="right")):
        words = slice(*np.append(starts, len(best))[sentence - 1 : sentence + 1])
        best[words] = _viterbi(logits[words], may_follow)
    return best


def _viterbi(logits: NDArray[np.float32], may_follow: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Find the best valid sequence of one sentence."""
    transitions = np.where(may_follow, 0.0, -np.inf)
    scores = logits.astype(np.float64)
    scores[0, ~may_follow[0]] = -np.inf
    n_words, n_tags = scores.shape
    back_pointers = np.zeros((n_words, n_tags), dtype=np.int64)
    path_scores = scores[0]
    every_tag = np.arange(n_tags)
    for word in range(1, n_words):
        candidates = path_scores[:, None] + transitions
        back_pointers[word] = candidates.argmax(axis=0)
        path_scores = candidates[back_pointers[word], every_tag] + scores[word]
        path_scores -= path_scores.max()  # long texts lose no precision
    best = np.zeros(n_words, dtype=np.int64)
    best[-1] = path_scores.argmax()
    for word in range(n_words - 1, 0, -1):
        best[word - 1] = back_pointers[word, best[word]]
    return best


def decode(
    logits: NDArray[np.float32], tags: Sequence[str], *, sent_starts: Sequence[int] = ()
) -> list[LabelledSpan]:
    """Get the entities of a text from the scores of its words.

    The score of an entity is the mean over its words of P(B-label) + P(I-label): the probability
    that the word is in an entity with the label.

    logits (NDArray[float32]): Scores, [words, tags]; finite.
    tags (Sequence[str]): The tags, made by `bio_tags`.
    sent_starts (Sequence[int]): Words that start a sentence. No entity crosses a sentence start.
    RETURNS (List[LabelledSpan]): The entities in order. They do not overlap.
    RAISES (ValueError): If `tags` was not made by `bio_tags`.
    """
    best = best_tags(logits, tags, sent_starts=sent_starts)
    starts = np.flatnonzero(best % 2 == 1)
    if not len(starts):
        return []
    # An entity ends before the next word that is not inside.
    not_inside = np.flatnonzero((best == 0) | (best % 2 == 1))
    after = np.searchsorted(not_inside, starts, side="right")
    ends = np.append(not_inside, len(best))[after]
    begin_tags = best[starts]
    lengths = ends - starts
    # For each word in an entity the probability of its label, 0 for the other words.
    label_probs = np.zeros(len(best))
    inside = np.flatnonzero(best)
    columns = np.repeat(begin_tags, lengths)
    probs = probabilities(logits[inside])
    rows = np.arange(len(inside))
    label_probs[inside] = probs[rows, columns] + probs[rows, columns + 1]
    scores = np.minimum(np.add.reduceat(label_probs, starts) / lengths, 1.0)
    return [
        LabelledSpan(start, end, tags[tag].removeprefix("B-"), score)
        for start, end, tag, score in zip(
            starts.tolist(), ends.tolist(), begin_tags.tolist(), scores.tolist(), strict=True
        )
    ]
