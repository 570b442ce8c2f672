import itertools
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_optical.align import (
    AlignConfig,
    Plan,
    align_and_project,
    align_words,
    pair_weight,
    project_distributions,
    project_entities,
    project_spans,
)
from spacy_optical.errors import OpticalError


def uniform(matrix, choices=None):
    matrix = np.asarray(matrix, dtype=float)
    m, n = matrix.shape
    return Plan(matrix, np.full(m, 1 / m), np.full(n, 1 / n), choices=choices)


def bare(spans):
    return [(span.start, span.end, span.label) for span in spans]


@st.composite
def labelled(draw):
    """A sentence's length, and spans in it that do not overlap."""
    size = draw(st.integers(1, 12))
    cuts = sorted(draw(st.sets(st.integers(0, size), max_size=6)))
    spans = [
        (start, end, draw(st.sampled_from(["PER", "LOC"])))
        for start, end in itertools.pairwise(cuts)
        if draw(st.booleans())
    ]
    return size, spans


@given(labelled())
def test_spans_through_an_identity_plan_come_back(case):
    size, spans = case
    found = project_spans(uniform(np.eye(size) / size), spans)
    assert bare(found) == spans
    assert all(span.confidence == pytest.approx(1) for span in found)


@given(labelled(), st.integers(0, 2**32 - 1))
def test_distributions_through_a_permutation_are_permuted(case, seed):
    size, _ = case
    rng = np.random.default_rng(seed)
    order = rng.permutation(size)
    probs = rng.dirichlet(np.ones(5), size)
    found = project_distributions(uniform(np.eye(size)[:, order] / size), probs)
    assert found.probs == pytest.approx(probs[order])
    assert found.mass == pytest.approx(1)
    assert found.entropy == pytest.approx(0)


@given(st.integers(1, 7), st.integers(1, 7), st.integers(0, 2**32 - 1), labelled())
def test_projection_of_any_plan_is_sound(m, n, seed, case):
    rng = np.random.default_rng(seed)
    matrix = rng.dirichlet(np.ones(m * n)).reshape(m, n) * rng.integers(0, 2, (m, n))
    plan = Plan(matrix, matrix.sum(axis=1) + 0.01, matrix.sum(axis=0) + 0.01)
    found = project_distributions(plan, rng.dirichlet(np.ones(3), m))
    assert found.probs.sum(axis=1) == pytest.approx(1)
    for values in (found.mass, found.entropy):
        assert ((values >= 0) & (values <= 1)).all()
    spans = [(s, e, kind) for s, e, kind in case[1] if e <= m]
    projected = project_spans(plan, spans)
    assert all(0 <= a.start < a.end <= n and 0 <= a.confidence <= 1 for a in projected)
    assert all(a.end <= b.start for a, b in itertools.pairwise(projected))
    assert len(projected) <= len(spans)


def test_distributions_are_mixed_by_mass_and_nothing_is_uniform():
    plan = uniform([[0.3, 0.0, 0.0], [0.1, 0.0, 0.3]])
    found = project_distributions(plan, np.array([[1.0, 0.0], [0.0, 1.0]]))
    assert found.probs.tolist() == pytest.approx(np.array([[0.75, 0.25], [0.5, 0.5], [0, 1]]))
    assert found.mass.tolist() == pytest.approx([1.0, 0.0, 0.9])
    assert found.entropy[0] == pytest.approx(-(0.75 * np.log2(0.75) + 0.25 * np.log2(0.25)))
    assert found.entropy[1] == 1


def test_a_word_left_out_inside_a_name_stays_inside():
    # "University Makerere" <- "Chuo Kikuu cha Makerere": "cha" received nothing.
    plan = uniform([[0.25, 0.25, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.25, 0.0]])
    assert bare(project_spans(plan, [(0, 2, "ORG")])) == [(0, 4, "ORG")]


def test_a_stray_link_far_off_does_not_stretch_a_span():
    plan = uniform([[0.2, 0.0, 0.0, 0.0, 0.02], [0.0, 0.2, 0.0, 0.0, 0.0], [0, 0, 0.2, 0.2, 0.18]])
    assert bare(project_spans(plan, [(0, 2, "PER")])) == [(0, 2, "PER")]


def test_what_the_source_left_out_does_not_count_against_a_span():
    # Half of the span has no counterpart; the rest moved whole.
    plan = uniform([[0.25, 0.0], [0.0, 0.0], [0.0, 0.25]])
    (span,) = project_spans(plan, [(0, 2, "PER")])
    assert bare([span]) == [(0, 1, "PER")]
    assert 0.3 < span.confidence < 0.5


def test_an_abbreviation_written_out_is_kept_together():
    # All of "UK" went to "Königreich"; "Vereinigtes", alone, would have chosen it too.
    matrix = [[0.0, 0.2, 0.0], [0.0, 0.0, 0.3]]
    choices = np.array([[0.9, 0.95, 0.0], [0.0, 0.0, 0.9]])
    config = AlignConfig(completion=1.0)
    assert bare(project_spans(uniform(matrix), [(0, 1, "LOC")], config)) == [(1, 2, "LOC")]
    assert bare(project_spans(uniform(matrix, choices), [(0, 1, "LOC")], config)) == [(0, 2, "LOC")]


def test_two_spans_never_share_a_word_and_the_surer_has_it():
    plan = uniform([[0.3, 0.0], [0.1, 0.05]])
    found = project_spans(plan, [(0, 1, "PER"), (1, 2, "LOC")])
    assert bare(found) == [(0, 1, "PER"), (1, 2, "LOC")]


def test_what_did_not_move_or_is_not_sure_is_left_out():
    plan = uniform([[0.0, 0.0], [0.1, 0.1]])
    assert project_spans(plan, [(0, 1, "PER")]) == []
    strict = AlignConfig(min_confidence=0.9)
    assert project_spans(plan, [(1, 2, "PER")], strict) == []


def test_names_are_found_in_a_pair_of_toy_vectors():
    rng = np.random.default_rng(0)
    meaning = {word: rng.normal(size=16) for word in ["amina", "lives", "in", "mombasa", "now"]}
    source = ["Amina", "lives", "in", "Mombasa", "now"]
    target = ["Sasa", "Amina", "anaishi", "Mombasa"]
    same = {"sasa": "now", "amina": "amina", "anaishi": "lives", "mombasa": "mombasa"}
    x = np.stack([meaning[word.lower()] for word in source])
    y = np.stack([meaning[same[word.lower()]] for word in target])
    y += 0.3 * rng.normal(size=y.shape)
    config = AlignConfig()
    found = project_spans(
        align_words(x, y, source, target, config), [(0, 1, "PER"), (3, 4, "LOC")], config
    )
    assert bare(found) == [(1, 2, "PER"), (3, 4, "LOC")]


def test_articles_are_taken_off_the_front():
    words = ["The", "Alps", "and", "a"]
    spans = [(0, 2, "LOC"), (3, 4, "LOC")]
    plan = uniform(np.eye(4) / 4)
    assert bare(project_entities(plan, spans, words)) == [(1, 2, "LOC"), (3, 4, "LOC")]
    assert bare(project_spans(plan, spans)) == spans


def test_confidence_is_a_plain_number_that_counts_how_parallel_the_pair_is():
    rng = np.random.default_rng(0)
    x, y, words = rng.normal(size=(4, 16)), rng.normal(size=(4, 16)), ["a", "bb", "ccc", "dddd"]
    for target in (x, x + 2 * y, y):
        plan, spans = align_and_project(x, target, words, words, [(1, 3, "PER")])
        alone = project_spans(plan, [(1, 3, "PER")])
        weight = pair_weight(plan.similarity, AlignConfig())
        assert [s.confidence for s in spans] == [weight * s.confidence for s in alone]
        assert json.loads(json.dumps(spans)) == [list(span) for span in spans]


@pytest.mark.parametrize("span", [(0, 3, "PER"), (-1, 1, "PER"), (1, 1, "PER"), (2, 4, "PER")])
def test_spans_outside_the_sentence_are_named(span):
    with pytest.raises(OpticalError, match="E312"):
        project_spans(uniform(np.eye(2) / 2), [span])
    with pytest.raises(OpticalError, match="E312"):
        project_entities(uniform(np.eye(2) / 2), [span], ["the", "Alps"])


def test_distributions_must_fit():
    with pytest.raises(OpticalError, match="E311"):
        project_distributions(uniform(np.eye(2) / 2), np.ones((3, 4)))
    with pytest.raises(OpticalError, match="E311"):
        project_distributions(uniform(np.eye(2) / 2), np.full((2, 4), np.nan))
