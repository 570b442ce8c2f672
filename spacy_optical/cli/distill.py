"""`python -m spacy optical distill`"""

from pathlib import Path

import typer

from ._app import command, good, overrides_of, say
from ._options import ConfigPath, Resume, Teacher


@command("distill", overrides=True)
def distill_cli(
    context: typer.Context,
    config_path: ConfigPath,
    teacher: Teacher,
    out: Path = typer.Argument(..., help="Output folder for the student"),
    resume: Resume = False,
) -> None:
    """Train a small student from the teacher and the plans.

    Example: python -m spacy optical distill configs/demo.cfg training/teacher training/student
    """
    from ..distill.config import load_config
    from ..distill.distillation import distill

    config = load_config(config_path, overrides_of(context))
    metrics = distill(config, teacher, out, resume=resume, say=say)
    good(f"Student in {out} (English dev F1 {100 * metrics['english_dev']['ents_f']:.1f})")
