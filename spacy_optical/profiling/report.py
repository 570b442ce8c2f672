"""Write a report: the metrics file, a CSV file, the figures, and a page with all of them."""

import base64
import tempfile
from pathlib import Path

from ..compat import require
from ..files import refused_writes, written_whole
from ..html_page import page_template
from .figures import draw_figures
from .frame import report_frame
from .metrics_file import write_metrics
from .schema import ProfileReport
from .tables import detail_tables, main_tables

METRICS_FILE = "metrics.json"
PAGE_FILE = "report.html"
FIGURE_FOLDER = "figures"


def check_tools() -> None:
    """Check that the libraries of the report are installed, before anything is measured."""
    for module in ("cpuinfo", "jinja2", "matplotlib", "pandas", "psutil", "scipy"):
        require(module, extra="profile")


def check_folder(folder: Path) -> None:
    """Check that a report can be written, before a long run. The folder is not created.

    folder (Path): The folder.
    RAISES (OpticalError): If the system refuses to write there, or the path is a file.
    """
    path = Path(folder).absolute()
    existing = next(one for one in (path, *path.parents) if one.exists())
    with refused_writes(folder):
        tempfile.TemporaryFile(dir=existing).close()


def write_report(report: ProfileReport, folder: Path) -> list[Path]:
    """Write the files of a report. Other files in the folder are kept.

    report (ProfileReport): The report.
    folder (Path): The folder.
    RETURNS (List[Path]): metrics.json, metrics.csv, report.html and the figures.
    RAISES (OpticalError): If a library is missing or a file cannot be written.
    """
    folder = Path(folder)
    # Written first, so that an error in the drawings does not lose the figures of a long run.
    write_metrics(report, folder / METRICS_FILE)
    figures, details = draw_figures(report), detail_tables(report)
    filters = {"base64": lambda content: base64.b64encode(content).decode()}
    template = page_template(__package__, "report.html.jinja", extra="profile", **filters)
    drawn = [(one, details.pop(one.name, [])) for one in figures]
    page = template.render(
        report=report, main_tables=main_tables(report), drawn=drawn, others=details
    )
    contents = {
        folder / "metrics.csv": report_frame(report).to_csv(index=False).encode("utf8"),
        folder / PAGE_FILE: page.encode("utf8"),
    }
    for figure in figures:
        contents[folder / FIGURE_FOLDER / f"{figure.name}.svg"] = figure.svg
        contents[folder / FIGURE_FOLDER / f"{figure.name}.png"] = figure.png
    for path, content in contents.items():
        with written_whole(path) as temporary:
            temporary.write_bytes(content)
    return [folder / METRICS_FILE, *contents]
