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
    name: str = typer.Option("optical_ner", "--name", "-n", help="Name of the pipeline"),
    version: str = typer.Option("0.1.0", "--version", "-v", help="Version of the pipeline"),
    licence: str = typer.Option("", "--licence", "-l", help="Licence of the pipeline"),
    data: Path | None = typer.Option(
        None, "--data", "-d", help="Config of the training data, to list the sources"
    ),
    scores: Path | None = typer.Option(
        None, "--scores", "-s", help="Output file of evaluate for the bundle"
    ),
) -> None:
    """Make a spaCy pipeline from a bundle, ready for `spacy package`.

    Example: python -m spacy optical assemble bundles/int8 training/pipeline
    """
    from ..export.pipeline_folder import assemble

    assemble(bundle, out, name=name, version=version, licence=licence, data=data, scores=scores)
    msg.good(f"Pipeline in {out}")
