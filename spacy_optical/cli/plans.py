"""`python -m spacy optical plans`"""

import typer
from wasabi import msg

from ._app import command, overrides_of, say
from ._options import ConfigPath, Teacher


@command("plans", overrides=True)
def plans_cli(
    context: typer.Context,
    config_path: ConfigPath,
    teacher: Teacher,
    resume: bool = typer.Option(
        False, "--resume", "-r", help="Keep complete plans of the same config and teacher"
    ),
    processes: int = typer.Option(1, min=1, help="Number of languages to process at the same time"),
) -> None:
    """Run the teacher on all sentences and align all pairs.

    To continue an interrupted run, run the same command again.

    Example: python -m spacy optical plans configs/demo.cfg training/teacher
    """
    from ..distill.config import load_config
    from ..distill.make_plans import make_plans
    from ..distill.plan_reader import plans_belong

    config = load_config(config_path, overrides_of(context))
    if not (resume and plans_belong(config, teacher)):
        make_plans(config, teacher, processes=processes, say=say)
    msg.good(f"Plans in {config.paths.plans}")
