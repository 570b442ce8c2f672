"""The workflow files of hosted CI: they can be read, and they test what setup.cfg promises."""

import re
from configparser import ConfigParser
from pathlib import Path

import pytest
import srsly

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / ".github" / "workflows"

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="a source archive has no workflows")


@pytest.mark.parametrize("name", ["ci.yml", "publish.yml"])
def test_every_step_does_something_and_names_paths_that_exist(name: str) -> None:
    jobs = srsly.read_yaml(FOLDER / name)["jobs"]
    for job in jobs.values():
        assert set(job.get("needs", "").split()) <= set(jobs)
        for step in job["steps"]:
            assert ("run" in step) != ("uses" in step), step
            for path in re.findall(r"\b(?:tests|assets)/[\w./-]+", step.get("run", "")):
                assert (ROOT / path).exists(), path


def test_every_python_of_the_classifiers_is_tested() -> None:
    config = ConfigParser(interpolation=None)
    config.read(ROOT / "setup.cfg", encoding="utf8")
    promised = re.findall(r"Python :: (3\.\d+)", config["metadata"]["classifiers"])
    matrix = srsly.read_yaml(FOLDER / "ci.yml")["jobs"]["base"]["strategy"]["matrix"]
    assert matrix["python"] == promised
