"""`python -m spacy optical benchmark-table`"""

from pathlib import Path

import typer
from wasabi import msg

from ._app import command, say


@command("benchmark-table")
def benchmark_table_cli(
    metrics: Path = typer.Argument(..., help="Folder with the metrics files of benchmark-arms"),
    out: Path | None = typer.Option(None, "--out", "-o", help="Markdown file to write"),
    reference: str = typer.Option(
        "", "--reference", "-r", help="The arm to compare with; by default what the config named"
    ),
) -> None:
    """Make the table of all arms from the metrics files that are there.

    Example: python -m spacy optical benchmark-table metrics/benchmark --out docs/results/table.md
    """
    from ..benchmark.table import make_table, markdown, read_folder, table_cells, unlike
    from ..files import written_whole

    runs = read_folder(metrics, say)
    table = make_table(runs, reference=reference)
    header, rows = table_cells(table)
    msg.table(rows, header=header, divider=True, aligns=("l", "l", *"r" * (len(header) - 2)))
    if remark := unlike(runs):
        msg.warn(remark)
    if out is not None:
        with written_whole(out) as temporary:
            temporary.write_text(markdown(table), encoding="utf8")
        msg.good(f"Table in {out}")
