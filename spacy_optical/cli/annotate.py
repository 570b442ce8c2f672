"""`python -m spacy optical annotate`"""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

from ._app import command, good

if TYPE_CHECKING:
    from ..scale.run_folder import Written


@command("annotate")
def annotate_cli(
    source: Path = typer.Argument(
        ..., metavar="IN", help="A Parquet, JSON lines or text file, or a folder of such files"
    ),
    out: Path = typer.Argument(..., metavar="OUT", help="The folder of Parquet files to write"),
    engine: Literal["local", "ray", "spark"] = typer.Option("local", help="What runs the workers"),
    model: str | None = typer.Option(
        None,
        "--model",
        "-m",
        help="A pipeline's name or folder, or a bundle's folder; by default optical_ner",
    ),
    text_column: str = typer.Option("text", "--text-column", help="The column with the texts"),
    id_column: str = typer.Option("id", "--id-column", help="The column with the ids"),
    n_process: int = typer.Option(1, "--n-process", "-n", min=1, help="The number of processes"),
    part_size: int = typer.Option(
        10_000, "--part-size", min=1, help="The maximum number of texts in a file of OUT"
    ),
    resume: bool = typer.Option(False, "--resume", help="Continue the run that OUT holds"),
) -> None:
    """Find the entities of any number of texts and write them as rows.

    A text that fails becomes a row that says why. The command then exits with code 1, and all other
    rows are written.

    Example: python -m spacy optical annotate texts.parquet entities --n-process 2
    """
    from tqdm import tqdm

    from ..errors import Errors, OpticalError
    from ..scale.stream import annotate

    with tqdm(
        total=100, unit="%", bar_format="{percentage:3.0f}%|{bar}| {elapsed}{postfix}"
    ) as bar:

        def show(so_far: "Written", share: float) -> None:
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
