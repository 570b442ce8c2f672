"""`python -m spacy optical reference`"""

from wasabi import msg

from ._app import command
from ._options import PipelineFolder, Teacher


@command("reference")
def reference_cli(teacher: Teacher, out: PipelineFolder) -> None:
    """Make a spaCy pipeline that runs the teacher with torch, for comparison.

    Example: python -m spacy optical reference training/teacher training/teacher-pipeline
    """
    from ..export.reference_pipeline import reference_pipeline

    reference_pipeline(teacher, out)
    msg.good(f"Pipeline in {out}")
