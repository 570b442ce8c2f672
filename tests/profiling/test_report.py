import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pandas
import pytest

from spacy_optical.cli._markdown import END, START, check_marks, replace_results
from spacy_optical.errors import OpticalError
from spacy_optical.files import read_record
from spacy_optical.profiling.cells import number
from spacy_optical.profiling.frame import COLUMNS
from spacy_optical.profiling.metrics_file import read_metrics
from spacy_optical.profiling.report import write_report
from spacy_optical.profiling.schema import ExtraRow, ProfileReport
from spacy_optical.profiling.tables import main_tables, pivot
from spacy_optical.profiling.text import markdown_text, terminal_text

DEMO = Path(__file__).parents[2] / "docs" / "results" / "demo" / "metrics.json"
LOADING = {"src", "srcset", "data", "poster", "action", "background"}


class Page(HTMLParser):
    """What a page loads, names and nests."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.ids: list[str] = []
        self.counts: dict[str, int] = {}
        self.headings: list[int] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.counts[tag] = self.counts.get(tag, 0) + 1
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if values.get("id"):
            self.ids.append(values["id"] or "")
        for name, value in values.items():
            is_link = tag != "a" and name in ("href", "xlink:href")
            if (name in LOADING or is_link) and not (value or "").startswith(("#", "data:")):
                self.loads.append(f"{tag} {name}={value}")


@pytest.fixture(scope="module")
def folder(report: ProfileReport, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report")
    for path in write_report(report, out):
        assert path.stat().st_size > 0
    return out


@pytest.fixture(scope="module")
def page(folder: Path) -> Page:
    parser = Page()
    parser.feed((folder / "report.html").read_text(encoding="utf8"))
    return parser


def test_the_metrics_file_is_read_back_as_it_was(report: ProfileReport, folder: Path) -> None:
    assert read_metrics(folder / "metrics.json") == report


def test_files_of_version_1_are_read(tmp_path: Path) -> None:
    value = json.loads(DEMO.read_text(encoding="utf8")) | {"version": 1}
    for name in ("not_run", "study", "gains"):
        value.pop(name, None)
    for name in ("processes", "memory_limit_mb", "memory_limit_kind", "budget"):
        del value["settings"][name]
    for profile in value["profiles"]:
        del profile["memory"]["shared"]
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps(value), encoding="utf8")
    demo = read_metrics(path)
    # What is written from it has fields that version 1 lacks.
    assert demo.version == 3
    assert demo.settings.memory_limit_mb is None
    assert demo.profiles == read_metrics(DEMO).profiles


@pytest.mark.parametrize(
    ("change", "message"),
    [({"version": 99}, "version"), ({"colour": "red"}, "colour"), ({"profiles": 3}, "profiles")],
)
def test_other_metrics_files_are_refused(
    folder: Path, tmp_path: Path, change: dict, message: str
) -> None:
    value = json.loads((folder / "metrics.json").read_text()) | change
    (tmp_path / "metrics.json").write_text(json.dumps(value))
    with pytest.raises(OpticalError, match=message):
        read_metrics(tmp_path / "metrics.json")


def test_the_csv_holds_a_figure_a_row(report: ProfileReport, folder: Path) -> None:
    with (folder / "metrics.csv").open(encoding="utf8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    toy = {
        (row["metric"], row["language"], row["label"], row["batch_size"]): row
        for row in rows
        if row["pipeline"] == "toy" and not row["phase"] and not row["words"]
    }
    found = report.profiles[1]
    assert float(toy["f1", "sw", "all", ""]["value"]) == found.accuracy["sw"].f1.value
    assert float(toy["speed", "", "", "8"]["low"]) == found.throughput[1].words_per_second.low
    assert toy["speed", "", "", "8"]["unit"] == "words/s"
    assert any(row["pipeline"] == "without OT" and row["value"] == "0.5" for row in rows)


def test_the_page_loads_nothing_and_has_a_table_for_every_figure(page: Page) -> None:
    assert page.loads == []
    assert page.counts["figure"] == page.counts["img"] == 5
    assert page.counts["table"] == page.counts["caption"] >= 3 + 3
    assert "script" not in page.counts
    assert len(page.ids) == len(set(page.ids))


def test_headings_skip_no_level(page: Page) -> None:
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    for above, below in zip(page.headings, page.headings[1:], strict=False):
        assert below <= above + 1


def test_names_are_escaped_in_the_page(report: ProfileReport, tmp_path: Path) -> None:
    odd = report.profiles[0].model_copy(update={"name": "<script>alert(1)</script>"})
    write_report(report.model_copy(update={"profiles": [odd]}), tmp_path)
    assert "<script" not in (tmp_path / "report.html").read_text(encoding="utf8")


def test_tables_hold_extra_rows_and_leave_out_the_baseline(report: ProfileReport) -> None:
    f1, _, ratios = main_tables(report)
    assert list(f1) == ["Pipeline", "en", "sw", "Macro"]
    assert f1.iloc[-1].tolist() == ["without OT", "–", "50.0", "50.0"]
    assert ratios["Pipeline"].tolist() == ["toy"]
    assert any("without OT" in line for line in terminal_text(report).splitlines())


def test_a_table_keeps_the_order_of_rows_and_headers() -> None:
    rows = pandas.DataFrame(
        [
            ("b", "f1", "sw", 0.5, None, None, "share"),
            ("b", "speed", None, 1234.5, 1200.0, 1300.0, "words/s"),
            ("a", "f1", "fi", 0.004, 0.001, 0.009, "share"),
            ("a", "speed", None, float("nan"), None, None, "words/s"),
        ],
        columns=["pipeline", "metric", "language", "value", "low", "high", "unit"],
    )
    table = pivot("Figures", rows, {"speed": "words/s", "f1": "{language}"})
    assert table.columns.name == "Figures"
    assert list(table) == ["Pipeline", "words/s", "sw", "fi"]
    assert table.values.tolist() == [
        ["b", "1,234 [1,200 to 1,300]", "50.0", "–"],
        ["a", "–", "–", "0.4 [0.1 to 0.9]"],
    ]
    assert pivot("Figures", rows[:0], {"speed": "words/s"}).empty


def test_a_partial_report_is_written_too(report: ProfileReport, tmp_path: Path) -> None:
    empty = {
        "latency": None,
        "memory": None,
        "start": None,
        "throughput": [],
        "ratios": None,
    }
    partial = report.model_copy(
        update={
            "complete": False,
            "floor": None,
            "profiles": [found.model_copy(update=empty) for found in report.profiles],
            "warnings": ["The run was stopped before its end: figures are partial."],
        }
    )
    write_report(partial, tmp_path)
    assert not read_metrics(tmp_path / "metrics.json").complete
    assert "stopped before its end" in (tmp_path / "report.html").read_text(encoding="utf8")


def test_markdown_goes_between_the_marks(report: ProfileReport, tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"# Title\n{START}\nold\n{END}\nrest\n", encoding="utf8")
    check_marks(readme)
    for _ in range(2):
        replace_results(readme, markdown_text(report))
    text = readme.read_text(encoding="utf8")
    assert text.startswith(f"# Title\n{START}\n")
    assert text.endswith(f"{END}\nrest\n")
    assert "old" not in text
    assert text.count("| without OT | – | 50.0 | 50.0 |") == 1


def test_waiting_is_said_to_be_subtracted_only_where_it_is(report: ProfileReport) -> None:
    assert "is subtracted" in markdown_text(report)
    settings = report.settings.model_copy(update={"threads": 2})
    text = markdown_text(report.model_copy(update={"settings": settings, "warnings": []}))
    assert "is subtracted" not in text


@pytest.mark.parametrize("content", ["no marks", f"{START} only", f"{END} {START}"])
def test_a_file_without_marks_is_left_alone(tmp_path: Path, content: str) -> None:
    path = tmp_path / "README.md"
    path.write_text(content)
    with pytest.raises(OpticalError, match="has no lines"):
        check_marks(path)
    with pytest.raises(OpticalError, match="has no lines"):
        replace_results(path, "text")
    assert path.read_text() == content


def test_extra_rows_are_shares(tmp_path: Path) -> None:
    path = tmp_path / "extra.json"
    path.write_text('[{"name": "without OT", "f1": {"sw": 0.61}}]')
    assert read_record(path, list[ExtraRow])[0].f1 == {"sw": 0.61}
    path.write_text('[{"name": "without OT", "f1": {"sw": 61.0}}]')
    with pytest.raises(OpticalError, match=r"0\.f1\.sw"):
        read_record(path, list[ExtraRow])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0.00"),
        (0.00001234, "1.2e-05"),
        (0.0123, "0.0123"),
        (1.234, "1.23"),
        (12.34, "12.3"),
        (12345.6, "12,346"),
    ],
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert number(value) == text
