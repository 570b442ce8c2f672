"""`python -m spacy optical evaluate`"""

from pathlib import Path

import typer
from wasabi import msg

from ._app import command, gold_of, parse_names
from ._options import Gold, GoldTest


@command("evaluate")
def evaluate_cli(
    gold: Gold,
    model: str = typer.Argument(..., help="Model or bundle folder, pipeline, sm or md"),
    out: Path = typer.Argument(..., help="JSON file to write"),
    gold_folder: GoldTest = None,
    labels: str = typer.Option("", "--labels", "-l", help="Labels to score, e.g. PER,ORG,LOC"),
    name: str = typer.Option("", "--name", "-n", help="Display name [default: the folder's name]"),
) -> None:
    """Score a model on gold documents: precision, recall and F1 by language and label.

    A student or teacher runs in torch, a bundle or pipeline in spaCy.

    Example: python -m spacy optical evaluate md metrics/md.json --labels PER,ORG,LOC
    -g sw=corpus/gold/sw-test.spacy
    """
    from ..export.model_scores import evaluate_model
    from ..files import check_no_input, write_json

    files = gold_of(gold, gold_folder, "test")
    check_no_input(out, files.values())
    scores = evaluate_model(model, files, parse_names(labels))
    f1 = {language: score["ents_f"] or 0.0 for language, score in scores.items()}
    write_json(out, [{"name": name or Path(model).name, "f1": f1, "scores": scores}])
    rows = []
    for language, score in scores.items():
        numbers = [f"{100 * (score[key] or 0):.1f}" for key in ("ents_p", "ents_r", "ents_f")]
        rows.append((language, *numbers))
    header = ("Language", "Precision", "Recall", "F1")
    msg.table(rows, header=header, divider=True, aligns=("l", "r", "r", "r"))
    targets = [value for language, value in f1.items() if language != "en"] or list(f1.values())
    msg.good(f"F1 macro {100 * sum(targets) / len(targets):.1f}; written to {out}")
