import doctest
import importlib

import pytest


@pytest.mark.parametrize(
    "name",
    [
        "align.baselines",
        "align.cost",
        "align.evaluate",
        "align.project",
        "align.strings",
        "align.transport",
        "data.iob2",
        "projection.words",
    ],
)
def test_examples_in_docstrings_run(name):
    module = importlib.import_module(f"spacy_optical.{name}")
    results = doctest.testmod(module)
    assert results.attempted
    assert not results.failed
