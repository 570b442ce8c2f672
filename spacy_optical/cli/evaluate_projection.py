"""`python -m spacy optical evaluate-projection`"""

from pathlib import Path

import typer
from wasabi import msg

from ._app import command
from ._options import Encoder, Layers


@command("evaluate-projection")
def evaluate_projection_cli(
    encoder: Encoder,
    layer: Layers,
    source: Path = typer.Argument(..., help="Tagged English sentences (.iob2)"),
    target: Path = typer.Argument(..., help="Tagged translations with the same sent_id"),
    aligner: list[str] = typer.Option(
        [], "--aligner", "-a", help="Name of an aligner; repeatable [default: all]"
    ),
    output: Path | None = typer.Option(None, "--output", "-o", help="JSON file to write"),
) -> None:
    """Project gold entities to another language and compare them with its gold entities.

    Example: python -m spacy optical evaluate-projection en_pud.iob2 de_pud.iob2
    --encoder assets/encoder --aligner partial --aligner softmax --output metrics/projection.json
    """
    from ..align.config import ALIGNERS
    from ..align.config import aligner as preset
    from ..encoders.word_vectors import DEFAULT_LAYERS, WordEncoder
    from ..files import write_json
    from ..projection.evaluation import evaluate_projection

    names = aligner or list(ALIGNERS)
    for name in names:
        preset(name)
    encode = WordEncoder(encoder, layer or DEFAULT_LAYERS)
    result = evaluate_projection(source, target, encode, names, say=msg.info)
    if result.left_out:
        msg.warn(f"{result.left_out} sentences are in one file only")
    header, rows = result.table()
    msg.table(rows, header=header, divider=True, aligns=("l", *"r" * (len(header) - 1)))
    msg.text(f"Ceiling {result.ceiling.f1:.1f} F1 over {result.sentences} sentences")
    if output is not None:
        write_json(output, result.to_json())
        msg.good(f"Figures in {output}")
