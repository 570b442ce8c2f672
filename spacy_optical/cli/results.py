"""`python -m spacy optical results`"""

from pathlib import Path

import typer
from wasabi import msg

from ._app import command


@command("results")
def results_cli(
    folders: list[Path] = typer.Argument(
        ..., help="Folders with a metrics.json, and a study.json where there are arms or controls"
    ),
    out: Path = typer.Option(..., "--out", "-o", help="Markdown page to write"),
) -> None:
    """Write a page of results from metrics files, with the figures that it shows.

    Example: python -m spacy optical results docs/results/demo --out docs/results.md
    """
    from ..profiling.report import check_tools
    from ..profiling.results_page import write_results

    check_tools()
    paths = write_results(folders, out)
    msg.good(f"{out} with {len(paths) - 1} figures")
