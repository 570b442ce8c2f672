"""`python -m spacy optical project-labels`"""

from pathlib import Path
from typing import Any

import typer
from wasabi import msg

from ..data.bitext import OnError
from ..errors import Errors, OpticalError
from ..projection import THRESHOLD
from ._app import command
from ._options import (
    Aligner,
    BitextFormat,
    Encoder,
    EngineName,
    Keys,
    Layers,
    SkipBelow,
    SourceLanguage,
    Threshold,
    Unescape,
)


@command("project-labels")
def project_labels_cli(
    encoder: Encoder,
    layer: Layers,
    bitext: Path = typer.Argument(
        ..., help="JSON lines, TSV, TMX, the stem of Moses files, or a folder of single files"
    ),
    out: Path = typer.Argument(
        ..., help="Output .spacy file, or folder with --shard-size or for a folder"
    ),
    labeller: str = typer.Option(..., help="Name or folder of a spaCy pipeline or bundle"),
    labels: str = typer.Option(
        "", "--map", "-m", help="Labels to keep or rename, e.g. PERSON=PER,DATE [default: all]"
    ),
    source_lang: SourceLanguage = "en",
    target_lang: str | None = typer.Option(
        None, "--target", "-t", help="Target language [default: from the file name]"
    ),
    keys: Keys = "",
    format: BitextFormat = None,
    unescape: Unescape = False,
    aligner: Aligner = "partial",
    threshold: Threshold = THRESHOLD,
    skip_below: SkipBelow = 0.25,
    shard_size: int | None = typer.Option(
        None, min=1, help="Write a folder of files with N documents each"
    ),
    on_error: OnError = typer.Option(
        "raise", help="For unusable pairs: stop with an error, or skip and count them"
    ),
    engine: EngineName = "local",
    n_process: int = typer.Option(
        1, "--n-process", "-n", min=1, help="For a folder: number of processes"
    ),
    resume: bool = typer.Option(False, "--resume", help="For a folder: continue the run in OUT"),
) -> None:
    """Label the English side of bitext and project the labels to the translations.

    For a folder, each of its files becomes a .spacy file in OUT, and --engine, --n-process and
    --resume can be used.

    Example: python -m spacy optical project-labels corpus/bitext/sw.jsonl sw.spacy
    --labeller en_core_web_sm --encoder assets/encoder --map PERSON=PER,GPE=LOC,LOC,ORG,DATE
    """
    from ..align.config import aligner as preset
    from ..data.bitext import named_keys
    from ..encoders.word_vectors import DEFAULT_LAYERS, WordEncoder
    from ..projection.labels import project_labels
    from ..projection.words import label_map

    options: dict[str, Any] = {
        "labeller": labeller,
        "source_lang": source_lang,
        "target_lang": target_lang,
        "keys": named_keys(keys),
        "format": format,
        "unescape": unescape,
        "labels": label_map(labels),
        "config": preset(aligner).model_copy(update={"skip_below": skip_below}),
        "threshold": threshold,
        "on_error": on_error,
        "shard_size": shard_size,
    }
    if bitext.is_dir():
        from ..scale.label_files import project_label_files

        summary = project_label_files(
            bitext,
            out,
            encoder=encoder,
            layers=layer or DEFAULT_LAYERS,
            engine=engine,
            n_process=n_process,
            resume=resume,
            say=lambda done, files: msg.text(f"{done} of {files} files"),
            **options,
        )
    elif engine != "local" or n_process > 1 or resume:
        raise OpticalError(Errors.E815.format(path=bitext))
    else:
        words = WordEncoder(encoder, layer or DEFAULT_LAYERS)
        summary = project_labels(
            bitext, out, encoder=words, say=lambda done: msg.text(f"{done} pairs"), **options
        )
    skipped = ", ".join(f"{n} {code}" for code, n in sorted(summary.skipped.items()))
    totals = [
        ("Usable pairs read", summary.read),
        ("Documents written", summary.written),
        ("Skipped, by error", skipped or "none"),
        ("With HTML entities", summary.escaped["html"]),
        ("With doubled quotes", summary.escaped["quotes"]),
        ("Entities below the threshold", summary.unsure),
    ]
    msg.table(totals)
    kinds = sorted(summary.source | summary.projected)
    by_type = [(kind, summary.source[kind], summary.projected[kind]) for kind in kinds]
    msg.table(by_type, header=("Type", "Source", "Projected"), divider=True, aligns=("l", "r", "r"))
    bins = [(f"{i / 10:.1f} to {(i + 1) / 10:.1f}", n) for i, n in enumerate(summary.histogram)]
    msg.table(bins, header=("Confidence", "Entities"), divider=True, aligns=("l", "r"))
    msg.good(f"Labelled documents in {out}")
