"""Decoding: from word scores to the best valid BIO sequence, and from that to scored entities."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

OUTSIDE = "O"


@dataclass(frozen=True)
class LabelledSpan:
    """An entity in words.

    start (int): First word.
    end (int): One past the last word.
    label (str): Its label.
    score (float): The mean over its words of the probability of its label, 0 to 1.
    """

    start: int
    end: int
    label: str
    score: float


def bio_tags(labels: Sequence[str]) -> list[str]:
    """List the tags of a label set.

    labels (Sequence[str]): Entity labels, sorted.
    RETURNS (List[str]): "O", then B and I of each label in the order given.
    """
    return [OUTSIDE, *(f"{prefix}-{label}" for label in labels for prefix in "BI")]


@lru_cache(maxsize=64)
def _tag_set(tags: tuple[str, ...]) -> tuple[tuple[str, ...], NDArray[np.bool_]]:
    """Give the labels, and whether tag j may follow tag i, [tags, tags].

    Label i has the tags B = 2i + 1 and I = 2i + 2. A sentence may begin with what may follow O.
    """
    labels = tuple(tag[2:] for tag in tags[1::2])
    if list(tags) != bio_tags(labels):
        raise ValueError(f"not a list made by bio_tags: {tags}")
    n_tags = len(tags)
    may_follow = np.ones((n_tags, n_tags), dtype=bool)
    for inside in range(2, n_tags, 2):
        may_follow[:, inside] = False
        may_follow[[inside - 1, inside], inside] = True
    return labels, may_follow


def probabilities(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Compute the softmax over tags, in double precision.

    logits (NDArray[float32]): Scores, [words, tags].
    RETURNS (NDArray[float64]): Probabilities, [words, tags]; each row sums to 1.
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

    An I may only follow a B or I of its own label, in the same sentence. Adding a constant to a
    word's scores changes nothing, so logits and log-probabilities give the same sequence. If each
    word's best tag makes a valid sequence, as in most texts, no search is run.

    logits (NDArray[float32]): Scores, [words, tags].
    tags (Sequence[str]): The tag list, as made by `bio_tags`.
    sent_starts (Sequence[int]): Words that begin a sentence; the first word always does.
    RETURNS (NDArray[int64]): Index of each word's tag, [words].
    RAISES (ValueError): If `tags` was not made by `bio_tags`.
    """
    _, may_follow = _tag_set(tuple(tags))
    if not len(logits):
        return np.zeros(0, dtype=np.int64)
    best = logits.argmax(axis=1)
    starts = [0, *sent_starts]
    if may_follow[0, best[starts]].all() and may_follow[best[:-1], best[1:]].all():
        return best
    transitions = np.where(may_follow, 0.0, -np.inf)
    scores = logits.astype(np.float64)
    scores[np.ix_(np.asarray(starts), np.flatnonzero(~may_follow[0]))] = -np.inf
    n_words, n_tags = scores.shape
    back_pointers = np.zeros((n_words, n_tags), dtype=np.int64)
    path_scores = scores[0]
    every_tag = np.arange(n_tags)
    for word in range(1, n_words):
        candidates = path_scores[:, None] + transitions
        back_pointers[word] = candidates.argmax(axis=0)
        path_scores = candidates[back_pointers[word], every_tag] + scores[word]
        path_scores -= path_scores.max()  # keeps sums of long texts as precise as of short ones
    best = np.zeros(n_words, dtype=np.int64)
    best[-1] = path_scores.argmax()
    for word in range(n_words - 1, 0, -1):
        best[word - 1] = back_pointers[word, best[word]]
    return best


def decode(
    logits: NDArray[np.float32], tags: Sequence[str], *, sent_starts: Sequence[int] = ()
) -> list[LabelledSpan]:
    """Turn the scores of a text's words into entities.

    A span's score is the mean over its words of P(B-label) + P(I-label): the probability that the
    word is part of an entity with the label, at any position in it.

    logits (NDArray[float32]): Scores, [words, tags]; finite.
    tags (Sequence[str]): The tag list, as made by `bio_tags`.
    sent_starts (Sequence[int]): Words that begin a sentence; no entity crosses into one.
    RETURNS (List[LabelledSpan]): Entities in order; they do not overlap.
    RAISES (ValueError): If `tags` was not made by `bio_tags`.
    """
    best = best_tags(logits, tags, sent_starts=sent_starts)
    starts = np.flatnonzero(best % 2 == 1)
    if not len(starts):
        return []
    labels, _ = _tag_set(tuple(tags))
    # An entity ends before the first word after its start that is not inside.
    not_inside = np.flatnonzero((best == 0) | (best % 2 == 1))
    after = np.searchsorted(not_inside, starts, side="right")
    ends = np.append(not_inside, len(best))[after]
    # The probability of its entity's label for each word in an entity, 0 for the other words.
    begin_tags = best[starts]
    lengths = ends - starts
    label_probs = np.zeros(len(best))
    inside = np.flatnonzero(best)
    columns = np.repeat(begin_tags, lengths)
    probs = probabilities(logits[inside])
    rows = np.arange(len(inside))
    label_probs[inside] = probs[rows, columns] + probs[rows, columns + 1]
    scores = np.minimum(np.add.reduceat(label_probs, starts) / lengths, 1.0)
    return [
        LabelledSpan(start, end, labels[tag // 2], score)
        for start, end, tag, score in zip(
            starts.tolist(), ends.tolist(), begin_tags.tolist(), scores.tolist(), strict=True
        )
    ]
