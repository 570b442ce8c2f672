"""`python -m spacy optical assemble`"""

from pathlib import Path

import typer
from wasabi import msg

from ._app import command
from ._options import BundleFolder, PipelineFolder


@command("assemble")
def assemble_cli(
    bundle: BundleFolder,
    out: PipelineFolder,
    name: str = typer.Option("optical_ner", "--name", "-n", help="The pipeline's name"),
    version: str = typer.Option("0.1.0", "--version", "-v", help="The pipeline's version"),
    licence: str = typer.Option("", "--licence", "-l", help="The pipeline's licence"),
    data: Path | None = typer.Option(
        None, "--data", "-d", help="Config that names the training data, for the sources"
    ),
    scores: Path | None = typer.Option(
        None, "--scores", "-s", help="File that evaluate wrote for the bundle"
    ),
) -> None:
    """Make a spaCy pipeline from a bundle, ready for `spacy package`.

    Example: python -m spacy optical assemble bundles/int8 training/pipeline
    """
    from ..export.pipeline_folder import assemble

    assemble(bundle, out, name=name, version=version, licence=licence, data=data, scores=scores)
    msg.good(f"Pipeline in {out}")
