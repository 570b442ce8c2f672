"""`python -m spacy optical benchmark-bundles`"""

from pathlib import Path

import typer
from wasabi import msg

from ._app import command


@command("benchmark-bundles")
def benchmark_bundles_cli(
    metrics: Path = typer.Argument(..., help="Folder with the metrics files of benchmark-arms"),
    students: Path = typer.Argument(..., help="Folder with the students of benchmark-arms"),
    out: Path = typer.Argument(..., help="Folder for the bundles, each in ARM-seedN"),
    arms: str = typer.Option(..., "--arms", "-a", help="Names of arms, with commas between"),
    seed: int = typer.Option(0, "--seed", "-s", min=0, help="The students' seed"),
) -> None:
    """Copy the bundles that arms were judged by to names without fingerprints.

    Example: python -m spacy optical benchmark-bundles metrics/benchmark training/benchmark/arms
    training/benchmark/bundles --arms target-soft,ot-both
    """
    from ..benchmark.bundles import collect_bundles

    names = [name.strip() for name in arms.split(",") if name.strip()]
    copies = collect_bundles(metrics, students, out, names=names, seed=seed)
    msg.good(f"{len(copies)} bundles in {out}")
