"""The whole project, start to end, with configs/tiny.cfg and a toy encoder."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import spacy

from .toy_project import toy_marked_corpus, toy_text
from .util import toy_encoder, trained_toy_tokenizer

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with toy data, after its first run."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copy(ROOT / "project.yml", folder)
    shutil.copytree(ROOT / "configs", folder / "configs")
    toy_marked_corpus(folder / "assets")
    (folder / "toy").mkdir()
    toy_encoder(folder / "toy", trained_toy_tokenizer(toy_text(), size=600))
    done = run(folder)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    (folder / "first-run.txt").write_text(done.stdout, encoding="utf8")
    return folder


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    variables = {
        "config": "configs/tiny.cfg",
        "encoder_source": "toy",
        "profile_seconds": "0.2",
        "profile_starts": "1",
        # A network that learned for a second decides by chance; its words may differ.
        "max_disagreement": "1.0",
        "max_f1_loss": "100.0",
    }
    command = [sys.executable, "-m", "spacy", "project", "run", "all", str(folder)]
    for name, value in variables.items():
        command += [f"--vars.{name}", value]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=env)


def test_run_ends_with_the_table_and_the_paths(project: Path) -> None:
    told = (project / "first-run.txt").read_text(encoding="utf8")
    for name in ("teacher-torch", "teacher-onnx", "student-fp32", "student-int8"):
        assert name in told
    assert "metrics/profile/report.html" in told
    assert "bundles/student-int8" in told
    assert ".whl" in told


def test_everything_promised_is_there(project: Path) -> None:
    for path in (
        "corpus/bitext/sw.jsonl",
        "training/teacher/model.safetensors",
        "training/plans/plans.json",
        "training/student/metrics.json",
        "bundles/student-int8/bundle.json",
        "metrics/profile/metrics.json",
        "metrics/profile/report.html",
    ):
        assert (project / path).is_file(), path
    assert list((project / "packages").glob("*/dist/*.whl"))


def test_metrics_say_where_they_come_from(project: Path) -> None:
    metrics = json.loads((project / "training/student/metrics.json").read_text(encoding="utf8"))
    assert metrics["seed"] == 0
    assert len(metrics["config_hash"]) == 16
    assert {"english/train.spacy", "bitext/sw.jsonl", "bitext/fi.jsonl"} <= set(metrics["data"])
    assert metrics["versions"]["torch"]


def test_pipeline_loads_from_disk(project: Path) -> None:
    nlp = spacy.load(project / "training" / "pipeline")
    assert nlp.pipe_names == ["optical_ner"]
    assert set(nlp.get_pipe("optical_ner").labels) == {"DATE", "LOC", "ORG", "PER"}


def test_second_run_skips_what_is_done(project: Path) -> None:
    before = (project / "training" / "student" / "metrics.json").stat().st_mtime_ns
    done = run(project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (project / "training" / "student" / "metrics.json").stat().st_mtime_ns == before
    assert done.stdout.count("Skipping") >= 8
    assert "student-int8" in done.stdout
