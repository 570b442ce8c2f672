"""`python -m spacy optical benchmark-corpus`"""

from pathlib import Path

import typer
from wasabi import msg

from ._app import command, overrides_of, say


@command("benchmark-corpus", overrides=True)
def benchmark_corpus_cli(
    context: typer.Context,
    config_path: Path = typer.Argument(..., metavar="CONFIG", help="A benchmark's config file"),
    files: Path = typer.Argument(..., help="The folder of fetch-data"),
    out: Path = typer.Argument(..., help="Folder to write"),
    max_pairs: int = typer.Option(
        0, "--max-pairs", "-n", min=0, help="Pairs of a language to draw at the most; 0: all"
    ),
    labeller: str = typer.Option(
        "", "--labeller", "-l", help="A spaCy pipeline that labels the bitext's English as well"
    ),
    gold: bool = typer.Option(
        True, "--gold/--silver-only", help="Train on English gold, or on the labeller's alone"
    ),
    seed: int = typer.Option(0, "--seed", "-s", help="Seed of what is drawn"),
) -> None:
    """Convert a benchmark's data sets to .spacy files and bitext; count what is left out.

    Example: python -m spacy optical benchmark-corpus research/configs/experiments.cfg
    data/experiments/files data/experiments/corpus --max-pairs 1500
    """
    from ..benchmark.config import load_benchmark
    from ..benchmark.corpus import make_benchmark_corpus
    from ..projection.words import load_labeller

    benchmark = load_benchmark(config_path, overrides_of(context))
    summary = make_benchmark_corpus(
        benchmark,
        files,
        out,
        max_pairs=max_pairs,
        labeller=load_labeller(labeller) if labeller else None,
        gold_english=gold,
        seed=seed,
        say=say,
    )
    rows = [
        (
            code,
            found.pairs,
            ", ".join(f"{n} {why}" for why, n in found.left_out.items()) or "none",
            found.dev,
            found.test,
            ", ".join(f"{n} {label}" for label, n in sorted(found.entities.items())),
        )
        for code, found in summary.languages.items()
    ]
    header = ("", "Pairs", "left out", "Dev", "Test", "Test entities")
    msg.table(rows, header=header, divider=True, aligns=("l", "r", "l", "r", "r", "l"))
    english = ", ".join(f"{n} {use}" for use, n in summary.english.items())
    msg.good(f"Corpus in {out} (English: {english})")
