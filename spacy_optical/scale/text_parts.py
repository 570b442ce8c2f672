"""The texts of an input, divided into parts that processes can read independently."""

import json
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import Errors, OpticalError
from ..files import sha256

# The record of a run. Readers of Parquet folders skip names that start with an underscore.
RECORD = "_run.json"

KINDS = {".parquet": "parquet", ".jsonl": "lines", ".ndjson": "lines", ".txt": "text"}
# Rows that are decoded at the same time. With texts of 1 MB, they need 100 MB.
DECODED_ROWS = 100


class Text(NamedTuple):
    """A text with its id, or the error instead of a text."""

    id: int | str | None
    text: str | None
    error: str | None = None


class Columns(NamedTuple):
    """The names of the columns with texts and ids."""

    text: str
    id: str


class Part(NamedTuple):
    """Rows of a file. `first` is a row or line (from 0), and `offset` its position in bytes."""

    number: int
    path: Path
    name: str
    first: int
    rows: int
    offset: int


class Source(NamedTuple):
    """The parts of an input, the name and hash of each file, and the type of the ids."""

    parts: list[Part]
    files: list[list[str]]
    id_type: pa.DataType


def look_through(path: Path, columns: Columns, *, part_size: int, besides: Path) -> Source:
    """Check an input and divide it into parts of `part_size` rows.

    A line of a text file is a text, and its id is the file name and line number. Files in the
    folder `besides` are left out.
    RAISES (OpticalError): If there are no files, or a file cannot be read or lacks a column.
    """
    parts: list[Part] = []
    files, id_types = [], []
    for file in _files(path, besides):
        name = file.relative_to(path).as_posix() if path.is_dir() else file.name
        look = _look_at_parquet if KINDS[file.suffix] == "parquet" else _look_at_lines
        with _readable(file):
            places, id_type = look(file, columns, part_size)
            files.append([name, sha256(file)])
        id_types.append(id_type)
        _check_type(file, columns.id, id_type, id_types[:1])
        for place in places:
            parts.append(Part(len(parts), file, name, *place))
    return Source(parts, files, id_types[0])


def read_part(part: Part, columns: Columns) -> Iterator[Text]:
    """Read the texts of a part in order, without blank lines.

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
                if number == 1:
                    line = line.removeprefix(BOM_UTF8)
                if line.strip():
                    where = f"{part.name}:{number}"
                    yield _plain(where, line) if kind == "text" else _parsed(where, line, columns)


def _files(path: Path, besides: Path) -> list[Path]:
    if not path.exists():
        raise OpticalError(Errors.E002.format(what="file or folder", path=path))
    found = sorted(path.rglob("*")) if path.is_dir() else [path]
    # The files that earlier runs wrote have ids and texts too.
    runs = {besides, *(file.parent for file in found if file.name == RECORD)}
    files = [f for f in found if f.suffix in KINDS and f.is_file() and runs.isdisjoint(f.parents)]
    files = [f for f in files if not any(name[0] in "._" for name in f.relative_to(path).parts)]
    if not files:
        raise OpticalError(Errors.E812.format(path=path, kinds=", ".join(KINDS)))
    if len({KINDS[file.suffix] for file in files}) != 1:
        raise OpticalError(Errors.E801.format(path=path, kinds=", ".join(KINDS)))
    return files


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Raise an `OpticalError` if a file cannot be read."""
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
    integers = [pa.int8(), pa.int16(), pa.int32(), pa.int64()]
    integers += [pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]
    id_type = schema.field(columns.id).type
    _check_type(path, columns.text, schema.field(columns.text).type, strings)
    _check_type(path, columns.id, id_type, [*strings, *integers])
    places = [(first, min(part_size, rows - first), 0) for first in range(0, rows, part_size)]
    return places, id_type


def _look_at_lines(path: Path, columns: Columns, part_size: int) -> tuple[Places, Any]:
    starts = []
    lines = offset = 0
    # A line without one of the keys becomes a row with an error. If no line has it, it is wrong.
    found: dict[str, None] = {}
    unchecked = KINDS[path.suffix] == "lines"
    with path.open("rb") as file:
        for line in file:
            if unchecked and isinstance(row := _json(line), dict):
                found |= dict.fromkeys(row)
                unchecked = not found.keys() >= {*columns}
            if lines % part_size == 0:
                starts.append((lines, offset))
            lines += 1
            offset += len(line)
    if unchecked and found:
        _check_columns(path, columns, list(found))
    places = [(first, min(part_size, lines - first), start) for first, start in starts]
    return places, pa.string()


def _check_columns(path: Path, columns: Columns, names: Sequence[str]) -> None:
    for option, name in (("--text-column", columns.text), ("--id-column", columns.id)):
        if name not in names:
            message = Errors.E803.format(
                path=path, column=name, columns=", ".join(names), option=option
            )
            raise OpticalError(message)
        if names.count(name) > 1:
            reason = f"several columns are named '{name}'"
            raise OpticalError(Errors.E802.format(path=path, reason=reason))


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
                if at >= end:
                    return
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
        state = "null" if columns.id in row else "missing"
        return Text(None, None, f"the id is {state} in {where}")
    # JSON can have half of a surrogate pair, which cannot be encoded as UTF-8.
    key = str(name).encode("utf8", "backslashreplace").decode("utf8")
    if columns.text not in row:
        return Text(key, None, "the text is missing")
    return _checked(key, row[columns.text])


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
