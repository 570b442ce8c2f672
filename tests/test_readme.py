"""What the README shows is what happens."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"
NUMBER = re.compile(r"\d+\.\d+")


def test_first_snippet_prints_what_stands_below_it() -> None:
    text = README.read_text(encoding="utf8")
    found = re.search(r"```python\n(.*?)```\n\n```\n(.*?)```", text, re.DOTALL)
    assert found is not None
    code, printed = found.groups()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert NUMBER.sub("#", done.stdout) == NUMBER.sub("#", printed)
    # Products of 8-bit numbers are rounded otherwise on some processors.
    scores = [float(score) for score in NUMBER.findall(done.stdout)]
    assert scores == pytest.approx([float(score) for score in NUMBER.findall(printed)], abs=0.05)
