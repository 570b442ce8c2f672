import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from spacy_optical.align import ALIGNERS, AlignConfig, align_words, plan
from spacy_optical.align.solvers import pot
from spacy_optical.errors import OpticalError

SUBCOUPLINGS = ["partial", "softmax"]


@st.composite
def problems(draw):
    """A cost and masses from continuous draws, so that the best plan is the only one."""
    m, n = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    a, b = rng.uniform(0.05, 1, m), rng.uniform(0.05, 1, n)
    return rng.uniform(0, 2, (m, n)), a / a.sum(), b / b.sum(), rng


@given(problems())
def test_exact_moves_all_mass_as_cheaply_as_pot(problem):
    cost, a, b, _ = problem
    matrix = plan(cost, a, b, AlignConfig(solver="exact")).matrix
    assert (matrix >= 0).all()
    assert (matrix * cost).sum() == pytest.approx(pot().emd2(a, b, cost), abs=1e-9)
    assert matrix.sum(axis=1) == pytest.approx(a, abs=1e-4)
    assert matrix.sum(axis=0) == pytest.approx(b, abs=1e-4)


@given(problems(), st.sampled_from(SUBCOUPLINGS))
def test_no_word_sends_or_takes_more_than_it_has(problem, solver):
    cost, a, b, _ = problem
    found = plan(cost, a, b, AlignConfig(solver=solver))
    assert (found.matrix >= 0).all()
    assert (found.matrix.sum(axis=1) <= a + 1e-9).all()
    assert (found.matrix.sum(axis=0) <= b + 1e-9).all()
    assert (found.sent <= 1).all()
    assert (found.received <= 1).all()


@given(problems(), st.floats(0.2, 2.0))
def test_partial_moves_its_mass_as_cheaply_as_pot(problem, price):
    cost, a, b, _ = problem
    found = plan(cost, a, b, AlignConfig(null_price=price))
    # POT refuses to move 1e-17 more than there is.
    oracle = pot().partial.partial_wasserstein(a, b, cost, m=min(found.moved, a.sum(), b.sum()))
    assert (found.matrix * cost).sum() == pytest.approx((oracle * cost).sum(), abs=1e-9)


@given(problems(), st.floats(0.2, 2.0))
def test_a_price_leaves_what_is_dearer_and_moves_what_is_cheaper(problem, price):
    cost, a, b, _ = problem
    found = plan(cost, a, b, AlignConfig(null_price=price))
    assert not found.matrix[cost > price + 1e-9].any()
    # Two words cannot both have mass left whose move would pay.
    left = a - found.matrix.sum(axis=1), b - found.matrix.sum(axis=0)
    assert not (np.minimum(left[0][:, None], left[1][None, :]) > 1e-9)[cost < price - 1e-9].any()


@settings(max_examples=40)
@given(problems(), st.sampled_from(["exact", "partial", "softmax"]))
def test_permuting_words_permutes_the_plan(problem, solver):
    cost, a, b, rng = problem
    config = AlignConfig(solver=solver)
    rows, columns = rng.permutation(len(a)), rng.permutation(len(b))
    straight = plan(cost, a, b, config).matrix[rows][:, columns]
    turned = plan(cost[rows][:, columns], a[rows], b[columns], config).matrix
    assert turned == pytest.approx(straight, abs=1e-5)


@pytest.mark.parametrize("name", list(ALIGNERS))
@pytest.mark.parametrize(("m", "n"), [(1, 1), (1, 7), (7, 1), (40, 3)])
def test_every_preset_aligns_sides_of_any_length(name, m, n):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(m, 8)), rng.normal(size=(n, 8))
    words = [f"w{i}" for i in range(40)]
    found = align_words(x, y, words[:m], words[:n], ALIGNERS[name])
    assert found.matrix.shape == (m, n)
    assert np.isfinite(found.matrix).all()


@pytest.mark.parametrize("name", list(ALIGNERS))
def test_identical_vectors_give_a_plan_without_nan(name):
    words = ["same"] * 5
    found = align_words(np.ones((5, 4)), np.ones((5, 4)), words, words, ALIGNERS[name])
    assert np.isfinite(found.matrix).all()


@pytest.mark.parametrize("name", ["partial", "softmax"])
def test_two_thousand_words_a_side(name):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2000, 16))
    words = [f"w{i}" for i in range(2000)]
    found = align_words(x, x, words, words, ALIGNERS[name])
    assert np.isfinite(found.matrix).all()
    assert (found.matrix.argmax(axis=1) == np.arange(2000)).all()


@pytest.mark.parametrize(
    ("cost", "a", "b", "code"),
    [
        (np.ones((2, 2)), [0.5, 0.5], [0.5, 0.6], "E308"),
        (np.ones((2, 2)), [1.5, -0.5], [0.5, 0.5], "E308"),
        (np.ones((2, 2)), [np.nan, 0.5], [0.5, 0.5], "E308"),
        (np.ones((2, 2)), [0.0, 0.0], [0.0, 0.0], "E308"),
        (np.ones((2, 3)), [0.5, 0.5], [0.5, 0.5], "E307"),
        (np.ones((0, 2)), [], [0.5, 0.5], "E301"),
        (np.full((2, 2), np.nan), [0.5, 0.5], [0.5, 0.5], "E310"),
        (-np.ones((2, 2)), [0.5, 0.5], [0.5, 0.5], "E310"),
    ],
)
def test_bad_problems_are_named(cost, a, b, code):
    with pytest.raises(OpticalError, match=code):
        plan(cost, np.array(a), np.array(b), AlignConfig())


def test_unknown_settings_are_refused():
    with pytest.raises(ValidationError, match="nul_price"):
        AlignConfig(nul_price=0.1)
    with pytest.raises(ValidationError, match="choose one of partial, exact, softmax"):
        AlignConfig(solver="magic")
    with pytest.raises(ValidationError, match="'adopt' is called 'completion' now"):
        AlignConfig(adopt=0.5)
    with pytest.raises(ValidationError, match="'null_mass' was removed"):
        AlignConfig(null_mass=0.1)


def test_pot_is_loaded_by_the_first_plan_alone_and_without_torch():
    code = (
        "import sys, numpy as np\n"
        "from spacy_optical.align import AlignConfig, plan\n"
        "assert 'ot' not in sys.modules\n"
        "w = np.full(2, 0.5)\n"
        "plan(np.ones((2, 2)), w, w, AlignConfig())\n"
        "assert 'ot' in sys.modules and 'torch' not in sys.modules, 'torch' in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
