"""Options and fixtures of the whole suite."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from .toy_project import toy_project

if TYPE_CHECKING:
    from spacy_optical.distill.config import DistillConfig

# Set before the libraries that read them are imported: results must not depend on the machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # tests import ONNX Runtime themselves

# A busy machine is no failure.
settings.register_profile("house", deadline=None)
settings.load_profile("house")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="also run the tests marked slow")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--slow"):
        return
    skip = pytest.mark.skip(reason="needs --slow")
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(skip)


@dataclass(frozen=True)
class Trained:
    """A toy project after every step of learning."""

    config_path: Path
    config: "DistillConfig"
    teacher: Path
    student: Path

    @property
    def corpus(self) -> Path:
        """The converted corpus."""
        return self.config.paths.corpus


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A toy project with teacher, plans and student. Tests leave its files as they are."""
    from spacy_optical.distill.config import load_config
    from spacy_optical.distill.distillation import distill
    from spacy_optical.distill.make_plans import make_plans
    from spacy_optical.distill.teacher import teach

    folder = tmp_path_factory.mktemp("project")
    path = toy_project(folder)
    config = load_config(path)
    teach(config, folder / "teacher")
    make_plans(config, folder / "teacher")
    distill(config, folder / "teacher", folder / "student")
    return Trained(path, config, folder / "teacher", folder / "student")
