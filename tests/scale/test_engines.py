"""Ray and Spark write what the local engine writes. Each runs in a process of its own."""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("pyarrow", reason='needs pyarrow: pip install "spacy_optical[scale]"')

from spacy_optical import annotate

from ..command_line import told
from .test_stream import parquet, run, texts_of

HAS = {
    name: importlib.util.find_spec(module) is not None
    for name, module in (("ray", "ray"), ("spark", "pyspark"))
}
ENGINES = [
    pytest.param(
        "ray",
        marks=pytest.mark.skipif(
            not HAS["ray"], reason='needs Ray: pip install "spacy_optical[ray]"'
        ),
    ),
    pytest.param(
        "spark",
        marks=pytest.mark.skipif(
            not (HAS["spark"] and shutil.which("java")),
            reason='needs Java and Spark: pip install "spacy_optical[spark]"',
        ),
    ),
]


def command(engine: str, source: Path, out: Path) -> list[str]:
    arguments = ["annotate", source, out, "--engine", engine, "--n-process", 2, "--part-size", 10]
    return [sys.executable, "-m", "spacy", "optical", *map(str, arguments), "--resume"]


def children(pid: int) -> Iterator[int]:
    import psutil

    yield from (process.pid for process in psutil.Process(pid).children(recursive=True))


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_writes_the_files_of_the_local_one(tmp_path: Path, engine: str):
    source = parquet(tmp_path / "texts.parquet", [*texts_of(57), None])
    annotate(source, tmp_path / "local", part_size=10)
    done = subprocess.run(command(engine, source, tmp_path / "out"), capture_output=True, text=True)
    assert done.returncode == 1
    assert "1 of 58 texts failed" in " ".join(done.stdout.split())
    names = {path.name for path in (tmp_path / "out").iterdir()}
    for path in (tmp_path / "local").iterdir():
        assert path.read_bytes() == (tmp_path / "out" / path.name).read_bytes()
    assert names == {path.name for path in (tmp_path / "local").iterdir()}


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_bad_input_in_a_worker_is_one_sentence(tmp_path: Path, engine: str):
    source = parquet(tmp_path / "texts.parquet", texts_of(40), row_group_size=20)
    import pyarrow.parquet as pq

    column = pq.read_metadata(source).row_group(1).column(1)
    at = column.dictionary_page_offset or column.data_page_offset
    good = source.read_bytes()
    source.write_bytes(good[:at] + b"\xff" * 20 + good[at + 20 :])
    done = subprocess.run(command(engine, source, tmp_path / "out"), capture_output=True, text=True)
    assert done.returncode == 1
    assert "[E802]" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_a_worker_that_is_killed_costs_no_row(tmp_path: Path, engine: str):
    pytest.importorskip("psutil")
    source = parquet(tmp_path / "texts.parquet", texts_of(200))
    annotate(source, tmp_path / "local", part_size=10)
    process = subprocess.Popen(command(engine, source, tmp_path / "out"))
    while process.poll() is None and not list((tmp_path / "out").glob("part-*")):
        time.sleep(0.05)
    writing = [pid for pid in children(process.pid) if is_worker(pid)]
    for pid in writing[:1]:
        os.kill(pid, signal.SIGKILL)
    assert writing
    assert process.wait() == 0
    for path in (tmp_path / "local").iterdir():
        assert path.read_bytes() == (tmp_path / "out" / path.name).read_bytes()


def is_worker(pid: int) -> bool:
    """Tell the processes that hold a model by the library that they have mapped."""
    try:
        return "onnxruntime" in Path(f"/proc/{pid}/maps").read_text(errors="replace")
    except OSError:
        return False


def test_spark_without_java_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("pyspark", reason='needs Spark: pip install "spacy_optical[spark]"')
    source = parquet(tmp_path / "texts.parquet", texts_of(2))
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    result = run("annotate", source, tmp_path / "out", "--engine", "spark")
    assert "[E809] Spark needs Java" in told(result)


def test_ray_that_does_not_start_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    ray = pytest.importorskip("ray", reason='needs Ray: pip install "spacy_optical[ray]"')

    def refuse(**settings: object) -> None:
        raise ConnectionError("Could not find any running Ray instance")

    monkeypatch.setattr(ray, "init", refuse)
    source = parquet(tmp_path / "texts.parquet", texts_of(2))
    result = run("annotate", source, tmp_path / "out", "--engine", "ray")
    assert "[E810] The engine Ray could not be started" in told(result)


@pytest.mark.parametrize(("engine", "module"), [("ray", "ray"), ("spark", "pyspark.sql")])
def test_a_missing_engine_names_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str, module: str
):
    monkeypatch.setitem(sys.modules, f"spacy_optical.scale.{engine}_engine", None)
    monkeypatch.delitem(sys.modules, f"spacy_optical.scale.{engine}_engine")
    monkeypatch.setitem(sys.modules, module, None)
    source = parquet(tmp_path / "texts.parquet", texts_of(2))
    result = run("annotate", source, tmp_path / "out", "--engine", engine)
    assert f"spacy_optical[{engine}]" in told(result)
    assert not (tmp_path / "out").exists()
