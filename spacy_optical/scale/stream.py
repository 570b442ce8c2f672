"""Annotate any number of texts, on this machine, Ray or Spark."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from ..files import check_no_input
from ..runtime.load_model import absolute_model
from .annotator import fingerprint
from .engines import check_count, engine_named
from .run_folder import Job, Written, open_run, total, write_part, written_part
from .text_parts import Columns, look_through


def annotate(
    source: str | Path,
    out: str | Path,
    *,
    engine: str = "local",
    model: str | Path | None = None,
    text_column: str = "text",
    id_column: str = "id",
    n_process: int = 1,
    part_size: int = 10_000,
    resume: bool = False,
    progress: Callable[[Written, float], None] | None = None,
) -> Written:
    """Find the entities of all texts of an input and write them to a folder of Parquet files.

    Each part of the input becomes one file, with the columns `id`, `start`, `end` (characters,
    `end` excluded), `label`, `text`, `score` and `error`, in the order of the input. A text without
    entities has no row. A text that fails has one row, with the reason in `error`. The rows do not
    depend on the engine or the number of processes.

    source (Union[str, Path]): A Parquet, JSON lines or text file, or a folder with files of one of
        these kinds.
    out (Union[str, Path]): The folder to write. All machines of a cluster must have both paths.
    engine (str): `local`, `ray` or `spark`.
    model (Optional[Union[str, Path]]): The name or folder of a pipeline, or the folder of a bundle.
        The default is `optical_ner` with the default model of the package.
    text_column (str): The column with the texts.
    id_column (str): The column with the ids.
    n_process (int): The number of processes. A running Spark cluster uses its own number.
    part_size (int): The maximum number of rows in a part. If the run is stopped, only unfinished
        parts are lost.
    resume (bool): Whether to continue the run in `out` after it was stopped.
    progress (Optional[Callable[[Written, float], None]]): Called after each part, with the numbers
        so far and the share of finished parts, 0 to 1.
    RETURNS (Written): The numbers of texts, rows and failed texts.
    RAISES (OpticalError): If the input cannot be read or does not have a column, `out` has another
        run, the model cannot be loaded, or the engine fails. Finished parts are kept.
    """
    run = engine_named(engine)
    check_count("n_process", n_process)
    check_count("part_size", part_size)
    # Workers can have another working directory.
    source, out = Path(source).absolute(), Path(out).absolute()
    check_no_input(out, [source])
    if model is not None:
        model = absolute_model(model)
    columns = Columns(text_column, id_column)
    found = look_through(source, columns, part_size=part_size, besides=out)
    job = Job(out, model, columns, found.id_type, fingerprint(model))
    open_run(job, found, part_size=part_size, resume=resume)

    earlier = [(part, written_part(job, part)) for part in found.parts]
    done = [Written(), *(written for _, written in earlier if written is not None)]
    left = [part for part, written in earlier if written is None]
    for written in run(partial(write_part, job), left, n_process) if left else ():
        if written.error is not None:
            raise written.error
        done.append(written)
        if progress is not None:
            progress(total(done), (len(done) - 1) / len(found.parts))
    return total(done)
