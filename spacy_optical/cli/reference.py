"""`python -m spacy optical reference`"""

from pathlib import Path

import typer
from wasabi import msg

from ._app import command


@command("reference")
def reference_cli(
    teacher: Path = typer.Argument(..., help="The teacher's folder"),
    out: Path = typer.Argument(..., help="The pipeline's folder"),
) -> None:
    """Make a spaCy pipeline that runs the teacher with torch, for comparison.

    Example: python -m spacy optical reference training/teacher training/teacher-pipeline
    """
    from ..export.reference_pipeline import reference_pipeline

    reference_pipeline(teacher, out)
    msg.good(f"Pipeline in {out}")
