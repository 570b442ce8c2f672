"""Imports that need care."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import spacy_optical

PACKAGE = Path(spacy_optical.__file__).parent

USE = """
import spacy
nlp = spacy.blank("xx")
nlp.add_pipe("optical_ner")
assert nlp("Amina Juma anaishi Nairobi.").ents
"""


def files_in_home(code: str, home: Path, **variables: str) -> list[str]:
    """Run code with a home folder of its own, and list what it left there."""
    home.mkdir()
    path = os.pathsep.join([str(PACKAGE.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    # No other variables: on build servers ONNX Runtime sends nothing, whatever else is set.
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": path, "HOME": str(home), **variables}
    subprocess.run([sys.executable, "-c", code], env=env, check=True, timeout=300)
    return [str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other places")
def test_nothing_is_written_to_the_home_folder(tmp_path: Path) -> None:
    if not files_in_home("import onnxruntime", tmp_path / "bare"):
        pytest.skip("this ONNX Runtime has no telemetry")
    assert files_in_home(USE, tmp_path / "ours") == []
    assert files_in_home(USE, tmp_path / "on", ORT_DISABLE_TELEMETRY="0") != []


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Modules that a file imports when it runs, by whatever means, and in which lines."""
    unread: list[ast.AST] = [ast.parse(path.read_text(encoding="utf8"))]
    while unread:
        node = unread.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        unread.extend(ast.iter_child_nodes(node))
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "", node.lineno
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("require", "import_module"):
            yield ast.unparse(node.args[0]).strip("'"), node.lineno


def test_onnx_runtime_is_imported_in_one_place() -> None:
    files = [*PACKAGE.rglob("*.py"), *(PACKAGE.parent / "research").rglob("*.py")]
    found = [
        f"{file}:{line}" for file in files for name, line in imports(file) if "onnxruntime" in name
    ]
    assert found == []
