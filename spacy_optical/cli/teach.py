"""`python -m spacy optical teach`"""

from pathlib import Path

import typer

from ._app import command, good, overrides_of, say
from ._options import ConfigPath, Resume


@command("teach", overrides=True)
def teach_cli(
    context: typer.Context,
    config_path: ConfigPath,
    out: Path = typer.Argument(..., help="Output folder for the teacher"),
    resume: Resume = False,
) -> None:
    """Fine-tune the multilingual encoder on labelled sentences.

    Example: python -m spacy optical teach configs/demo.cfg training/teacher --teacher.epochs 3
    """
    from ..distill.config import load_config
    from ..distill.teacher import teach

    config = load_config(config_path, overrides_of(context))
    metrics = teach(config, out, resume=resume, say=say)
    good(f"Teacher in {out} (English dev F1 {100 * metrics['english_dev']['ents_f']:.1f})")
