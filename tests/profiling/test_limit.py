import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from spacy_optical.errors import OpticalError
from spacy_optical.profiling import options as options_module
from spacy_optical.profiling.check import check_target
from spacy_optical.profiling.limit import MemoryLimit, can_limit, enter_limit
from spacy_optical.profiling.measure import profile
from spacy_optical.profiling.options import Options
from spacy_optical.profiling.process import RequestFailed
from spacy_optical.profiling.text import terminal_text
from spacy_optical.profiling.workload import Target

from .conftest import HOLDS_MEMORY

needs_limit = pytest.mark.skipif(not can_limit(), reason="the system keeps no limit")

# More than spaCy needs to be imported, less than the heavy pipeline holds.
LIMIT_MB = 900


@pytest.fixture(scope="module")
def heavy(places: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A pipeline that holds 1,200 MB when it is loaded, and the code that it needs."""
    folder = tmp_path_factory.mktemp("heavy")
    code = folder / "holds_memory.py"
    code.write_text(HOLDS_MEMORY)
    pipeline = folder / "pipeline"
    # The same as the ruler, with one component more in its config, so that nothing is held here.
    shutil.copytree(places / "ruler", pipeline)
    config = (pipeline / "config.cfg").read_text()
    config = config.replace('pipeline = ["entity_ruler"]', 'pipeline = ["entity_ruler","held"]')
    config += '\n[components.held]\nfactory = "holds_memory"\nmegabytes = 1200\n'
    (pipeline / "config.cfg").write_text(config)
    return pipeline, code


@needs_limit
def test_a_process_beyond_its_address_space_fails() -> None:
    code = """
import sys
from spacy_optical.profiling.limit import MemoryLimit, enter_limit
enter_limit(MemoryLimit.new(200_000_000).argument)
held = bytearray(20_000_000)
try:
    bytearray(300_000_000)
except MemoryError:
    sys.exit(0)
sys.exit("there was room")
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@needs_limit
def test_what_exceeds_the_limit_is_told_and_the_rest_measured(
    places: Path, heavy: tuple[Path, Path], gold: dict[str, Path]
) -> None:
    pipeline, code = heavy
    targets = [Target.parse(f"heavy={pipeline}"), Target.parse(f"light={places / 'ruler'}")]
    options = Options(
        seconds=0.05,
        rounds=1,
        starts=1,
        batch_sizes=(2,),
        code=code,
        memory_limit_mb=LIMIT_MB,
        label_map={"PLACE": "LOC"},
        baseline="heavy",
    )
    report = profile(targets, gold=gold, options=options)
    assert [found.name for found in report.profiles] == ["light"]
    assert [one.name for one in report.not_run] == ["heavy"]
    assert report.settings.memory_limit_mb == LIMIT_MB
    assert report.settings.memory_limit_kind == "address space"
    text = terminal_text(report)
    assert "heavy does not run within the memory limit" in text
    assert "like a small device" in text


@needs_limit
def test_when_nothing_runs_there_is_no_report(places: Path, heavy: tuple[Path, Path]) -> None:
    pipeline, code = heavy
    options = Options(code=code, memory_limit_mb=LIMIT_MB)
    with pytest.raises(OpticalError, match="No pipeline runs within 900 MB of address space"):
        profile([Target.parse(str(pipeline))], gold={"sw": places / "sw.spacy"}, options=options)


@needs_limit
def test_what_is_broken_without_a_limit_too_is_not_blamed_on_it(tmp_path: Path) -> None:
    (tmp_path / "config.cfg").write_text("[nlp]\nlang = xx\n")
    target, options = Target.parse(f"broken={tmp_path}"), Options(memory_limit_mb=2000)
    with ExitStack() as kept, pytest.raises(RequestFailed, match="failed to load"):
        check_target(target, ["Juma"], [], options, kept)


class TestControlGroup:
    """A folder stands for a control group; what the kernel does with one is not tested."""

    def test_a_group_is_made_entered_and_removed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = Path.mkdir

        def mkdir_as_the_kernel(path: Path, *args: object, **kwargs: object) -> None:
            made(path)
            (path / "memory.max").touch()
            (path / "memory.swap.max").touch()

        monkeypatch.setattr(Path, "mkdir", mkdir_as_the_kernel)
        limit = MemoryLimit.new(64_000_000, tmp_path)
        assert limit.group is not None
        assert (limit.group / "memory.max").read_text() == "64000000"
        assert (limit.group / "memory.swap.max").read_text() == "0"
        enter_limit(limit.argument)
        assert (limit.group / "cgroup.procs").read_text() == str(os.getpid())
        for file in list(limit.group.iterdir()):
            file.unlink()
        limit.close()
        assert list(tmp_path.iterdir()) == []

    @needs_limit
    def test_a_folder_that_is_no_group_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(OpticalError, match=r"No limited group can be made .* memory.max"):
            Options(memory_limit_mb=100, memory_group=tmp_path)
        assert list(tmp_path.iterdir()) == []

    def test_a_group_without_a_limit_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(OpticalError, match="Give --memory-limit too"):
            Options(memory_group=tmp_path)


def test_other_systems_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options_module, "can_limit", lambda: False)
    with pytest.raises(OpticalError, match="only on Linux"):
        Options(memory_limit_mb=100)


def test_no_limit_is_below_zero() -> None:
    with pytest.raises(OpticalError, match="memory limit must be above 0"):
        Options(memory_limit_mb=-1)


@needs_limit
def test_a_model_that_finds_no_room_is_not_called_damaged() -> None:
    # The rest of the libraries is loaded first, so that the model is what lacks room.
    code = """
import re, resource, sys
import spacy
nlp = spacy.blank("xx")
pipe = nlp.add_pipe("optical_ner")
pipe.runtime.bundle
import onnxruntime, tokenizers
pages = int(open("/proc/self/statm").read().split()[0])
limit = pages * resource.getpagesize() + 2_000_000
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    pipe.runtime.session
except ValueError as err:
    sys.exit(0 if "not enough memory" in str(err) else str(err))
sys.exit("there was room")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
