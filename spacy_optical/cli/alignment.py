"""Commands for bitext: align, project labels, find faults."""

from pathlib import Path
from typing import Annotated

import typer
from typer import Option
from wasabi import msg

from ..data.bitext import Format, OnError
from ..errors import Errors, OpticalError
from ..projection import THRESHOLD
from ._app import command
from ._options import Encoder, Layers

Aligner = Annotated[str, Option("--aligner", "-a", help="Name of the aligner")]
SourceLanguage = Annotated[str, Option("--source", help="Source language")]
Threshold = Annotated[float, Option(min=0, max=1, help="Minimum confidence of an entity")]
SkipBelow = Annotated[float, Option(min=0, max=1, help="Minimum similarity of a usable pair")]

Keys = Annotated[
    str,
    Option(
        "--keys",
        "-k",
        help="Source and target as JSON keys, TMX languages, endings of Moses files, or names or "
        "numbers of TSV columns, separated by a comma [default: the language codes]",
    ),
]
BitextFormat = Annotated[
    Format | None, Option("--format", help="Format of the bitext [default: from the file name]")
]
Unescape = Annotated[
    bool, Option("--unescape", help="Replace HTML entities and doubled quotes by characters")
]


@command("align")
def align_cli(
    encoder: Encoder,
    layer: Layers,
    source: str = typer.Argument(..., help="Sentence, with or without entities: [Amina](PER)"),
    target: str = typer.Argument(..., help="Translation of the sentence"),
    source_lang: SourceLanguage = "en",
    target_lang: str = typer.Option("xx", "--target", "-t", help="Language of the translation"),
    labeller: str | None = typer.Option(None, help="spaCy pipeline that labels the sentence"),
    aligner: Aligner = "partial",
    threshold: Threshold = THRESHOLD,
    skip_below: SkipBelow = 0.25,
    html: Path | None = typer.Option(None, help="HTML file to write, with a picture"),
) -> None:
    """Show the alignment of a sentence with its translation, and the projected entities.

    The entities that project-labels would write with the same settings have a tick.

    Example: python -m spacy optical align "[Amina](PER) lives in [Mombasa](LOC)."
    "Amina anaishi Mombasa." --target sw --encoder assets/encoder --html plan.html
    """
    from ..align.config import aligner as preset
    from ..encoders.word_vectors import DEFAULT_LAYERS, WordEncoder
    from ..files import write_text
    from ..projection.pair import align_pair

    pair = align_pair(
        source,
        target,
        WordEncoder(encoder, layer or DEFAULT_LAYERS),
        preset(aligner).model_copy(update={"skip_below": skip_below}),
        source_lang=source_lang,
        target_lang=target_lang,
        labeller=labeller,
        threshold=threshold,
    )
    msg.table(pair.table(), header=("Word", "From", "Received"), divider=True)
    for span in pair.spans:
        words = " ".join(pair.target.words[span.start : span.end])
        entity = f"{words}: {span.label} ({span.confidence:.2f})"
        if span in pair.kept:
            msg.good(entity)
        elif pair.usable:
            msg.warn(f"{entity}, below the threshold of {threshold:g}")
    similarity = f"Similarity of the pair {pair.plan.similarity:.2f}"
    if not pair.usable:
        msg.warn(f"{similarity}, below {skip_below:g}: project-labels does not use this pair")
    msg.text(f"{similarity}, mass moved {pair.plan.moved:.0%}")
    if html is not None:
        write_text(html, pair.html())
        msg.good(f"Picture in {html}")


@command("project-labels")
def project_labels_cli(
    encoder: Encoder,
    layer: Layers,
    bitext: Path = typer.Argument(..., help="JSON lines, TSV, TMX, or the stem of Moses files"),
    out: Path = typer.Argument(..., help="Output .spacy file, or folder with --shard-size"),
    labeller: str = typer.Option(..., help="Name or folder of a spaCy pipeline"),
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
) -> None:
    """Label the English side of bitext and project the labels to the translations.

    Example: python -m spacy optical project-labels corpus/bitext/sw.jsonl sw.spacy
    --labeller en_core_web_sm --encoder assets/encoder --map PERSON=PER,GPE=LOC,LOC,ORG,DATE
    """
    from ..align.config import aligner as preset
    from ..data.bitext import named_keys
    from ..encoders.word_vectors import DEFAULT_LAYERS, WordEncoder
    from ..projection.labels import project_labels
    from ..projection.words import label_map

    summary = project_labels(
        bitext,
        out,
        labeller=labeller,
        encoder=WordEncoder(encoder, layer or DEFAULT_LAYERS),
        source_lang=source_lang,
        target_lang=target_lang,
        keys=named_keys(keys),
        format=format,
        unescape=unescape,
        labels=label_map(labels),
        config=preset(aligner).model_copy(update={"skip_below": skip_below}),
        threshold=threshold,
        on_error=on_error,
        shard_size=shard_size,
        say=lambda done: msg.text(f"{done} pairs"),
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


@command("check-bitext")
def check_bitext_cli(
    files: list[Path] = typer.Argument(
        ..., help="JSON lines, TSV, TMX or stems of Moses files; with --format moses both files"
    ),
    encoder: Path | None = typer.Option(
        None, "--encoder", "-e", help="Folder of the encoder [default: only check the texts]"
    ),
    languages: tuple[str, str] = typer.Option(
        ("en", "xx"), "--languages", "-l", help="Source and target language"
    ),
    keys: Keys = "",
    format: BitextFormat = None,
    unescape: Unescape = False,
    repair: Path | None = typer.Option(
        None, help="Output folder for the remaining pairs, realigned in shifted blocks"
    ),
    html: Path | None = typer.Option(None, help="HTML file to write, with a picture"),
) -> None:
    """Find pairs of bitext that are not translations, and blocks of shifted lines.

    Example: python -m spacy optical check-bitext all.en-so.tmx.zip --languages en so
    --encoder assets/encoder --repair checked --html so.html
    """
    from ..data.bitext import named_keys
    from ..files import write_text
    from ..projection.bitext_faults import FAULTS, PAIRS, check_bitext
    from ..projection.bitext_picture import bitext_html

    if html is not None and encoder is None:
        raise OpticalError(Errors.E248)
    checked = check_bitext(
        files,
        encoder=encoder,
        source_lang=languages[0],
        target_lang=languages[1],
        keys=named_keys(keys),
        format=format,
        unescape=unescape,
        repair=repair,
        say=msg.info,
    )
    for found in checked:
        rows = [
            ("pairs", found.pairs, found.path),
            *((code, n, "lines that cannot be read") for code, n in found.skipped.items()),
            *((k, found.faults[k], what) for k, what in FAULTS.items() if k in found.faults),
            ("kept", found.kept, ""),
            ("matched again", found.matched, ""),
            ("dropped", found.dropped, ""),
        ]
        msg.table(rows, header=("", "Pairs", ""), divider=True, aligns=("l", "r", "l"))
        blocks = []
        for block in found.blocks:
            lines = f"{block['start']} to {block['end']}"
            offset = "" if block["offset"] is None else f"{block['offset']:+d}"
            blocks.append((lines, block["kind"], offset, block["matched"]))
        if blocks:
            header = ("Block", "Fault", "Offset", "Matched")
            msg.table(blocks, header=header, divider=True, aligns=("l", "l", "r", "r"))
    if html is not None:
        write_text(html, bitext_html(checked))
        msg.good(f"Picture in {html}")
    if repair is not None:
        msg.good(f"Pairs in {repair / PAIRS}")
