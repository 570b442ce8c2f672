"""Decoding: always valid, and never worse than trying every sequence."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from spacy_optical.runtime.decode import best_tags, bio_tags, decode, probabilities

TAGS = bio_tags(["LOC", "PER"])
FLOATS = st.floats(-30, 30, width=32)


def logits(max_words: int, elements: st.SearchStrategy[float] = FLOATS) -> st.SearchStrategy:
    shape = st.integers(0, max_words).map(lambda n_words: (n_words, len(TAGS)))
    return npst.arrays(np.float32, shape, elements=elements)


def is_valid(sequence: list[str]) -> bool:
    previous = "O"
    for tag in sequence:
        if tag.startswith("I-") and previous[1:] != tag[1:]:
            return False
        previous = tag
    return True


def one_hot(*tags: str) -> NDArray[np.float32]:
    return (8.0 * np.eye(len(TAGS))[[TAGS.index(tag) for tag in tags]]).astype(np.float32)


def test_tags() -> None:
    assert bio_tags(["DATE", "LOC"]) == ["O", "B-DATE", "I-DATE", "B-LOC", "I-LOC"]
    assert bio_tags([]) == ["O"]


@given(logits(40))
def test_tags_are_valid(scores: NDArray[np.float32]) -> None:
    assert is_valid([TAGS[at] for at in best_tags(scores, TAGS)])


@given(logits(5, st.integers(-4, 4).map(float)))
def test_no_valid_sequence_is_better(scores: NDArray[np.float32]) -> None:
    def total(sequence: tuple[int, ...]) -> float:
        return float(sum(scores[word, tag] for word, tag in enumerate(sequence)))

    every = product(range(len(TAGS)), repeat=len(scores))
    best = max(total(sequence) for sequence in every if is_valid([TAGS[at] for at in sequence]))
    assert total(tuple(best_tags(scores, TAGS))) == best


@given(logits(5, st.integers(-4, 4).map(float)), st.sets(st.integers(0, 4)))
def test_no_entity_crosses_a_sentence_start(scores: NDArray[np.float32], starts: set[int]) -> None:
    starts = {at for at in starts if at < len(scores)}

    def is_allowed(sequence: tuple[int, ...]) -> bool:
        tags = [TAGS[at] for at in sequence]
        return is_valid(tags) and not any(tags[at].startswith("I-") for at in starts)

    def total(sequence: tuple[int, ...]) -> float:
        return float(sum(scores[word, tag] for word, tag in enumerate(sequence)))

    found = tuple(best_tags(scores, TAGS, sent_starts=sorted(starts)).tolist())
    assert is_allowed(found)
    every = product(range(len(TAGS)), repeat=len(scores))
    assert total(found) == max(total(sequence) for sequence in every if is_allowed(sequence))


def test_an_entity_is_cut_at_a_sentence_start() -> None:
    scores = one_hot("B-PER", "I-PER", "I-PER", "I-PER")
    found = decode(scores, TAGS, sent_starts=[2])
    assert [(span.start, span.end, span.label) for span in found] == [(0, 2, "PER"), (2, 4, "PER")]


@given(logits(30))
def test_spans_say_what_the_tags_say(scores: NDArray[np.float32]) -> None:
    rebuilt = ["O"] * len(scores)
    for span in decode(scores, TAGS):
        assert 0 < span.score <= 1
        rebuilt[span.start] = f"B-{span.label}"
        rebuilt[span.start + 1 : span.end] = [f"I-{span.label}"] * (span.end - span.start - 1)
    assert rebuilt == [TAGS[at] for at in best_tags(scores, TAGS)]


def test_spans_by_hand() -> None:
    found = decode(one_hot("B-PER", "I-PER", "B-PER", "O", "B-LOC"), TAGS)
    assert [(span.start, span.end, span.label) for span in found] == [
        (0, 2, "PER"),
        (2, 3, "PER"),
        (4, 5, "LOC"),
    ]


def test_an_entity_that_starts_inside_is_repaired_and_not_dropped() -> None:
    (span,) = decode(one_hot("O", "I-PER", "I-PER"), TAGS)
    assert (span.start, span.end, span.label) == (1, 3, "PER")


def test_score_is_the_mean_probability_of_the_label() -> None:
    scores = np.asarray([[0, 0, 0, 2, 1], [0, 0, 0, 1, 3]], dtype=np.float32)
    exp = np.exp(scores.astype(np.float64))
    expected = (exp[:, 3:].sum(axis=1) / exp.sum(axis=1)).mean()
    (span,) = decode(scores, TAGS)
    assert span.score == pytest.approx(expected, abs=1e-12)


@given(logits(20))
def test_probabilities(scores: NDArray[np.float32]) -> None:
    found = probabilities(scores)
    assert np.allclose(found.sum(axis=1), 1.0)
    assert (found >= 0).all()


def test_extreme_scores() -> None:
    scores = np.full((3, len(TAGS)), -3e38, dtype=np.float32)
    scores[:, TAGS.index("I-LOC")] = 3e38
    (span,) = decode(scores, TAGS)
    assert (span.start, span.end, span.label, span.score) == (0, 3, "LOC", 1.0)


def test_long_text() -> None:
    scores = np.random.default_rng(0).normal(size=(20_000, len(TAGS))).astype(np.float32)
    assert is_valid([TAGS[at] for at in best_tags(scores, TAGS)])


def test_no_words_and_no_labels() -> None:
    assert decode(np.zeros((0, len(TAGS)), dtype=np.float32), TAGS) == []
    assert decode(np.zeros((3, 1), dtype=np.float32), bio_tags([])) == []


def test_other_tag_lists_are_refused() -> None:
    with pytest.raises(ValueError, match="bio_tags"):
        decode(np.zeros((1, 3), dtype=np.float32), ["O", "I-PER", "B-PER"])
