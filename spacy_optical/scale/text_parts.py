"""The texts of an input, divided into parts that any process can read by itself."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import Errors, OpticalError
from ..files import sha256

# A run's folder has it. Readers of Parquet folders pass over names that begin with an underscore.
RECORD = "_run.json"

KINDS = {".parquet": "parquet", ".jsonl": "lines", ".ndjson": "lines", ".txt": "text"}
# Rows that are decoded at once: with texts of a megabyte each, a hundred megabytes.
DECODED_ROWS = 100


class Text(NamedTuple):
    """A text with its id, or the reason why there is none."""

    id: int | str | None
    text: str | None
    error: str | None = None


class Columns(NamedTuple):
    """The names of the columns that are read."""

    text: str
    id: str


class Part(NamedTuple):
    """Rows of one file. `first` counts from 0, blank lines too; `offset` is its place in bytes."""

    number: int
    path: Path
    name: str
    first: int
    rows: int
    offset: int


class Source(NamedTuple):
    """An input: its parts, the name and a hash of each file, and the type of the ids."""

    parts: list[Part]
    files: list[list[str]]
    id_type: pa.DataType


def look_through(path: Path, columns: Columns, *, part_size: int, besides: Path) -> Source:
    """Check an input and divide it into parts of `part_size` rows.

    A line of a text file is a text, and its id is the file's name and the number of the line. Files
    in the folder `besides` are left out.
    RAISES (OpticalError): If there is no such file, if one is broken or lacks a column.
    """
    source = Source([], [], pa.string())
    for file in _files(path, besides):
        name = file.relative_to(path).as_posix() if path.is_dir() else file.name
        look = _look_at_parquet if KINDS[file.suffix] == "parquet" else _look_at_lines
        with _readable(file):
            places, id_type = look(file, columns, part_size)
            source.files.append([name, sha256(file)])
        if len(source.files) == 1:
            source = source._replace(id_type=id_type)
        _check_type(file, columns.id, id_type, [source.id_type])
        at = len(source.parts)
        source.parts.extend(Part(at + i, file, name, *place) for i, place in enumerate(places))
    return source


def read_part(part: Part, columns: Columns) -> Iterator[Text]:
    """Read the texts of a part in order; blank lines are passed over.

    RAISES (OpticalError): If the file cannot be read.
    """
    kind = KINDS[part.path.suffix]
    with _readable(part.path):
        if kind == "parquet":
            yield from _parquet_texts(part, columns)
            return
        with part.path.open("rb") as file:
            file.seek(part.offset)
            for number, line in enumerate(islice(file, part.rows), start=part.first + 1):
                if line.strip():
                    where = f"{part.name}:{number}"
                    yield _plain(where, line) if kind == "text" else _parsed(where, line, columns)


def _files(path: Path, besides: Path) -> list[Path]:
    if not path.exists():
        raise OpticalError(Errors.E002.format(what="file or folder", path=path))
    found = sorted(path.rglob("*")) if path.is_dir() else [path]
    # What earlier runs wrote has ids and texts too.
    runs = {besides, *(file.parent for file in found if file.name == RECORD)}
    files = [f for f in found if f.suffix in KINDS and runs.isdisjoint(f.parents)]
    names = [file.relative_to(path).parts for file in files]
    hidden = [any(part.startswith((".", "_")) for part in name) for name in names]
    files = [file for file, no in zip(files, hidden, strict=True) if file.is_file() and not no]
    if len({KINDS[file.suffix] for file in files}) != 1:
        raise OpticalError(Errors.E801.format(path=path, kinds=", ".join(KINDS)))
    return files


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn what goes wrong while a file is read into one sentence."""
    try:
        yield
    except (OSError, pa.ArrowException) as err:
        reason = str(err).partition("\n")[0].rstrip(".")
        raise OpticalError(Errors.E802.format(path=path, reason=reason)) from err


Places = list[tuple[int, int, int]]


def _look_at_parquet(path: Path, columns: Columns, part_size: int) -> tuple[Places, Any]:
    with pq.ParquetFile(path) as file:
        rows, schema = file.metadata.num_rows, file.schema_arrow
    _check_columns(path, columns, schema.names)
    strings = [pa.string(), pa.large_string()]
    integers = [getattr(pa, f"{sign}int{bits}")() for sign in ("", "u") for bits in (8, 16, 32, 64)]
    id_type = schema.field(columns.id).type
    _check_type(path, columns.text, schema.field(columns.text).type, strings)
    _check_type(path, columns.id, id_type, [*strings, *integers])
    places = [(first, min(part_size, rows - first), 0) for first in range(0, rows, part_size)]
    return places, id_type


def _look_at_lines(path: Path, columns: Columns, part_size: int) -> tuple[Places, Any]:
    places: Places = []
    offset = 0
    unchecked = KINDS[path.suffix] == "lines"
    with path.open("rb") as file:
        for number, line in enumerate(file):
            # A line that is no object becomes a row with an error.
            if unchecked and isinstance(row := _json(line), dict):
                _check_columns(path, columns, list(row))
                unchecked = False
            if number % part_size == 0:
                places.append((number, 0, offset))
            first, rows, start = places[-1]
            places[-1] = first, rows + 1, start
            offset += len(line)
    return places, pa.string()


def _check_columns(path: Path, columns: Columns, names: Sequence[str]) -> None:
    for option, name in (("--text-column", columns.text), ("--id-column", columns.id)):
        if name not in names:
            known = ", ".join(names)
            message = Errors.E803.format(path=path, column=name, columns=known, option=option)
            raise OpticalError(message)


def _check_type(path: Path, column: str, found: Any, allowed: Sequence[Any]) -> None:
    if found not in allowed:
        expected = " or ".join(map(str, allowed))
        message = Errors.E804.format(path=path, column=column, found=found, expected=expected)
        raise OpticalError(message)


def _parquet_texts(part: Part, columns: Columns) -> Iterator[Text]:
    end = part.first + part.rows
    with pq.ParquetFile(part.path) as file:
        at = 0
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            if at + rows <= part.first or at >= end:
                at += rows
                continue
            for batch in file.iter_batches(
                DECODED_ROWS, row_groups=[group], columns=list({*columns})
            ):
                skipped = min(max(part.first - at, 0), batch.num_rows)
                wanted = batch.slice(skipped, max(end - at - skipped, 0))
                at += batch.num_rows
                for key, text in zip(*map(wanted.column, (columns.id, columns.text)), strict=True):
                    try:
                        yield _checked(key.as_py(), text.as_py())
                    except UnicodeDecodeError:
                        yield Text(None, None, f"a row of {part.name} is not valid UTF-8")


def _plain(where: str, line: bytes) -> Text:
    try:
        return Text(where, line.decode("utf8").rstrip("\r\n"))
    except UnicodeDecodeError:
        return Text(where, None, "the line is not valid UTF-8")


def _parsed(where: str, line: bytes, columns: Columns) -> Text:
    row = _json(line)
    if not isinstance(row, dict):
        return Text(None, None, f"{where} is not a JSON object")
    name = row.get(columns.id)
    if name is None:
        return Text(None, None, f"the id is null in {where}")
    # Half of a surrogate pair, which JSON can hold, is no character that a file can.
    key = str(name).encode("utf8", "backslashreplace").decode("utf8")
    return _checked(key, row.get(columns.text))


def _json(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _checked(name: int | str | None, value: Any) -> Text:
    if name is None or value is None:
        return Text(name, None, f"the {'id' if name is None else 'text'} is null")
    if not isinstance(value, str):
        return Text(name, None, f"the text is a {type(value).__name__}, not a string")
    return Text(name, value)
