"""`python -m spacy optical benchmark-arms`"""

from pathlib import Path

import typer

from ..errors import Errors, OpticalError
from ._app import command, good, overrides_of, say


@command("benchmark-arms", overrides=True)
def benchmark_arms_cli(
    context: typer.Context,
    config_path: Path = typer.Argument(..., metavar="CONFIG", help="A benchmark's config file"),
    teacher: Path = typer.Argument(..., help="The teacher's folder"),
    out: Path = typer.Argument(..., help="Folder for the students"),
    metrics: Path = typer.Argument(..., help="Folder for the metrics files, one a run"),
    arms: str = typer.Option(
        "all", "--arms", "-a", help="Names of arms, with commas between; all: every one"
    ),
    seeds: str = typer.Option(
        "", "--seeds", "-s", help="The students' seeds, with commas between; by default each arm's"
    ),
) -> None:
    """Train and judge the arms of a benchmark; runs that are done are kept.

    A run that was stopped continues when the same command is given again.

    Example: python -m spacy optical benchmark-arms configs/benchmark.cfg
    training/benchmark/teacher training/benchmark/arms metrics/benchmark --arms ot-both --seeds 0,1
    """
    from ..benchmark.arms import run_arms

    names = [] if arms == "all" else [name.strip() for name in arms.split(",") if name.strip()]
    numbers = [number.strip() for number in seeds.split(",") if number.strip()]
    if not all(number.isdecimal() for number in numbers):
        raise OpticalError(
            Errors.E114.format(name="--seeds", value=seeds, expected="numbers such as 0,1,2")
        )
    written = run_arms(
        config_path,
        teacher,
        out,
        metrics,
        names=names,
        seeds=[int(number) for number in numbers],
        overrides=overrides_of(context),
        say=say,
    )
    good(f"{len(written)} runs in {metrics}")
