"""The notebook runs from top to bottom after a base install."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .util import environment_without

TOUR = Path(__file__).parents[1] / "examples" / "tour.ipynb"
HEAVY = ("torch", "transformers", "spacy_transformers", "onnx", "ot")


def test_the_ten_cells_run_after_a_base_install(tmp_path: Path):
    """Cells are run as a program, in order; a kernel would run them in the same way."""
    cells = json.loads(TOUR.read_text(encoding="utf8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert [cell.split(".")[0] for cell in code] == [f"# {number}" for number in range(1, 11)]
    (tmp_path / "tour.py").write_text("\n\n".join(code), encoding="utf8")
    (tmp_path / "site").mkdir()
    done = subprocess.run(
        [sys.executable, "-S", "tour.py"],
        env=environment_without(tmp_path / "site", *HEAVY),
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("[('Amina Juma', 'PER'), ('Hospitali ya Rufaa ya Mbeya', 'ORG')") == 3
    assert done.stdout.count('pip install "spacy_optical[train]"') == 3
    assert not any(cell.get("outputs") for cell in cells)


def test_a_kernel_runs_the_notebook(tmp_path: Path):
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed")
    notebook = nbformat.read(TOUR, as_version=4)
    nbformat.validate(notebook)
    context = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=600, resources=context).execute()
