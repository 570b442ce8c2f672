"""`python -m spacy optical fetch-data`"""

from pathlib import Path

import typer
from wasabi import msg

from ._app import command, overrides_of, say


@command("fetch-data", overrides=True)
def fetch_data_cli(
    context: typer.Context,
    config_path: Path = typer.Argument(..., metavar="CONFIG", help="Config file that names data"),
    out: Path = typer.Argument(..., help="Folder to keep the files in"),
    mirror: str = typer.Option(
        "", "--mirror", "-m", help="A local folder to copy from, in place of the network"
    ),
) -> None:
    """Fetch the files that a config names; keep those that are there and whole.

    A run that was stopped continues when the same command is given again.

    Example: python -m spacy optical fetch-data configs/release.cfg data/files
    """
    from ..data.download import fetch
    from ..data.sources import load_data_config

    config = load_data_config(config_path, overrides_of(context))
    done = fetch(config.files, out, mirror=Path(mirror) if mirror else None, say=say)
    told = f"{done.kept} kept, {done.mirrored} copied, {done.downloaded} downloaded"
    left = f", {done.left_out} left out" if done.left_out else ""
    msg.good(f"Data in {out} ({told}{left})")
