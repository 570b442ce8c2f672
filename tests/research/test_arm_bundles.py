"""The copied bundles of made-up runs."""

import json
import shlex
from pathlib import Path

import pytest
import yaml

from research.arm_bundles import collect_bundles
from research.arm_config import load_experiments
from research.arm_metrics import write_arm
from spacy_optical.errors import OpticalError
from spacy_optical.runtime.bundle import Bundle

from ..util import toy_bundle
from .test_arm_table import RIGHT, arm

ROOT = Path(__file__).parent.parent.parent
CONFIGS = ROOT / "research" / "configs"


@pytest.fixture
def metrics(tmp_path: Path) -> Path:
    folder = tmp_path / "metrics"
    for name, preset in (("both", "auto"), ("torch", "")):
        write_arm(arm(name, 0, "7", [RIGHT], preset=preset), folder / f"{name}-seed0.json")
    toy_bundle().to_disk(tmp_path / "students" / "both-seed0-f-auto")
    return folder


def test_bundles_lose_their_fingerprints(metrics: Path, tmp_path: Path) -> None:
    for _ in range(2):
        copies = collect_bundles(metrics, tmp_path / "students", tmp_path / "out", names=["both"])
    assert copies == [tmp_path / "out" / "both-seed0"]
    source = tmp_path / "students" / "both-seed0-f-auto"
    assert Bundle.from_disk(copies[0]).info == Bundle.from_disk(source).info


def test_nothing_is_copied_if_a_bundle_is_missing(metrics: Path, tmp_path: Path) -> None:
    for missing in ("torch", "none"):
        with pytest.raises(OpticalError, match="No such"):
            collect_bundles(metrics, tmp_path / "students", tmp_path / "o", names=["both", missing])
    assert not (tmp_path / "o").exists()


def test_study_command_and_config_have_the_same_arms() -> None:
    study = json.loads((CONFIGS / "experiments-study.json").read_text(encoding="utf8"))
    students = [one["name"] for one in study["students"]]
    commands = yaml.safe_load((ROOT / "project.yml").read_text(encoding="utf8"))["commands"]
    copied, _, profiled = next(c["script"] for c in commands if c["name"] == "experiments-study")
    words = shlex.split(copied)
    assert words[words.index("--arms") + 1].split(",") == students
    targets = [word.partition("=")[0] for word in shlex.split(profiled) if "/bundles/" in word]
    assert targets == ["teacher", *students]
    assert set(students) <= set(load_experiments(CONFIGS / "experiments.cfg").arms)
