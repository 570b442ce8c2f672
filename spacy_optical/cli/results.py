"""`python -m spacy optical results`"""

from pathlib import Path

import typer
from wasabi import msg

from ..errors import Errors, OpticalError
from ._app import command, say


@command("results")
def results_cli(
    folders: list[Path] = typer.Argument(
        None, help="Folders with a metrics.json, and a study.json where there are arms or controls"
    ),
    benchmark: list[Path] = typer.Option(
        [], "--benchmark", "-b", help="Folder with the metrics files of benchmark-arms; repeatable"
    ),
    out: Path = typer.Option(..., "--out", "-o", help="Markdown page to write"),
) -> None:
    """Write a page of results from metrics files, with the figures that it shows.

    Example: python -m spacy optical results --benchmark docs/results/benchmark docs/results/study
    --out docs/results.md
    """
    from ..benchmark.results_part import benchmark_part
    from ..profiling.report import check_tools
    from ..profiling.results_page import run_part, write_page

    check_tools()
    # All is read and drawn before anything is written.
    parts = [benchmark_part(folder, say) for folder in benchmark]
    parts += [run_part(folder) for folder in folders or []]
    if not parts:
        raise OpticalError(Errors.E624)
    paths = write_page(parts, out)
    msg.good(f"{out} with {len(paths) - 1} figures")
