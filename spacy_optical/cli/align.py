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
    source: str = typer.Argument(..., help="A sentence; entities may be marked: [Amina](PER)"),
    target: str = typer.Argument(..., help="Its translation"),
    source_lang: SourceLanguage = "en",
    target_lang: str = typer.Option("xx", "--target", "-t", help="Language of the translation"),
    labeller: str | None = typer.Option(None, help="A spaCy pipeline that labels the sentence"),
    aligner: Aligner = "partial",
    threshold: Threshold = THRESHOLD,
    skip_below: SkipBelow = 0.25,
    html: Path | None = typer.Option(None, help="HTML file to write, with a picture"),
) -> None:
    """Show the alignment of a sentence with its translation, and the projected entities.

    A tick marks the entities that project-labels would write with the same settings.

    Example: python -m spacy optical align "[Amina](PER) lives in [Mombasa](LOC)."
    "Amina anaishi Mombasa." --target sw --encoder assets/encoder --html plan.html
    """
    from ..align.presets import aligner as preset
    from ..encoders.word_vectors import DEFAULT_LAYERS, WordEncoder
    from ..files import written_whole
    from ..projection.pair import align_pair

    config = preset(aligner).model_copy(update={"skip_below": skip_below})
    encode = WordEncoder(encoder, layer or DEFAULT_LAYERS)
    pair = align_pair(
        source,
        target,
        encode,
        config,
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
        with written_whole(html) as temporary:
            temporary.write_text(pair.html(), encoding="utf8")
        msg.good(f"Picture in {html}")
