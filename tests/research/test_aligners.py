import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from research import aligners
from research.__main__ import app
from spacy_optical.align import ALIGNERS, AlignConfig, align_words, plan

from ..align.test_transport import problems
from ..util import toy_encoder, toy_tokenizer, without_positions

CONTROLS = [solver.__name__ for solver in aligners.CONTROLS]


@given(problems(), st.sampled_from([name for name in CONTROLS if name != "unbalanced"]))
def test_no_word_sends_or_takes_more_than_it_has(problem, solver):
    cost, a, b, _ = problem
    matrix = plan(cost, a, b, AlignConfig(solver=solver)).matrix
    assert (matrix >= 0).all()
    assert (matrix.sum(axis=1) <= a + 1e-4).all()
    assert (matrix.sum(axis=0) <= b + 1e-4).all()
    if solver in ("diagonal", "independent", "entropic"):
        assert matrix.sum() == pytest.approx(1, abs=1e-4)


@settings(max_examples=40)
@given(problems())
def test_unbalanced_moves_less_the_dearer_it_is(problem):
    cost, a, b, _ = problem
    config = AlignConfig(solver="unbalanced")
    assert plan(cost + 1, a, b, config).moved < plan(cost, a, b, config).moved


def test_diagonal_is_the_plan_of_word_order():
    a, b = np.full(3, 1 / 3), np.full(6, 1 / 6)
    found = plan(np.ones((3, 6)), a, b, AlignConfig(solver="diagonal")).matrix
    assert found.sum(axis=1) == pytest.approx(a)
    assert found[0].tolist() == pytest.approx([1 / 6, 1 / 6, 0, 0, 0, 0])


def test_iterative_argmax_adds_to_mutual_argmax():
    # Row 1 is nobody's first choice; in the second round it still finds column 1.
    cost = np.array([[0.0, 0.1], [0.2, 0.4]])
    weights = np.full(2, 0.5)
    first = plan(cost, weights, weights, AlignConfig(solver="mutual_argmax")).matrix > 0
    more = plan(cost, weights, weights, AlignConfig(solver="iterative_argmax")).matrix > 0
    assert first.tolist() == [[True, False], [False, False]]
    assert more.sum() > first.sum()
    assert more[first].all()


def test_independent_moves_mass_from_every_word_to_every_word():
    found = plan(
        np.ones((2, 2)), np.full(2, 0.5), np.array([0.25, 0.75]), AlignConfig(solver="independent")
    ).matrix
    assert found.tolist() == [[0.125, 0.375], [0.125, 0.375]]


@pytest.mark.parametrize("cost", [1.0, 100.0])
def test_entropic_survives_a_large_cost(cost):
    weights = np.full(5, 0.2)
    draws = np.random.default_rng(0).uniform(0, cost, (5, 5))
    assert plan(draws, weights, weights, AlignConfig(solver="entropic")).moved == pytest.approx(1)


@pytest.mark.parametrize("name", list(ALIGNERS))
@pytest.mark.parametrize(("m", "n"), [(1, 1), (1, 7), (7, 1), (40, 3)])
def test_every_preset_aligns_sides_of_any_length(name, m, n):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(m, 8)), rng.normal(size=(n, 8))
    words = [f"w{i}" for i in range(40)]
    found = align_words(x, y, words[:m], words[:n], ALIGNERS[name])
    assert found.matrix.shape == (m, n)
    assert np.isfinite(found.matrix).all()


def test_the_command_compares_them(tmp_path):
    encoder = without_positions(toy_encoder(tmp_path / "e", toy_tokenizer(("Amina", "Nairobi"))))
    rows = (("Amina", "PER"), ("Nairobi", "LOC"))
    for name, side in (("en", rows), ("sw", rows[::-1])):
        lines = [f"{i}\t{word}\tB-{label}\n" for i, (word, label) in enumerate(side, 1)]
        (tmp_path / f"{name}.iob2").write_text("# sent_id = 1\n" + "".join(lines))
    arguments = ["evaluate-projection", tmp_path / "en.iob2", tmp_path / "sw.iob2"]
    arguments += ["--encoder", encoder, "--layer", 0, "--output", tmp_path / "figures.json"]
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.output
    figures = json.loads((tmp_path / "figures.json").read_text())["aligners"]
    assert list(figures) == list(ALIGNERS)
    assert (figures["partial"]["f1"], figures["diagonal"]["f1"]) == (100, 0)
