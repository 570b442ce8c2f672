"""`python -m spacy optical plans`"""

from pathlib import Path

import typer
from wasabi import msg

from ._app import command, overrides_of, say


@command("plans", overrides=True)
def plans_cli(
    context: typer.Context,
    config_path: Path = typer.Argument(..., metavar="CONFIG", help="Config file"),
    teacher: Path = typer.Argument(..., help="The teacher's folder"),
    resume: bool = typer.Option(
        False, "--resume", "-r", help="Keep whole plans that belong to config and teacher"
    ),
    processes: int = typer.Option(
        1, "--processes", min=1, help="Languages read at the same time, a process for each"
    ),
) -> None:
    """Let the teacher read all sentences and align every pair, once.

    A run that was stopped continues when the same command is given again.

    Example: python -m spacy optical plans configs/demo.cfg training/teacher
    """
    from ..distill.config import load_config
    from ..distill.make_plans import make_plans
    from ..distill.plan_reader import plans_belong

    config = load_config(config_path, overrides_of(context))
    if not (resume and plans_belong(config, teacher)):
        make_plans(config, teacher, processes=processes, say=say)
    msg.good(f"Plans in {config.paths.plans}")
