"""`python -m spacy optical corpus`"""

from pathlib import Path

import typer
from wasabi import msg

from ._app import command


@command("corpus")
def corpus_cli(
    parallel: Path = typer.Argument(..., help="Folder with train.jsonl, dev.jsonl, test.jsonl"),
    english: Path = typer.Argument(..., help="Folder with more English sentences: train.jsonl"),
    out: Path = typer.Argument(..., help="Folder to write"),
    languages: str = typer.Option(
        "sw,so,tl,mr,fi,de,fr", "--languages", "-l", help="Target languages, with commas between"
    ),
    augment: int = typer.Option(
        0, "--augment", "-a", min=0, help="Altered copies of each English training sentence"
    ),
    augment_bitext: int | None = typer.Option(
        None, "--augment-bitext", min=0, help="Altered copies of each pair; else as of the English"
    ),
    seed: int = typer.Option(0, "--seed", "-s", help="Seed of the augmentation"),
) -> None:
    """Check the marked corpus and convert it to .spacy files and bitext.

    Example: python -m spacy optical corpus assets/parallel assets/english corpus
    """
    from ..data.corpus import make_corpus

    codes = [code for part in languages.split(",") if (code := part.strip())]
    summary = make_corpus(
        parallel,
        english,
        out,
        codes,
        augment=augment,
        augment_bitext=augment_bitext,
        seed=seed,
    )
    rows = {
        "Groups": ", ".join(f"{n} {name}" for name, n in summary.groups.items()),
        "without an entity": summary.groups_without_entities,
        "Entities": ", ".join(f"{n} {label}" for label, n in summary.entities.items()),
        "English besides": f"{summary.english_sentences} + {summary.augmented_english} altered",
        "Pairs": ", ".join(f"{n} {lang}" for lang, n in summary.pairs.items()),
        "Test names unseen in train": f"{summary.test_names_unseen_in_train:.0%}",
    }
    msg.table(rows)
    msg.good(f"Corpus in {out}")
