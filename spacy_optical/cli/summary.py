"""`python -m spacy optical summary`"""

from pathlib import Path

import typer
from wasabi import msg

from ..errors import Errors, OpticalError
from ._app import command
from ._options import Markdown


@command("summary")
def summary_cli(
    report: Path = typer.Argument(..., help="Report folder of the profile command"),
    bundle: Path = typer.Option(..., "--bundle", "-b", help="Folder of the bundle"),
    packages: Path = typer.Option(..., "--packages", "-p", help="Folder with the built packages"),
    markdown: Markdown = None,
) -> None:
    """Show the tables of a report, and the paths of the report, bundle and wheel.

    Example: python -m spacy optical summary metrics/profile -b bundles/student-int8 -p packages
    """
    from ..profiling.metrics_file import read_metrics
    from ..profiling.report import METRICS_FILE, PAGE_FILE
    from ..profiling.text import markdown_text, terminal_text
    from ._markdown import replace_results

    metrics = read_metrics(report / METRICS_FILE)
    print(terminal_text(metrics))
    if markdown is not None:
        replace_results(markdown, markdown_text(metrics))
    wheels = packages.glob("*/dist/*.whl")
    newest = max(wheels, key=lambda wheel: wheel.stat().st_mtime, default=None)
    if newest is None:
        raise OpticalError(Errors.E002.format(what="wheel", path=packages))
    msg.table({"Report": report / PAGE_FILE, "Bundle": bundle, "Wheel": newest})
