"""The `summary` command."""

import os
from pathlib import Path

import pytest

from ..command_line import run


def test_the_newest_wheel_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("spacy_optical.profiling.metrics_file.read_metrics", lambda path: None)
    monkeypatch.setattr("spacy_optical.profiling.text.terminal_text", str)
    for age, version in ((20, "0.9.0"), (10, "0.10.0")):
        wheel = tmp_path / f"xx_toy-{version}" / "dist" / f"xx_toy-{version}.whl"
        wheel.parent.mkdir(parents=True)
        wheel.touch()
        os.utime(wheel, (1_000_000 - age, 1_000_000 - age))
    result = run("summary", tmp_path, "--bundle", "bundle", "--packages", tmp_path)
    assert result.exit_code == 0, result.output
    assert "xx_toy-0.10.0.whl" in result.output
