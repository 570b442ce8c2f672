"""The package as a user gets it: a wheel in a new environment that has no torch."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from spacy_optical.export.pipeline_folder import assemble
from spacy_optical.runtime.bundle import model_path

ROOT = Path(__file__).parent.parent

# What a base install must neither need nor load.
HEAVY = ("torch", "transformers", "onnx", "ot", "accelerate", "matplotlib", "spacy_transformers")


def run(*command: str | Path, cwd: Path) -> str:
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=clean, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheels of this package and of a packaged pipeline."""
    folder = tmp_path_factory.mktemp("install")
    assemble(model_path(), folder / "pipeline", name="optical_ner", version="0.0.1")
    python = sys.executable
    pip = [python, "-m", "pip", "--quiet", "wheel", "--no-deps", "--no-build-isolation"]
    run(*pip, "--wheel-dir", folder / "wheels", ROOT, cwd=folder)
    (folder / "packages").mkdir()
    package = [python, "-m", "spacy", "package", "pipeline", "packages", "--build", "wheel"]
    run(*package, "--name", "optical_ner", "--version", "0.0.1", cwd=folder)
    venv.create(folder / "venv", with_pip=True)
    new = folder / "venv" / "bin" / "python"
    wheels = [*(folder / "wheels").glob("*.whl"), *(folder / "packages").glob("*/dist/*.whl")]
    assert len(wheels) == 2
    install = [new, "-m", "pip", "install", "--quiet", "--constraint", ROOT / "constraints.txt"]
    run(*install, *wheels, cwd=folder)
    return new


def test_wheel_finds_entities_without_torch(environment: Path, tmp_path: Path) -> None:
    script = f"""
import sys
import spacy

spacy.blank("xx")
assert not set({HEAVY!r}) & set(sys.modules), set({HEAVY!r}) & set(sys.modules)
assert "onnxruntime" not in sys.modules
nlp = spacy.load("xx_optical_ner")
doc = nlp("Amina Juma lives in Nairobi.")
assert nlp.pipe_names == ["optical_ner"]
assert not set({HEAVY!r}) & set(sys.modules), set({HEAVY!r}) & set(sys.modules)
print([(entity.text, entity.label_) for entity in doc.ents])
"""
    found = run(environment, "-c", script, cwd=tmp_path)
    assert "('Nairobi', 'LOC')" in found


def test_default_bundle_is_in_the_wheel(environment: Path, tmp_path: Path) -> None:
    script = """
import spacy
from spacy_optical.runtime.bundle import MODELS

assert sorted(path.name for path in MODELS.iterdir()) == ["md", "sm"]  # lg is too large
nlp = spacy.blank("xx")
nlp.add_pipe("optical_ner")
print([(entity.text, entity.label_) for entity in nlp("Amina Juma lives in Nairobi.").ents])
"""
    assert "('Nairobi', 'LOC')" in run(environment, "-c", script, cwd=tmp_path)


def test_a_training_command_names_the_extra(environment: Path, tmp_path: Path) -> None:
    (tmp_path / "c.cfg").write_text("", encoding="utf8")
    command = [environment, "-m", "spacy", "optical", "teach", tmp_path / "c.cfg", tmp_path / "out"]
    done = subprocess.run(
        [str(part) for part in command], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "spacy_optical[train]" in " ".join(done.stdout.split() + done.stderr.split())
    assert "Traceback" not in done.stderr
