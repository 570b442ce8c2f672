"""Writing a report: metrics file, CSV file, figures, and one page that holds everything."""

import base64
from collections.abc import Sequence
from pathlib import Path

from ..compat import require
from ..files import written_whole
from ..html_page import page_template
from .figures import Figure, draw_figures
from .frame import report_frame
from .metrics_file import write_metrics
from .schema import ProfileReport
from .tables import detail_tables, main_tables

METRICS_FILE = "metrics.json"
CSV_FILE = "metrics.csv"
PAGE_FILE = "report.html"
FIGURE_FOLDER = "figures"
TEMPLATE = "report.html.jinja"


def check_tools() -> None:
    """Check that a report can be drawn and written, before anything is measured."""
    for module in ("cpuinfo", "jinja2", "matplotlib", "pandas", "psutil", "scipy"):
        require(module, extra="profile")


def write_report(report: ProfileReport, folder: Path) -> list[Path]:
    """Write the files of a report, each completely or not at all.

    report (ProfileReport): The report.
    folder (Path): The folder; other files in it are left alone.
    RETURNS (List[Path]): metrics.json, metrics.csv, report.html, then the figures.
    RAISES (OpticalError): If a library is missing or a file cannot be written.
    """
    folder = Path(folder)
    # The figures of a long run are on disk before anything is drawn.
    write_metrics(report, folder / METRICS_FILE)
    figures = draw_figures(report)
    pages = {
        folder / CSV_FILE: report_frame(report).to_csv(index=False).encode("utf8"),
        folder / PAGE_FILE: _page(report, figures).encode("utf8"),
    }
    for figure in figures:
        pages[folder / FIGURE_FOLDER / f"{figure.name}.svg"] = figure.svg
        pages[folder / FIGURE_FOLDER / f"{figure.name}.png"] = figure.png
    for path, content in pages.items():
        with written_whole(path) as temporary:
            temporary.write_bytes(content)
    return [folder / METRICS_FILE, *pages]


def _page(report: ProfileReport, figures: Sequence[Figure]) -> str:
    filters = {"base64": lambda content: base64.b64encode(content).decode()}
    template = page_template(__package__, TEMPLATE, extra="profile", **filters)
    tables = detail_tables(report)
    drawn = [(one, tables.pop(one.name, [])) for one in figures]
    main = main_tables(report)
    page: str = template.render(report=report, main_tables=main, drawn=drawn, others=tables)
    return page
