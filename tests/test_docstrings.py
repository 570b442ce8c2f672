import doctest
import importlib

import pytest


@pytest.mark.parametrize(
    "name",
    [
        "align.baselines",
        "align.cost",
        "align.project",
        "align.strings",
        "align.transport",
        "data.conll",
        "projection.words",
        "scores.bootstrap",
        "scores.counts",
        "scores.f1",
    ],
)
def test_examples_in_docstrings_run(name):
    module = importlib.import_module(f"spacy_optical.{name}")
    results = doctest.testmod(module)
    assert results.attempted
    assert not results.failed
