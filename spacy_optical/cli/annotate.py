"""`python -m spacy optical annotate`"""

from pathlib import Path

import typer

from ..errors import Errors, OpticalError
from ._app import command, good
from ._options import EngineName


@command("annotate")
def annotate_cli(
    source: Path = typer.Argument(
        ..., metavar="IN", help="Parquet, JSON lines or text file, or a folder of such files"
    ),
    out: Path = typer.Argument(..., metavar="OUT", help="Output folder for Parquet files"),
    engine: EngineName = "local",
    model: str | None = typer.Option(
        None, "--model", "-m", help="sm or md, a pipeline, or the folder of a bundle [default: md]"
    ),
    text_column: str = typer.Option("text", help="Column with the texts"),
    id_column: str = typer.Option("id", help="Column with the ids"),
    n_process: int = typer.Option(1, "--n-process", "-n", min=1, help="Number of processes"),
    part_size: int = typer.Option(10_000, min=1, help="Maximum number of texts in a file of OUT"),
    resume: bool = typer.Option(False, "--resume", help="Continue the run in OUT"),
) -> None:
    """Find the entities of any number of texts and write them as rows.

    If a text fails, its row has the error, and the command exits with code 1. All other rows are
    written.

    Example: python -m spacy optical annotate texts.parquet entities --n-process 2
    """
    from tqdm import tqdm

    from ..scale.run_folder import Written
    from ..scale.stream import annotate

    with tqdm(total=100, bar_format="{percentage:3.0f}%|{bar}| {elapsed}{postfix}") as bar:

        def show(so_far: Written, share: float) -> None:
            bar.set_postfix_str(f", {so_far.texts} texts", refresh=False)
            bar.update(100 * share - bar.n)

        written = annotate(
            source,
            out,
            engine=engine,
            model=model,
            text_column=text_column,
            id_column=id_column,
            n_process=n_process,
            part_size=part_size,
            resume=resume,
            progress=show,
        )
    if written.failed:
        message = Errors.E811.format(failed=written.failed, texts=written.texts, path=out)
        raise OpticalError(message)
    good(f"{written.rows} entities of {written.texts} texts in {out}")
