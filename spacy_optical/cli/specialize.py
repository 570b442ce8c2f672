"""`python -m spacy optical specialize`"""

from pathlib import Path

import typer

from ._app import command, good, say
from ._options import Resume


@command("specialize")
def specialize_cli(
    encoder: Path = typer.Argument(..., help="Folder of the encoder"),
    text: Path = typer.Argument(..., help="Text file with one sentence per line"),
    out: Path = typer.Argument(..., help="Output folder for the encoder"),
    english: Path | None = typer.Option(
        None, help="Text file in English or other languages that should not be forgotten"
    ),
    language: str = typer.Option("xx", "--lang", "-l", help="Language of the text"),
    epochs: int = typer.Option(2, min=1, help="Number of passes"),
    batch_size: int = typer.Option(32, min=1, help="Number of sentences in a batch"),
    learning_rate: float = typer.Option(0.0002, min=0, help="Highest learning rate"),
    max_pieces: int = typer.Option(96, min=8, help="Longer sentences are cut to so many pieces"),
    seed: int = typer.Option(0, min=0, help="Seed of order and masks"),
    resume: Resume = False,
) -> None:
    """Train an encoder on raw text of a language, before `teach`.

    Example: python -m spacy optical specialize assets/encoder ha.txt training/ha-encoder
    --english en.txt --lang ha
    """
    from ..distill.specialization import specialize

    metrics = specialize(
        encoder,
        text,
        out,
        english=english,
        language=language,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        max_pieces=max_pieces,
        seed=seed,
        resume=resume,
        say=say,
    )
    held_out = metrics["held_out"]
    loss = f"{held_out['before']:.2f} to {held_out['after']:.2f}"
    good(f"Encoder in {out} (loss on held-out sentences {loss})")
