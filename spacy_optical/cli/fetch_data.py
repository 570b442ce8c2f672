"""`python -m spacy optical fetch-data`"""

from pathlib import Path

import typer
from wasabi import msg

from ._app import command, overrides_of, say


@command("fetch-data", overrides=True)
def fetch_data_cli(
    context: typer.Context,
    config_path: Path = typer.Argument(..., metavar="CONFIG", help="Config file with the data"),
    out: Path = typer.Argument(..., help="Output folder"),
    mirror: str = typer.Option(
        "", "--mirror", "-m", help="Local folder to copy the files from, instead of downloading"
    ),
) -> None:
    """Download the data files of a config.

    Complete files are kept. To continue an interrupted run, run the same command again.

    Example: python -m spacy optical fetch-data configs/release.cfg data/files
    """
    from ..data.download import fetch
    from ..data.sources import load_data_config

    config = load_data_config(config_path, overrides_of(context))
    done = fetch(config.files, out, mirror=Path(mirror) if mirror else None, say=say)
    told = f"{done.kept} kept, {done.mirrored} copied, {done.downloaded} downloaded"
    left = f", {done.left_out} left out" if done.left_out else ""
    msg.good(f"Data in {out} ({told}{left})")
