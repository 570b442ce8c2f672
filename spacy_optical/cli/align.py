"""`python -m spacy optical align`"""

from pathlib import Path

import typer
from wasabi import msg

from ..projection import THRESHOLD
from ._app import command
from ._options import Aligner, Encoder, Layers, SkipBelow, SourceLanguage, Threshold


@command("align")
def align_cli(
    encoder: Encoder,
    layer: Layers,
    source: str = typer.Argument(..., help="Sentence, with or without entities: [Amina](PER)"),
    target: str = typer.Argument(..., help="Translation of the sentence"),
    source_lang: SourceLanguage = "en",
    target_lang: str = typer.Option("xx", "--target", "-t", help="Language of the translation"),
    labeller: str | None = typer.Option(None, help="Pipeline or bundle that labels the sentence"),
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
