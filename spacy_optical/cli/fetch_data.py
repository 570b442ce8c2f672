"""`python -m spacy optical fetch-data`"""

from pathlib import Path

import typer
from wasabi import msg

from ._app import command, overrides_of, say
from ._options import ConfigPath, OutputFolder


@command("fetch-data", overrides=True)
def fetch_data_cli(
    context: typer.Context,
    config_path: ConfigPath,
    out: OutputFolder,
    mirror: str = typer.Option("", "--mirror", "-m", help="Local folder to copy the files from"),
) -> None:
    """Download the data files of a config.

    Complete files are kept. To continue an interrupted run, run the same command again.

    Example: python -m spacy optical fetch-data configs/release.cfg data/files
    """
    from ..data.download import fetch
    from ..data.sources import load_data_config

    config = load_data_config(config_path, overrides_of(context))
    done = fetch(config.files, out, mirror=Path(mirror) if mirror else None, say=say)
    how = {"kept": "kept", "mirrored": "copied", "downloaded": "downloaded", "left_out": "left out"}
    msg.good(f"Data in {out} ({', '.join(f'{done[key]} {word}' for key, word in how.items())})")
