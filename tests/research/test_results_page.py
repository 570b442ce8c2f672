import json
from pathlib import Path

import pytest

from research.findings import findings
from research.frontier import best_steps, frontier_series
from research.results_page import read_run, run_part, write_page
from research.study import gain_of
from research.study_tables import step_costs
from spacy_optical.errors import OpticalError
from spacy_optical.profiling.metrics_file import read_metrics, write_metrics
from spacy_optical.profiling.schema import ProfileReport

RESULTS = Path(__file__).parents[2] / "docs" / "results"
STUDY = {
    "students": [
        {"name": "toy", "arm": "OT", "size": "toy"},
        {"name": "without OT", "arm": "no OT", "size": "toy", "same_graph": "toy"},
    ],
    "controls": [
        {"with_transport": "toy", "without": "without OT"},
        {"with_transport": "toy", "without": "ruler"},
    ],
    "steps": [{"name": "rules", "pipeline": "ruler"}, {"name": "all", "pipeline": "toy"}],
}


@pytest.fixture
def run(report: ProfileReport, tmp_path: Path) -> Path:
    folder = tmp_path / "docs" / "runs" / "toys"
    write_metrics(report, folder / "metrics.json")
    (folder / "study.json").write_text(json.dumps(STUDY))
    return folder


def test_the_page_shows_what_the_files_hold(run: Path) -> None:
    page = run.parents[1] / "results.md"
    written = write_page([run_part(run)], page)
    text = page.read_text(encoding="utf8")
    for figure in written[1:]:
        assert figure.read_text(encoding="utf8").startswith("<?xml")
        assert f"(runs/toys/figures/{figure.name})" in text
    names = {figure.stem for figure in written[1:]}
    assert {
        "frontier-p50",
        "frontier-rss-languages",
        "frontier-disk",
        "control",
        "steps-ms",
        "steps-mb",
    } <= names
    assert text.index("## Answer") < text.index("From [toys](#toys)") < text.index("## toys")
    assert "F1 at the same cost: toy has" in text
    assert "with transport divided by without" in text
    before = text
    write_page([run_part(run)], page)
    assert page.read_text(encoding="utf8") == before


def test_summary_and_first_figure_are_at_the_top(run: Path) -> None:
    page, summary = run.parents[1] / "results.md", run.parents[1] / "summary.md"
    with pytest.raises(OpticalError, match=r"E002.*summary\.md"):
        write_page([run_part(run)], page, summary)
    assert not page.exists()
    summary.write_text("It helps.\n", encoding="utf8")
    first = write_page([run_part(run)], page, summary)[1]
    top, rest = page.read_text(encoding="utf8").split("From [toys](#toys)")
    assert "\n\nIt helps.\n\n![" in top
    assert f"(runs/toys/figures/{first.name})" in top
    assert f"--summary {summary.as_posix()} --out" in top
    assert f"(runs/toys/figures/{first.name})" in rest


def test_bad_files_make_no_part_of_a_page(run: Path) -> None:
    (run / "study.json").write_text(json.dumps({"steps": [{"name": "a", "pipeline": "other"}]}))
    with pytest.raises(OpticalError, match=r"E623.*names other"):
        run_part(run)
    with pytest.raises(OpticalError, match="No such metrics file"):
        run_part(run.parent)


def test_the_finding_names_both_pipelines(report: ProfileReport) -> None:
    (finding,) = findings(report)
    assert finding.startswith("toy compared with ruler: ")


def test_arms_take_the_place_of_their_students(run: Path) -> None:
    report = read_run(run)
    assert [one.label for one in frontier_series(report)] == ["OT", "no OT", "ruler"]
    assert [one.label for one in frontier_series(report, "en")] == ["OT", "ruler"]
    assert [name for name, *_ in step_costs(report)] == ["rules", "all"]


def test_files_of_version_2_keep_their_study_and_gains() -> None:
    studied = read_run(RESULTS / "experiments-study")
    assert studied.study is not None
    pair = studied.study.controls[0]
    gain = gain_of(studied, pair)
    assert gain is not None
    assert gain == studied.gains[0]
    assert gain.macro.low < gain.macro.value < gain.macro.high
    # The profiler reads the same file without them.
    assert not hasattr(read_metrics(RESULTS / "experiments-study" / "metrics.json"), "study")


def test_a_given_study_is_for_folders_without_one(run: Path, tmp_path: Path) -> None:
    given = tmp_path / "given.json"
    given.write_text(json.dumps({"steps": [{"name": "all", "pipeline": "toy"}]}))
    assert len(step_costs(read_run(run, given))) == 2
    (run / "study.json").unlink()
    assert [name for name, *_ in step_costs(read_run(run, given))] == ["all"]
    assert read_run(run).study is None


def test_only_what_nothing_cheaper_equals_is_on_the_frontier() -> None:
    points = [(3.0, 50.0), (1.0, 40.0), (2.0, 40.0), (2.0, 60.0), (4.0, 70.0)]
    assert best_steps(points) == [(1.0, 40.0), (2.0, 60.0), (4.0, 70.0)]
    assert best_steps([]) == []
