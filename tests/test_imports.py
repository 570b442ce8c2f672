"""Which parts of the package may import which."""

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "spacy_optical"
# What each package may import, as docs/architecture.md draws it. All may import single files.
ARROWS = {
    "align": set(),
    "scores": set(),
    "runtime": set(),
    "data": {"runtime"},
    "encoders": {"runtime"},
    "pipeline": {"encoders", "runtime"},
    "projection": {"align", "data", "encoders", "runtime", "scores"},
    "distill": {"align", "data", "encoders", "projection", "runtime", "scores"},
    "export": {"data", "distill", "encoders", "runtime", "scores"},
    "own_labels": {"data", "distill", "encoders", "export", "runtime"},
    "profiling": {"data", "pipeline", "runtime", "scores"},
    "scale": {"align", "data", "encoders", "projection", "runtime"},
}
# Packages that these may not name, not even inside a function.
LIBRARIES = {
    "align": {"spacy", "torch"},
    "scores": {"spacy", "torch"},
    "runtime": {"torch", "transformers"},
    "data": {"torch", "transformers"},
    "profiling": {"torch", "transformers"},
    "scale": {"torch", "transformers"},
    "cli": {"torch", "transformers"},
}


def imports(file: Path) -> Iterator[str]:
    """Give the dotted names of all modules that a file imports, inside functions too."""
    package = file.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package[: len(package) + 1 - node.level] if node.level else ()
            module = ".".join([*parents, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def imported(folder: Path) -> set[tuple[str, str]]:
    """Give each file of a folder with each module that it imports."""
    return {(file.name, name) for file in folder.rglob("*.py") for name in imports(file)}


@pytest.mark.parametrize("package", ARROWS)
def test_a_package_imports_only_what_the_architecture_draws(package: str):
    packages = {folder.name for folder in PACKAGE.iterdir() if (folder / "__init__.py").is_file()}
    for file, name in imported(PACKAGE / package):
        root, _, rest = name.partition(".")
        if root == "spacy_optical" and (other := rest.split(".")[0]) in packages:
            assert other in ARROWS[package] | {package}, f"{package}/{file} imports {name}"


def test_the_recogniser_and_the_runtime_import_no_other_package():
    component = {("optical_ner.py", name) for name in imports(PACKAGE / "pipeline/optical_ner.py")}
    barred = ("align", "data", "distill", "encoders", "export", "profiling", "projection")
    for file, name in component | imported(PACKAGE / "runtime"):
        assert not name.startswith(tuple(f"spacy_optical.{one}" for one in barred)), (file, name)


@pytest.mark.parametrize("package", LIBRARIES)
def test_a_package_names_no_library_that_it_must_not_need(package: str):
    for file, name in imported(PACKAGE / package):
        assert name.partition(".")[0] not in LIBRARIES[package], f"{package}/{file} imports {name}"


def test_nothing_imports_the_experiments_or_the_commands():
    for file, name in imported(PACKAGE):
        assert name.partition(".")[0] not in {"research", "tests"}, f"{file} imports {name}"
    for package in ARROWS:
        for file, name in imported(PACKAGE / package):
            assert not name.startswith("spacy_optical.cli"), f"{package}/{file} imports {name}"


CHECK = """
import sys
import {module}
heavy = {forbidden!r}
found = [name for name in sys.modules if any(name == h or name.startswith(h + ".") for h in heavy)]
assert not found, found[:3]
"""


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("spacy_optical.align", ["spacy", "torch", "transformers", "ot"]),
        ("spacy_optical.scores", ["spacy", "torch", "pydantic"]),
        ("spacy_optical.encoders.word_vectors", ["spacy_optical.distill", "torch"]),
        ("spacy_optical.projection.labels", ["spacy_optical.distill", "ot"]),
        ("spacy_optical.projection.pair", ["spacy_optical.distill", "ot"]),
    ],
)
def test_a_module_imports_nothing_that_it_must_not(module: str, forbidden: list[str]):
    code = CHECK.format(module=module, forbidden=forbidden)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_file_names_are_unique():
    names = Counter(file.name for file in PACKAGE.rglob("*.py"))
    twice = {name for name, count in names.items() if count > 1}
    assert twice <= {"__init__.py", "config.py"}
