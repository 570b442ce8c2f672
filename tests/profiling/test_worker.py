import errno
import io
import subprocess
import sys
from pathlib import Path

import pytest

from spacy_optical.profiling import clock, memory
from spacy_optical.profiling import worker as worker_module
from spacy_optical.profiling.options import Options
from spacy_optical.profiling.process import RequestFailed, Worker

LIGHT = """
import sys
from spacy_optical.profiling import worker
heavy = {"spacy", "numpy", "pydantic", "matplotlib", "psutil"} & set(sys.modules)
sys.exit(f"imported: {heavy}" if heavy else 0)
"""


def test_the_worker_imports_nothing_heavy() -> None:
    subprocess.run([sys.executable, "-c", LIGHT], check=True)


def test_a_base_install_hides_torch_and_its_entry_points() -> None:
    code = """
import sys
from spacy_optical.profiling.environment import enter_environment
enter_environment("base")
import spacy
spacy.blank("xx")
from importlib.metadata import distributions
names = {dist.metadata["Name"].lower() for dist in distributions()}
bad = {"torch", "transformers", "spacy_transformers"} & set(sys.modules)
bad |= {"torch", "transformers", "spacy-transformers"} & names
sys.exit(f"visible: {bad}" if bad or "spacy" not in names else 0)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_failing_request_names_pipeline_and_reason(tmp_path: Path) -> None:
    with Worker("mine", "base", Options()) as worker:
        with pytest.raises(RequestFailed, match="Pipeline 'mine' failed to load: OSError"):
            worker.ask("load", path=str(tmp_path / "none"), kind="pipeline", threads=1, code=None)
        # It goes on after that.
        assert worker.ask("start")["memory"]["rss"] > 0


def test_a_process_that_ends_is_told(tmp_path: Path) -> None:
    code = tmp_path / "ends.py"
    code.write_text("import os, sys\nprint('no room', file=sys.stderr, flush=True)\nos._exit(3)\n")
    with (
        Worker("mine", "base", Options()) as worker,
        pytest.raises(RequestFailed, match="ended with code 3 and the last output 'no room'"),
    ):
        worker.ask("load", path="x", kind="pipeline", threads=1, code=str(code))


def test_a_process_that_is_killed_during_its_answer_is_told() -> None:
    with Worker("mine", "base", Options()) as worker:
        worker._process.kill()
        worker._answers = io.StringIO('{"calls": [[0, 12')
        with pytest.raises(RequestFailed, match="'mine' failed to import its libraries"):
            worker.ask("start")


def test_the_peaks_of_rss_and_pss_may_be_at_different_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Echo:
        def pipe(self, texts: list[str], batch_size: int, n_process: int) -> list[str]:
            return texts

    found = iter([{"rss": 5, "pss": 1}, {"rss": 3, "pss": 2}])
    monkeypatch.setattr(worker_module, "read_family", lambda: next(found))
    subject = worker_module.Subject(clock.Clock(subtract=False))
    subject.nlp, subject.texts = Echo(), ["one", "two"]
    assert subject.share([0, 1], batch_size=1, processes=2) == {"rss": 5, "pss": 2}


def test_memory_without_a_list_of_children_is_not_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "status").write_text("VmRSS:\t12 kB\n")
    (tmp_path / "self" / "smaps_rollup").write_text("Pss:\t12 kB\n")
    monkeypatch.setattr(memory, "PROCESSES", tmp_path)
    assert memory.read_family() is None


@pytest.mark.parametrize("number", [errno.EPIPE, errno.EINVAL])  # Linux, Windows
def test_a_process_that_ended_before_the_request_is_told(
    monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse() -> None:
        raise OSError(number, "the pipe is closed")

    with Worker("mine", "base", Options()) as worker:
        worker._process.kill()
        monkeypatch.setattr(worker._requests, "flush", refuse)
        with pytest.raises(RequestFailed, match="its process ended with code"):
            worker.ask("start")
        monkeypatch.undo()


def test_prints_of_a_pipeline_do_not_disturb_the_answers(tmp_path: Path) -> None:
    code = tmp_path / "prints.py"
    code.write_text("print('hello')\nraise ValueError('seen')\n")
    with (
        Worker("mine", "base", Options()) as worker,
        pytest.raises(RequestFailed, match="ValueError: seen"),
    ):
        worker.ask("load", path="x", kind="pipeline", threads=1, code=str(code))


@pytest.mark.skipif(not memory.STATUS.exists(), reason="there is no /proc")
def test_the_peak_of_memory_is_reset() -> None:
    code = """
from spacy_optical.profiling.memory import read_memory, reset_peak
before = read_memory()["peak"]
held = b"x" * 50_000_000
high = read_memory()["peak"]
del held
assert high - before > 45_000_000, (before, high)
# The kernel counts pages in lots, so a peak may be off by a little.
assert read_memory()["peak"] > high - 1_000_000
if reset_peak():
    assert high - read_memory()["peak"] > 45_000_000
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_proc_psutil_tells(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(memory, "STATUS", tmp_path / "none")
    monkeypatch.setattr(memory, "RESET", tmp_path / "none" / "either")
    found = memory.read_memory()
    assert found["pss"] is None
    assert (found["peak"] or 0) >= (found["rss"] or 0) * 0.9 > 0
    assert not memory.reset_peak()


def test_a_clock_without_schedstat_subtracts_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(clock, "SCHEDULE", tmp_path / "none")
    for found in (clock.Clock(subtract=True), clock.Clock(subtract=False)):
        passed, waited = found.since(found.now())
        assert passed > 0
        assert waited == 0


@pytest.mark.skipif(not clock.SCHEDULE.exists(), reason="the kernel does not tell")
def test_waiting_is_part_of_what_passed() -> None:
    watch = clock.Clock(subtract=True)
    begun = watch.now()
    sum(range(1_000_000))
    passed, waited = watch.since(begun)
    assert 0 <= waited <= passed
