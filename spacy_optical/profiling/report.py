"""Writing a report: the metrics file, a CSV, the figures, and one page that holds everything."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..compat import require
from ..files import written_whole
from .cells import Table, number
from .drawing import Figure
from .figures import draw_figures
from .metrics_file import write_metrics
from .rows import write_csv
from .schema import Estimate, Profile, ProfileReport
from .tables import (
    disk_table,
    f1_table,
    latency_table,
    length_table,
    memory_table,
    pieces_table,
    shared_table,
    start_table,
    throughput_table,
    type_table,
)
from .text import main_tables, simd_flags

METRICS_FILE = "metrics.json"
CSV_FILE = "metrics.csv"
PAGE_FILE = "report.html"
FIGURE_FOLDER = "figures"
TEMPLATE = "report.html.jinja"

# A figure alone in a file has no page to take its colours from.
ALONE = (
    "<style>svg{color:#1b1f24}@media(prefers-color-scheme:dark){svg{color:#e6e9ec}}"
    "text{font-family:sans-serif}</style>"
)


@dataclass(frozen=True)
class Section:
    """A figure with the table of its data, or a table alone.

    title (str): The heading.
    figure (Optional[Figure]): The drawing.
    tables (Tuple[Table, ...]): The data.
    """

    title: str
    figure: Figure | None
    tables: tuple[Table, ...]


def write_report(report: ProfileReport, folder: Path) -> list[Path]:
    """Write a report's files, each whole or not at all.

    report (ProfileReport): The figures.
    folder (Path): The folder; other files in it are left alone.
    RETURNS (List[Path]): metrics.json, metrics.csv, report.html, then the figures.
    RAISES (OpticalError): If jinja2 or matplotlib is missing, or a file cannot be written.
    """
    folder = Path(folder)
    # Figures of a long run are safe before anything is drawn.
    write_metrics(report, folder / METRICS_FILE)
    write_csv(report, folder / CSV_FILE)
    figures = draw_figures(report)
    paths = [folder / METRICS_FILE, folder / CSV_FILE, folder / PAGE_FILE]
    _write(paths[2], render_page(report, figures).encode("utf8"))
    for figure in figures:
        for ending, content in (("svg", alone(figure).encode()), ("png", figure.png)):
            paths.append(folder / FIGURE_FOLDER / f"{figure.name}.{ending}")
            _write(paths[-1], content)
    return paths


def alone(figure: Figure) -> str:
    """Give a figure its own colours, for a file of its own.

    figure (Figure): The drawing.
    RETURNS (str): SVG.
    """
    head, mark, rest = figure.svg.partition(">")
    return f"{head}{mark}{ALONE}{rest}"


def check_tools() -> None:
    """See that a report can be drawn and written, before hours of measuring.

    RAISES (MissingDependency): If jinja2, matplotlib or scipy is missing.
    """
    for module in ("jinja2", "matplotlib", "scipy"):
        require(module, extra="profile")


def render_page(report: ProfileReport, figures: list[Figure]) -> str:
    """Make one page that needs nothing from anywhere.

    report (ProfileReport): The figures.
    figures (List[Figure]): The drawings.
    RETURNS (str): The HTML.
    RAISES (MissingDependency): If jinja2 is not installed.
    """
    jinja2 = require("jinja2", extra="profile")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page: str = environment.get_template(TEMPLATE).render(
        report=report,
        findings=findings(report),
        main_tables=main_tables(report),
        sections=list(_sections(report, figures)),
        simd=simd_flags(report),
    )
    return page


def findings(report: ProfileReport) -> list[str]:
    """Say in words how each pipeline stands to the baseline.

    report (ProfileReport): The figures.
    RETURNS (List[str]): A sentence for each pipeline that was compared.
    """
    base = report.baseline
    if base is None:
        return []
    rows = [found for found in report.profiles if found is not base]
    return [sentence for found in rows if (sentence := _finding(found, base))]


def _finding(found: Profile, base: Profile) -> str:
    ratios = found.ratios
    if ratios is None:
        return ""
    parts = []
    if ratios.f1 is not None and found.macro_f1 is not None:
        kept = f"{ratios.f1.value:.1%}{_interval(ratios.f1, 100)}"
        parts.append(f"{kept} of the macro F1 ({found.macro_f1.value * 100:.1f})")
    if ratios.p50 is not None and found.latency is not None:
        p50 = number(found.latency.p50_ms.value)
        parts.append(f"one text in {p50} ms, {_times(ratios.p50, 'faster', 'slower')}")
    for size, ratio in ratios.words_per_second.items():
        parts.append(f"in batches of {size} {_times(ratio, 'faster', 'slower')}")
    if ratios.above_floor is not None and found.memory is not None:
        memory = number(found.memory.above_floor_mb.value)
        less = _times(ratios.above_floor, "less", "more")
        parts.append(f"{memory} MB of memory above the import floor, {less}")
    if ratios.disk is not None and found.disk is not None:
        certain = Estimate(value=ratios.disk, low=ratios.disk, high=ratios.disk)
        parts.append(f"{number(found.disk.mb)} MB of disk, {_times(certain, 'less', 'more')}")
    return f"{found.name} against {base.name}: {'; '.join(parts)}." if parts else ""


def _times(ratio: Estimate, better: str, worse: str) -> str:
    if ratio.low <= 1 <= ratio.high:
        return f"no sure difference{_interval(ratio)}"
    if ratio.value > 1:
        return f"{number(ratio.value)} times {better}{_interval(ratio)}"
    turned = Estimate(value=1 / ratio.value, low=1 / ratio.high, high=1 / ratio.low)
    return f"{number(turned.value)} times {worse}{_interval(turned)}"


def _interval(value: Estimate, scale: float = 1.0) -> str:
    low, high = number(value.low * scale), number(value.high * scale)
    return "" if low == high else f" [{low} to {high}]"


def _sections(report: ProfileReport, figures: list[Figure]) -> Iterator[Section]:
    """Every figure with its data, then the tables that have no figure."""
    tables: dict[str, list[Table | None]] = {
        "f1-languages": [f1_table(report), type_table(report)],
        "latency": [latency_table(report)],
        "latency-length": [length_table(report)],
        "throughput": [throughput_table(report)],
        "memory": [memory_table(report), shared_table(report)],
    }
    for figure in figures:
        data = tuple(table for table in tables[figure.name] if table and table.rows)
        yield Section(figure.title, figure, data)
    alone = {
        "Start": start_table(report),
        "Subword pieces": pieces_table(report),
        "Files": disk_table(report),
    }
    for title, table in alone.items():
        if table is not None and table.rows:
            yield Section(title, None, (table,))


def _write(path: Path, content: bytes) -> None:
    with written_whole(path) as temporary:
        temporary.write_bytes(content)
