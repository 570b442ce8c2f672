"""`python -m spacy optical evaluate`"""

from pathlib import Path

import typer
from wasabi import msg

from ._app import command


@command("evaluate")
def evaluate_cli(
    model: Path = typer.Argument(..., help="A student's or teacher's folder"),
    out: Path = typer.Argument(..., help="JSON file to write"),
    gold: list[str] = typer.Option(
        [], "--gold", "-g", metavar="LANG=FILE", help="Gold .spacy file; repeatable"
    ),
    gold_folder: Path | None = typer.Option(
        None, "--gold-folder", help="Gold folder of the corpus command; its test files are used"
    ),
    name: str = typer.Option("", "--name", "-n", help="Display name [default: the folder's name]"),
) -> None:
    """Evaluate a trained model on gold documents, with torch.

    Example: python -m spacy optical evaluate training/student metrics/student.json
    -g sw=corpus/gold/sw-test.spacy
    """
    from ..distill.tagger_evaluation import evaluate
    from ..files import write_json
    from ._gold import gold_of

    row = evaluate(model, gold_of(gold, gold_folder, "test"), name=name or model.name)
    write_json(out, [{"name": row["name"], "f1": row["f1"]}])
    msg.table(
        [(language, f"{100 * f1:.1f}") for language, f1 in row["f1"].items()],
        header=("Language", "F1"),
        divider=True,
        aligns=("l", "r"),
    )
    msg.good(f"F1 macro {100 * row['macro_f1']:.1f}; written to {out}")
