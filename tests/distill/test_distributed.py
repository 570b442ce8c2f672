"""Training in two processes, as `accelerate launch` starts them."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch

from spacy_optical.distill.config import load_config
from spacy_optical.distill.distillation import distill
from spacy_optical.distill.loop import CHECKPOINT
from spacy_optical.distill.plan_reader import read_plans
from spacy_optical.distill.tagger import METRICS, load_tagger
from spacy_optical.distill.teacher import EnglishTask, teach
from spacy_optical.distill.training_batches import StudentTask
from spacy_optical.errors import OpticalError
from spacy_optical.runtime.pieces import WordPieces

from ..conftest import Trained
from .launched import STILL

ROOT = Path(__file__).parents[2]
# Of the teacher the split is exact but for rounding, of the student near: see their recipes.
TEACHER_TOLERANCE = 1e-4
STUDENT_TOLERANCE = 0.05


def launch(*command: str) -> subprocess.CompletedProcess[str]:
    """Run something in two processes; none of them is left, whatever happens."""
    # --cpu starts several processes through mpirun alone; --multi_gpu needs no GPU.
    start = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu"]
    start += ["--num_processes", "2", "--num_machines", "1", "--main_process_port", "0"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [*start, *command],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            out, err = process.communicate(timeout=300)
        except BaseException:
            for one in [*psutil.Process(process.pid).children(recursive=True), process]:
                one.kill()
            raise
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory, trained: Trained) -> dict[str, Any]:
    """What launched.py saw, and the folder that it wrote to."""
    folder = tmp_path_factory.mktemp("launched")
    script = str(Path(__file__).with_name("launched.py"))
    done = launch(script, str(trained.config_path), str(trained.teacher), str(folder))
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads((folder / "seen.json").read_text(encoding="utf8"))
    return {**told, "folder": folder, "stdout": done.stdout}


def check_like(
    rows: Sequence[Mapping[str, float]], alone: Sequence[Mapping[str, float]], far: float
):
    assert len(rows) == len(alone)
    for row, other in zip(rows, alone, strict=True):
        assert row.keys() == other.keys()
        for name in row.keys() - {"dev_f1"}:
            assert row[name] == pytest.approx(other[name], rel=far), (name, rows, alone)


def test_two_processes_teach_like_one(tmp_path: Path, trained: Trained, seen: dict[str, Any]):
    alone = teach(load_config(trained.config_path, STILL), tmp_path / "teacher")
    check_like(seen["teacher"], alone["epochs"], TEACHER_TOLERANCE)


def test_two_processes_distil_like_one(tmp_path: Path, trained: Trained, seen: dict[str, Any]):
    config = load_config(trained.config_path, STILL)
    rates: list[float] = []

    def say(text: str) -> None:
        if text.startswith("epoch"):
            path = tmp_path / "student-checkpoint" / CHECKPOINT
            rates.append(torch.load(path, weights_only=True)["schedule"]["_last_lr"][0])

    alone = distill(config, trained.teacher, tmp_path / "student", say=say)
    check_like(seen["student"], alone["epochs"], STUDENT_TOLERANCE)
    assert seen["rates"] == rates
    assert len(rates) == 3


def test_layers_without_gradient(seen: dict[str, Any], trained: Trained):
    """They stay as they were, weight decay or not."""
    teacher, middle = load_tagger(trained.teacher), load_tagger(seen["folder"] / "middle")
    metrics = json.loads((seen["folder"] / "middle" / METRICS).read_text(encoding="utf8"))
    stayed = teacher.model.classifier.weight / metrics["calibration"]["temperature"]
    torch.testing.assert_close(middle.model.classifier.weight, stayed)
    assert [row.keys() for row in seen["middle"]] == [{"repr", "dev_f1"}]


def test_resumed_equals_uninterrupted(seen: dict[str, Any]):
    assert seen["parts"] == seen["whole"]
    model = "model.safetensors"
    whole, parts = (seen["folder"] / name / model for name in ("whole", "parts"))
    assert whole.read_bytes() == parts.read_bytes()
    first, second = seen["draws"]
    assert first != second


def test_resume_with_another_number_of_processes(
    tmp_path: Path, seen: dict[str, Any], trained: Trained
):
    (tmp_path / "student-checkpoint").symlink_to(seen["folder"] / "student-checkpoint")
    config = load_config(trained.config_path, STILL)
    with pytest.raises(OpticalError, match=r"E418.*made by 2 process\(es\), and this run has 1"):
        distill(config, trained.teacher, tmp_path / "student", resume=True)


def test_an_error_stops_all(seen: dict[str, Any]):
    for messages, code in ((seen["not a number"], "E408"), (seen["refused"], "E404")):
        first, second = messages
        assert first == second
        assert code in first


def test_the_command_has_one_voice(seen: dict[str, Any], trained: Trained):
    assert seen["stdout"].count("epoch  1  ") == 1
    assert seen["stdout"].count("Student in") == 1
    assert load_tagger(seen["folder"] / "told").labels == load_tagger(trained.teacher).labels


def test_launched_in_vain(tmp_path: Path, trained: Trained, monkeypatch: pytest.MonkeyPatch):
    """`accelerate launch --cpu --num_processes 2` without mpirun."""
    monkeypatch.setenv("ACCELERATE_USE_CPU", "True")
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    said: list[str] = []
    teach(
        load_config(trained.config_path, {"teacher.epochs": 1}), tmp_path / "out", say=said.append
    )
    assert said[0].startswith("accelerate started one process")


@pytest.mark.parametrize("count", [1, 2, 3, 100])
def test_parts_of_an_english_batch_add_up_to_its_loss(trained: Trained, count: int):
    tagger = load_tagger(trained.teacher).eval()
    pieces = WordPieces((trained.teacher / "tokenizer.json").read_bytes())
    english, _ = read_plans(trained.config, trained.teacher)
    task = EnglishTask(english.sentences[:7], pieces, 7)
    [batch] = task.batches(np.random.default_rng(0))
    parts = task.split(batch, count)
    assert len(parts) == min(count, 7)
    assert sum(len(part) for part, _ in parts) == 7
    whole = task.losses(tagger, batch)["hard"].detach()
    together = sum(share * task.losses(tagger, part)["hard"].detach() for part, share in parts)
    assert float(together) == pytest.approx(float(whole), rel=1e-5)


@pytest.mark.parametrize(
    ("size", "english", "count", "expected"),
    [
        (8, 0.5, 2, [(4, 2), (4, 2)]),
        (8, 0.5, 3, [(3, 2), (3, 1), (2, 1)]),
        (1, 0.0, 2, [(1, 0)]),  # a batch smaller than the number of processes
        (8, 0.0, 2, [(4, 0), (4, 0)]),
        (8, 0.1, 4, [(8, 1)]),  # no part is without English
    ],
)
def test_parts_of_a_students_batch(
    trained: Trained, size: int, english: float, count: int, expected: list[tuple[int, int]]
):
    values = {"training.batch_size": size, "training.english": english}
    config = load_config(trained.config_path, values)
    pieces = WordPieces((trained.student / "tokenizer.json").read_bytes())
    task = StudentTask(config, *read_plans(config, trained.teacher), pieces)
    batch = task.batches(np.random.default_rng(0))[0]
    parts = task.split(batch, count)
    assert [(len(part.rows), len(part.english)) for part, _ in parts] == expected
    assert sorted(row for part, _ in parts for row in part.rows) == sorted(batch.rows)
    assert sorted(i for part, _ in parts for i in part.english) == sorted(batch.english)
    assert sum(share for _, share in parts) == pytest.approx(1)
