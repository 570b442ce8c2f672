"""The examples in docstrings run, and every public function on arrays has one."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

PACKAGES = [importlib.import_module(f"spacy_optical.{name}") for name in ("align", "scores")]
ON_ARRAYS = [
    f"{package.__name__}.{module.name}"
    for package in PACKAGES
    for module in pkgutil.iter_modules(package.__path__)
]
OTHERS = [
    "spacy_optical.data.bitext_check",
    "spacy_optical.data.conll",
    "spacy_optical.projection.words",
]


@pytest.mark.parametrize("name", [*ON_ARRAYS, *OTHERS])
def test_examples_run(name: str):
    results = doctest.testmod(importlib.import_module(name))
    assert results.attempted or name == "spacy_optical.align.config"
    assert not results.failed


@pytest.mark.parametrize("name", ON_ARRAYS)
def test_every_public_function_has_an_example(name: str):
    module = importlib.import_module(name)
    functions = {
        key: inspect.unwrap(value)
        for key, value in vars(module).items()
        if callable(value) and not key.startswith("_")
    }
    missing = [
        key
        for key, function in functions.items()
        if inspect.isfunction(function)
        and function.__module__ == name
        and ">>>" not in (function.__doc__ or "")
    ]
    assert missing == (["pot"] if name == "spacy_optical.align.solvers" else [])
