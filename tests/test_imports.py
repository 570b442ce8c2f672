"""Which parts of the package may import which."""

import subprocess
import sys

import pytest

CHECK = """
import sys
import {module}
heavy = {forbidden!r}
found = [name for name in sys.modules if any(name == h or name.startswith(h + ".") for h in heavy)]
assert not found, found[:3]
"""


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("spacy_optical.align", ["spacy", "torch", "transformers", "ot"]),
        ("spacy_optical.scores", ["spacy", "torch", "pydantic"]),
        ("spacy_optical.encoders.word_vectors", ["spacy_optical.distill", "torch"]),
        ("spacy_optical.projection.labels", ["spacy_optical.distill", "ot"]),
        ("spacy_optical.projection.pair", ["spacy_optical.distill", "ot"]),
        ("spacy_optical.projection.evaluation", ["spacy_optical.distill", "ot"]),
    ],
)
def test_a_module_imports_nothing_that_it_must_not(module: str, forbidden: list[str]):
    code = CHECK.format(module=module, forbidden=forbidden)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
