import json
from pathlib import Path

import pytest
from spacy.cli._util import app
from typer.testing import CliRunner

import spacy_optical.cli  # noqa: F401
from spacy_optical.cli._markdown import END, START
from spacy_optical.profiling.metrics_file import read_metrics, write_metrics
from spacy_optical.profiling.schema import ProfileReport

QUICK = ["--seconds", "0.05", "--rounds", "1", "--starts", "1", "--batch-sizes", "2"]


def run(*arguments: str) -> tuple[int, str]:
    """Run a command; give its exit code and what it printed, on one line."""
    result = CliRunner().invoke(app, ["optical", *arguments])
    return result.exit_code, " ".join(result.output.split())


def test_profile_writes_a_report_and_finds_what_got_worse(
    places: Path, tmp_path: Path, report: ProfileReport
) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"{START}\n{END}\n")
    # As if the pipeline had found everything before.
    toy = report.profiles[1]
    assert toy.macro_f1 is not None
    perfect = toy.macro_f1.model_copy(update={"value": 1.0})
    earlier = report.model_copy(update={"profiles": [toy.model_copy(update={"macro_f1": perfect})]})
    write_metrics(earlier, tmp_path / "earlier.json")
    pipeline, out = f"toy={places / 'bundle'}", tmp_path / "out"
    gold = ["--gold", f"sw={places / 'sw.spacy'}"]
    against = ["--compare", str(tmp_path / "earlier.json"), "--max-worse", "1000", "--force"]
    where = ["--out", str(out), "--markdown", str(readme), "--max-p50", "60s"]
    code, text = run("profile", pipeline, *gold, *QUICK, *where, *against)
    assert code == 1, text
    assert "report.html" in text
    assert "toy, macro F1 %" in text
    assert "Worse than" in text
    assert "Within the budget of 60,000 ms p50" in text
    assert "fits" in readme.read_text(encoding="utf8")
    assert "| toy |" in readme.read_text(encoding="utf8")
    found = read_metrics(out / "metrics.json")
    assert found.settings.batch_sizes == [2]
    assert found.complete


def test_a_folder_that_cannot_be_written_is_named_first(places: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    gold = ["--gold", f"sw={places / 'sw.spacy'}"]
    code, text = run("profile", str(places / "bundle"), *gold, "--out", str(tmp_path / "out"))
    assert code == 1
    assert "E003" in text
    assert "Checking" not in text


def test_spacy_benchmark_knows_the_command_too() -> None:
    result = CliRunner().invoke(app, ["benchmark", "optical", "no_such_pipeline"])
    assert result.exit_code == 1
    assert "neither an installed pipeline" in " ".join(result.output.split())


def test_recommend_names_a_pipeline(report: ProfileReport, tmp_path: Path) -> None:
    write_metrics(report, tmp_path / "metrics.json")
    code, text = run("recommend", str(tmp_path / "metrics.json"), "--max-p50", "60s")
    assert code == 0
    assert "Best macro F1" in text
    code, text = run("recommend", str(tmp_path / "metrics.json"), "--max-disk", "0.00001MB")
    assert code == 1
    assert "No pipeline is within the budget" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no_such_pipeline"], "neither an installed pipeline"),
        (["{ruler}", "--gold", "sw"], "'sw' is not of the form"),
        (["{ruler}", "--texts", "{ruler}/meta.json"], "unknown format"),
        (["{ruler}", "--markdown", "{ruler}/meta.json"], "has no lines"),
        (["{ruler}", "--compare", "{ruler}/none.json"], "No such metrics file"),
        (["{ruler}", "--extra", "{ruler}/meta.json"], "has unexpected content"),
        (["{ruler}", "--code", "none.py"], "No such Python file"),
        (["{ruler}", "--max-p50", "5MB"], "does not have the form NUMBERms"),
        (["{ruler}", "--memory-limit", "much"], "does not have the form NUMBERMB"),
        (["{ruler}", "--memory-group", "{ruler}"], "Give --memory-limit too"),
    ],
)
def test_bad_input_is_one_sentence(
    places: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    filled = [text.format(ruler=places / "ruler") for text in arguments]
    code, text = run("profile", *filled, "--out", str(tmp_path / "out"))
    assert code == 1
    assert message in text
    assert not (tmp_path / "out").exists()


def test_the_metrics_file_is_plain_json(report: ProfileReport, tmp_path: Path) -> None:
    write_metrics(report, tmp_path / "metrics.json")
    value = json.loads((tmp_path / "metrics.json").read_text(encoding="utf8"))
    assert value["format"] == "spacy_optical.profile"
    assert value["version"] == 3
    assert value["profiles"][1]["latency"]["p50_ms"]["value"] > 0
