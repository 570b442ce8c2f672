import numpy as np
import pytest

from spacy_optical.align import AlignConfig, Plan, aligner, plan
from spacy_optical.align.evaluate import (
    alignment_error_rate,
    bootstrap_interval,
    ceiling_counts,
    links,
    null_ratio,
    plan_entropy,
    span_counts,
    span_score,
)
from spacy_optical.errors import OpticalError

GOLD = [[(0, 2, "PER"), (4, 5, "LOC")], [(1, 2, "ORG")], []]
FOUND = [[(0, 2, "PER"), (4, 6, "LOC")], [(1, 2, "LOC"), (3, 4, "ORG")], []]


def test_spans_are_right_when_start_end_and_label_are():
    counts = span_counts(GOLD, FOUND)
    assert counts.tolist() == [[1, 2, 2], [0, 2, 1], [0, 0, 0]]
    score = span_score(counts)
    assert score.precision == pytest.approx(25)
    assert score.recall == pytest.approx(100 / 3)
    assert score.f1 == pytest.approx(200 / 7)
    assert span_score(span_counts(GOLD, FOUND, "PER")).f1 == 100


def test_ceiling_is_the_multiset_of_types_in_each_sentence():
    source = [[(0, 1, "PER"), (2, 3, "PER")], [(0, 1, "LOC")]]
    target = [[(5, 6, "PER")], [(0, 1, "ORG"), (1, 2, "LOC")]]
    counts = ceiling_counts(source, target)
    assert counts.tolist() == [[1, 2, 1], [1, 1, 2]]
    assert span_score(counts).f1 == pytest.approx(200 * 2 / 6)


def test_scores_of_nothing_are_zero():
    assert span_score(span_counts([], [])).f1 == 0
    assert bootstrap_interval(span_counts([], [])) == (0, 0)


def test_sentences_must_match():
    with pytest.raises(OpticalError, match="E314"):
        span_counts(GOLD, FOUND[:1])


def test_interval_holds_the_figure_and_narrows_with_more_sentences():
    rng = np.random.default_rng(0)
    right = rng.random(2000) < 0.7
    counts = np.stack([right, np.ones(2000), np.ones(2000)], axis=1).astype(int)
    few, many = bootstrap_interval(counts[:100]), bootstrap_interval(counts)
    assert many[0] < span_score(counts).f1 < many[1]
    assert many[1] - many[0] < few[1] - few[0]
    assert bootstrap_interval(counts) == many
    assert bootstrap_interval(counts, counts) == (0, 0)


def test_error_rate_follows_och_and_ney():
    assert alignment_error_rate({(0, 0)}, {(0, 0)}) == 0
    assert alignment_error_rate(set(), {(0, 0)}) == 1
    assert alignment_error_rate({(0, 0), (0, 1)}, {(0, 0)}, {(0, 1)}) == 0
    assert alignment_error_rate(set(), set()) == 0


def test_plans_of_known_shape():
    third = np.full(3, 1 / 3)
    identity = plan(1 - np.eye(3), third, third, AlignConfig(solver="exact"))
    assert links(identity) == {(0, 0), (1, 1), (2, 2)}
    assert null_ratio(identity) == 0
    assert plan_entropy(identity) == pytest.approx(0)
    spread = Plan(np.full((3, 3), 1 / 9), third, third)
    assert plan_entropy(spread) == pytest.approx(1)
    empty = Plan(np.zeros((3, 3)), third, third)
    assert null_ratio(empty) == 1
    assert plan_entropy(empty) == 0


def test_unknown_aligners_are_named_with_what_there_is():
    with pytest.raises(OpticalError, match=r"E316.*softmax"):
        aligner("magic")
