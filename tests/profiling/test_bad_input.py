"""What the profile makes of pipelines and systems that are not as they should be."""

import shutil
from pathlib import Path

import pytest
import spacy
from spacy.cli._util import app
from typer.testing import CliRunner

import spacy_optical.cli  # noqa: F401
from spacy_optical.errors import OpticalError
from spacy_optical.profiling import clock, machine_load, measure, memory
from spacy_optical.profiling.measure import profile
from spacy_optical.profiling.metrics_file import read_metrics
from spacy_optical.profiling.options import Options
from spacy_optical.profiling.text import terminal_text
from spacy_optical.profiling.workload import Target

QUICK = Options(seconds=0.05, rounds=1, starts=1, batch_sizes=(2,))

# For measured processes, as --code: a system without /proc.
NO_PROC = """
from pathlib import Path
from spacy_optical.profiling import memory

none = Path("/there/is/none")
memory.STATUS = memory.SHARES = memory.RESET = memory.PROCESSES = none
"""


def test_a_bundle_without_its_tokenizer_is_refused(places: Path, tmp_path: Path) -> None:
    shutil.copytree(places / "bundle", tmp_path / "bundle")
    (tmp_path / "bundle" / "tokenizer.json").unlink()
    with pytest.raises(OpticalError, match=r"failed to .*tokenizer\.json is missing"):
        profile(
            [Target.parse(str(tmp_path / "bundle"))],
            gold={"sw": places / "sw.spacy"},
            options=QUICK,
        )


def test_a_pipeline_without_its_tokenizer_is_refused(places: Path, tmp_path: Path) -> None:
    if spacy.util.is_package("sudachipy"):
        pytest.skip("the tokenizer of Japanese is installed")
    shutil.copytree(places / "ruler", tmp_path / "ja")
    config = (tmp_path / "ja" / "config.cfg").read_text()
    config = config.replace('lang = "xx"', 'lang = "ja"')
    config = config.replace("spacy.Tokenizer.v1", "spacy.ja.JapaneseTokenizer")
    (tmp_path / "ja" / "config.cfg").write_text(config)
    with pytest.raises(OpticalError, match=r"'ja' failed to load: ImportError.*[Ss]udachi"):
        profile(
            [Target.parse(str(tmp_path / "ja"))],
            gold={"sw": places / "sw.spacy"},
            options=QUICK,
        )


def test_without_proc_figures_are_fewer_and_said_to_be(
    places: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = tmp_path / "no_proc.py"
    code.write_text(NO_PROC)
    none = tmp_path / "none"
    for module, names in {
        machine_load: ("STATUS", "RESET", "SCHEDULE"),
        memory: ("STATUS", "RESET", "SHARES"),
        clock: ("SCHEDULE",),
    }.items():
        for name in names:
            monkeypatch.setattr(module, name, none)
    report = profile(
        [Target.parse(str(places / "bundle"))],
        gold={"sw": places / "sw.spacy"},
        options=Options(seconds=0.05, rounds=1, starts=1, batch_sizes=(2,), processes=2, code=code),
    )
    found = report.profiles[0].memory
    assert found is not None
    assert found.peak_rss_mb.value > 50
    assert found.pss_mb is None
    assert found.shared is None
    assert "there is no /proc" in " ".join(report.machine.missing)
    assert "This system does not report" in terminal_text(report)


def test_ctrl_c_half_way_leaves_a_marked_report(
    places: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(measure, "_rounds", stop)
    out = tmp_path / "out"
    result = CliRunner().invoke(
        app,
        [
            *("optical", "profile", str(places / "bundle")),
            *("--gold", f"sw={places / 'sw.spacy'}", "--out", str(out)),
            *("--starts", "1", "--batch-sizes", "2"),
        ],
    )
    assert result.exit_code == 1
    assert "figures so far are kept and marked" in " ".join(result.output.split())
    report = read_metrics(out / "metrics.json")
    assert not report.complete
    assert report.profiles[0].memory is not None
    assert report.profiles[0].latency is None
    assert "stopped before its end" in (out / "report.html").read_text(encoding="utf8")
