"""`python -m spacy optical finetune`"""

from pathlib import Path
from typing import Literal

import typer

from ._app import command, good, named_values, say


@command("finetune")
def finetune_cli(
    model: str = typer.Argument(..., help="A student's or bundle's folder, or sm or md"),
    train: Path = typer.Argument(..., metavar="TRAIN", help="Gold .spacy file to train on"),
    dev: Path = typer.Argument(..., metavar="DEV", help="Gold .spacy file that chooses the epoch"),
    out: Path = typer.Argument(..., help="Output folder for student, bundle and pipeline"),
    labels: str = typer.Option("keep", "--labels", "-l", help="keep or replace the model's labels"),
    label_map: list[str] = typer.Option(
        [], "--label-map", "-m", metavar="OLD=NEW", help="Rename a label of the model; repeatable"
    ),
    drop: list[str] = typer.Option([], "--drop", help="Drop a label of the model; repeatable"),
    beside: Path | None = typer.Option(None, "--beside", "-b", help="Other .spacy data to mix in"),
    spans_key: str | None = typer.Option(None, help="Read entities from this group in doc.spans"),
    epochs: int | None = typer.Option(
        None, help="Maximum number of epochs [default: 5 to 20, fewer for many sentences]"
    ),
    patience: int = typer.Option(5, help="Epochs without a better F1 before training stops"),
    batch_size: int = typer.Option(16, help="Sentences in a batch"),
    learning_rate: float = typer.Option(5e-4, help="Highest learning rate"),
    seed: int = typer.Option(0, help="Seed of new weights, order and dropout"),
    preset: str = typer.Option("auto", "--preset", "-p", help="auto, fp32, int8 or int8-vnni"),
    language: str = typer.Option("xx", "--language", help="The language's code, for the manifest"),
    resume: bool = typer.Option(False, "--resume", "-r", help="Continue an interrupted run"),
    force: bool = typer.Option(False, "--force", "-f", help="Write the bundle even if it fails"),
) -> None:
    """Train a model on gold with labels of your own.

    Example: python -m spacy optical finetune md train.spacy dev.spacy mine
    """
    from ..own_labels.finetuned_model import finetune

    chosen: Literal["keep", "replace"] = labels  # type: ignore[assignment]  # checked there
    metrics = finetune(
        model,
        train,
        dev,
        out,
        labels=chosen,
        label_map={**named_values(label_map, "OLD=NEW"), **dict.fromkeys(drop, "")},
        beside=beside,
        spans_key=spans_key,
        epochs=epochs,
        patience=patience,
        batch_size=batch_size,
        learning_rate=learning_rate,
        seed=seed,
        preset=preset,
        language=language,
        resume=resume,
        force=force,
        say=say,
    )
    made = "Student, bundle and pipeline" if (out / "pipeline").is_dir() else "Student and bundle"
    good(f"{made} in {out} (dev F1 {metrics['bundle']['f1']:.1f})")
