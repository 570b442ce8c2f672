"""The folder of a run: a Parquet file for each part, and a record of the input and settings."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import spacy

from ..about import __version__
from ..errors import Errors, OpticalError
from ..files import read_record, write_json, written_whole
from .annotator import entity_rows, in_batches, load_pipeline, row_schema
from .text_parts import RECORD, Columns, Part, Source, read_part


class Job(NamedTuple):
    """The settings that a process needs to write parts. `content` is the pipeline's fingerprint."""

    out: Path
    model: str | None
    columns: Columns
    id_type: pa.DataType
    content: str

    def path(self, part: Part) -> Path:
        """Get the file of a part."""
        return self.out / f"part-{part.number:06}.parquet"


class Written(NamedTuple):
    """The numbers of texts, rows and failed texts, or the error that stops the run."""

    texts: int = 0
    rows: int = 0
    failed: int = 0
    error: OpticalError | None = None


def total(parts: Sequence[Written]) -> Written:
    """Add the numbers of parts."""
    texts, rows, failed, _ = zip(*parts, strict=True)
    return Written(sum(texts), sum(rows), sum(failed))


def write_part(job: Job, part: Part) -> Written:
    """Annotate a part and write its file, completely or not at all.

    Errors of the input are returned, because engines replace the exceptions of their workers.
    """
    texts = rows = failed = 0
    schema = row_schema(job.id_type)
    try:
        with (
            written_whole(job.path(part)) as temporary,
            pq.ParquetWriter(temporary, schema, compression="zstd") as writer,
        ):
            for batch in in_batches(read_part(part, job.columns)):
                # Asked for each batch, because it is loaded again after many words.
                nlp = load_pipeline(job.model, job.content)
                table = entity_rows(nlp, batch, job.id_type)
                writer.write_table(table)
                texts += len(batch)
                rows += table.num_rows
                failed += table.num_rows - table.column("error").null_count
            writer.add_key_value_metadata({"texts": str(texts), "failed": str(failed)})
    except OpticalError as err:
        return Written(error=err)
    return Written(texts, rows, failed)


def written_part(job: Job, part: Part) -> Written | None:
    """Read the numbers of a part from its file. Returns None if the part must be written."""
    try:
        file = pq.read_metadata(job.path(part))
    except (OSError, pa.ArrowException):
        return None
    return Written(int(file.metadata[b"texts"]), file.num_rows, int(file.metadata[b"failed"]))


def open_run(job: Job, source: Source, *, part_size: int, resume: bool) -> None:
    """Start a run in its folder, or continue the run that the folder has.

    RAISES (OpticalError): If the folder has another run or other content, or it has this run and
        `resume` is False.
    """
    record = {
        "spacy_optical": __version__,
        "spacy": spacy.__version__,
        "model": job.content,
        "text column": job.columns.text,
        "id column": job.columns.id,
        "part size": part_size,
        "input": source.files,
    }
    open_folder(job.out, record, resume=resume, what="a run of annotate")


def open_folder(out: Path, record: dict[str, Any], *, resume: bool, what: str) -> None:
    """Start a run in a folder and write its record, or continue the run that the folder has.

    out (Path): The folder.
    record (Dict[str, Any]): What must be the same to continue: input, settings and versions.
    resume (bool): Whether a run may be continued.
    what (str): The kind of run, for the error.
    RAISES (OpticalError): As `open_run`.
    """
    if (out / RECORD).is_file():
        earlier = read_record(out / RECORD, dict, what="run")
        differing = [name for name, value in record.items() if earlier.get(name) != value]
        if differing:
            raise OpticalError(Errors.E806.format(path=out, what=" and ".join(differing)))
        if not resume:
            raise OpticalError(Errors.E807.format(path=out))
        for leftover in out.glob(".part-*"):
            leftover.unlink(missing_ok=True)
    elif out.exists() and (out.is_file() or any(out.iterdir())):
        raise OpticalError(Errors.E004.format(path=out, what=what))
    else:
        write_json(out / RECORD, record)
