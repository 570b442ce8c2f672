"""Commands that train models."""

from pathlib import Path

import typer
from wasabi import msg

from ._app import command, good, named_values, overrides_of, say
from ._options import ConfigPath, Force, Preset, Resume, Teacher


@command("teach", overrides=True)
def teach_cli(
    context: typer.Context,
    config_path: ConfigPath,
    out: Path = typer.Argument(..., help="Output folder for the teacher"),
    resume: Resume = False,
) -> None:
    """Fine-tune the multilingual encoder on English labels.

    Example: python -m spacy optical teach configs/demo.cfg training/teacher --teacher.epochs 3
    """
    from ..distill.config import load_config
    from ..distill.teacher import teach

    config = load_config(config_path, overrides_of(context))
    metrics = teach(config, out, resume=resume, say=say)
    good(f"Teacher in {out} (English dev F1 {100 * metrics['english_dev']['ents_f']:.1f})")


@command("plans", overrides=True)
def plans_cli(
    context: typer.Context,
    config_path: ConfigPath,
    teacher: Teacher,
    resume: bool = typer.Option(
        False, "--resume", "-r", help="Keep complete plans of the same config and teacher"
    ),
    processes: int = typer.Option(1, min=1, help="Number of languages to process at the same time"),
) -> None:
    """Run the teacher on all sentences and align all pairs.

    To continue an interrupted run, run the same command again.

    Example: python -m spacy optical plans configs/demo.cfg training/teacher
    """
    from ..distill.config import load_config
    from ..distill.make_plans import make_plans
    from ..distill.plan_reader import plans_belong

    config = load_config(config_path, overrides_of(context))
    if not (resume and plans_belong(config, teacher)):
        make_plans(config, teacher, processes=processes, say=say)
    msg.good(f"Plans in {config.paths.plans}")


@command("distill", overrides=True)
def distill_cli(
    context: typer.Context,
    config_path: ConfigPath,
    teacher: Teacher,
    out: Path = typer.Argument(..., help="Output folder for the student"),
    resume: Resume = False,
) -> None:
    """Train a small student from the teacher and the plans.

    Example: python -m spacy optical distill configs/demo.cfg training/teacher training/student
    """
    from ..distill.config import load_config
    from ..distill.distillation import distill

    config = load_config(config_path, overrides_of(context))
    metrics = distill(config, teacher, out, resume=resume, say=say)
    good(f"Student in {out} (English dev F1 {100 * metrics['english_dev']['ents_f']:.1f})")


@command("finetune")
def finetune_cli(
    model: str = typer.Argument(..., help="Folder of a student or bundle, or sm or md"),
    train: Path = typer.Argument(..., metavar="TRAIN", help="Gold .spacy file to train on"),
    dev: Path = typer.Argument(..., metavar="DEV", help="Gold .spacy file to select the epoch"),
    out: Path = typer.Argument(..., help="Output folder for student, bundle and pipeline"),
    labels: str = typer.Option("keep", "--labels", "-l", help="keep or replace the model's labels"),
    label_map: list[str] = typer.Option(
        [], "--label-map", "-m", metavar="OLD=NEW", help="Rename a label of the model; repeatable"
    ),
    drop: list[str] = typer.Option([], "--drop", help="Drop a label of the model; repeatable"),
    beside: Path | None = typer.Option(None, "--beside", "-b", help="Other .spacy data to mix in"),
    spans_key: str | None = typer.Option(None, help="Group in doc.spans with the entities"),
    epochs: int | None = typer.Option(
        None, help="Maximum number of epochs [default: 5 to 20, fewer for many sentences]"
    ),
    patience: int = typer.Option(5, help="Stop after N epochs without a better F1"),
    batch_size: int = typer.Option(16, help="Sentences per batch"),
    learning_rate: float = typer.Option(5e-4, help="Maximum learning rate"),
    seed: int = typer.Option(0, help="Random seed"),
    preset: Preset = "auto",
    language: str = typer.Option("xx", help="Language code, for the manifest"),
    resume: Resume = False,
    force: Force = False,
) -> None:
    """Train a model on gold with labels of your own.

    Example: python -m spacy optical finetune md train.spacy dev.spacy mine
    """
    from ..own_labels.finetuned_model import finetune

    metrics = finetune(
        model,
        train,
        dev,
        out,
        labels=labels,  # type: ignore[arg-type]  # checked by finetune
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
