import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_optical.align import AlignConfig, plan, plan_batch
from spacy_optical.align.batched import sinkhorn_batch
from spacy_optical.align.transport import pot
from spacy_optical.errors import OpticalError


@st.composite
def batches(draw):
    """Several problems of different sizes, one word a side among them."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shapes = draw(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=5))
    costs = [rng.uniform(0, 2, shape) for shape in shapes]
    sources = [rng.dirichlet(np.full(m, 3.0)) for m, _ in shapes]
    targets = [rng.dirichlet(np.full(n, 3.0)) for _, n in shapes]
    return costs, sources, targets


@settings(max_examples=60)
@given(batches(), st.sampled_from(["entropic", "unbalanced"]), st.sampled_from([0.1, 0.5]))
def test_batch_equals_pot_pair_by_pair(problems, solver, regularisation):
    config = AlignConfig(solver=solver, regularisation=regularisation)
    found = plan_batch(*problems, config, batch_size=3)
    for one, cost, a, b in zip(found, *problems, strict=True):
        assert one.matrix == pytest.approx(plan(cost, a, b, config).matrix, abs=2e-5)


@settings(max_examples=40)
@given(batches())
def test_marginals(problems):
    _, sources, targets = problems
    for matrix, a, b in zip(sinkhorn_batch(*problems, 0.1), sources, targets, strict=True):
        assert matrix.sum(axis=1) == pytest.approx(a, abs=1e-5)
        assert matrix.sum(axis=0) == pytest.approx(b, abs=1e-9)


@settings(max_examples=40)
@given(batches(), st.sampled_from([None, 1.0]))
def test_padding_changes_nothing(problems, relaxation):
    """A pair gets the plan beside a long one that it gets alone."""
    rng = np.random.default_rng(0)
    long = rng.uniform(0, 2, (30, 20)), np.full(30, 1 / 30), np.full(20, 1 / 20)
    beside = [[*items, other] for items, other in zip(problems, long, strict=True)]
    found = sinkhorn_batch(*beside, 0.2, relaxation, tolerance=1e-10)
    assert found[-1].shape == (30, 20)
    for i, matrix in enumerate(found[:-1]):
        (alone,) = sinkhorn_batch(
            *([items[i]] for items in problems), 0.2, relaxation, tolerance=1e-10
        )
        assert matrix == pytest.approx(alone, abs=1e-8)


def test_a_ratio_that_exponentials_cannot_hold():
    """Where exp(-cost / regularisation) is 0, POT's plain solvers give nothing."""
    rng = np.random.default_rng(0)
    cost, mass = rng.uniform(1, 2, (6, 6)), np.full(6, 1 / 6)
    (balanced,) = sinkhorn_batch([cost], [mass], [mass], 1e-3, iterations=20_000)
    exact = pot().emd(mass, mass, cost)
    assert (balanced * cost).sum() == pytest.approx((exact * cost).sum(), abs=0.01)
    (unbalanced,) = sinkhorn_batch([cost], [mass], [mass], 1e-3, 1.0)
    assert np.isfinite(unbalanced).all()
    assert 0 < unbalanced.sum() < 1


@pytest.mark.parametrize("relaxation", [None, 1.0])
def test_word_without_mass_gets_none(relaxation: float | None):
    masses = np.array([0.5, 0.0, 0.5])
    (matrix,) = sinkhorn_batch([1 - np.eye(3)], [masses], [masses], 0.1, relaxation)
    assert np.isfinite(matrix).all()
    assert not matrix[1].any()
    assert not matrix[:, 1].any()


def test_similarities_are_kept_in_order():
    masses = [np.full(n, 1 / n) for n in (5, 1, 3)]
    costs = [np.ones((len(m), len(m))) for m in masses]
    config = AlignConfig(solver="unbalanced")
    found = plan_batch(costs, masses, masses, config, similarities=[0.1, 0.2, 0.3], batch_size=2)
    assert [(len(p.source_mass), p.similarity) for p in found] == [(5, 0.1), (1, 0.2), (3, 0.3)]
    assert plan_batch([], [], [], config) == []


def test_other_solvers_take_no_batches():
    with pytest.raises(OpticalError, match=r"E321.*'partial'"):
        plan_batch([], [], [], AlignConfig())


@pytest.mark.parametrize("cost", [np.full((2, 2), np.nan), -np.ones((2, 2))])
def test_bad_cost(cost: np.ndarray):
    masses = [np.full(2, 0.5)]
    with pytest.raises(OpticalError, match="E310"):
        plan_batch([cost], masses, masses, AlignConfig(solver="entropic"))


def test_torch_is_not_loaded_before_it_is_needed():
    code = "import sys, spacy_optical.align; print('torch' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False\n"
