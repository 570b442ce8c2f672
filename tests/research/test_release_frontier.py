"""The frontier of released models, from a run of the profiler and files of scores."""

import json
from pathlib import Path

import pytest

from research.release_frontier import release_figure, release_points, release_table
from spacy_optical.errors import OpticalError
from spacy_optical.profiling.metrics_file import write_metrics
from spacy_optical.profiling.schema import ProfileReport


def scores(path: Path, **f1: float) -> Path:
    languages = {
        code: {"ents_p": f, "ents_r": f, "ents_f": f, "ents_per_type": {}} for code, f in f1.items()
    }
    path.write_text(json.dumps([{"name": path.stem, "f1": f1, "scores": languages}]))
    return path


def test_costs_and_f1_are_joined(report: ProfileReport, tmp_path: Path) -> None:
    write_metrics(report, tmp_path / "metrics.json")
    first, *_, base = [profile.name for profile in report.profiles if profile.throughput]
    found = scores(tmp_path / "first.json", sw=0.8, fi=0.6, en=0.1)
    points = release_points(tmp_path / "metrics.json", [(first, found)])
    by_name = {point.name: point for point in points}
    assert by_name[first].f1 == pytest.approx(70)
    assert by_name[base].f1 is None
    table = release_table(points, base)
    assert f"{by_name[first].words_per_second:,.0f}" in table
    (line,) = [line for line in table.splitlines() if line.startswith(f"| {base}")]
    assert line.count("1.00") == 2
    assert b"<svg" in release_figure(points, base, 75.0).svg
    with pytest.raises(OpticalError, match=r"E002.*other"):
        release_points(tmp_path / "metrics.json", [("other", found)])
