"""Reading and writing the metrics file."""

import json
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from ..errors import Errors, OpticalError
from ..files import write_json
from .schema import ExtraRow, ProfileReport

T = TypeVar("T")


def read_metrics(path: Path) -> ProfileReport:
    """Read a metrics file.

    path (Path): A `metrics.json`.
    RETURNS (ProfileReport): Its content.
    RAISES (OpticalError): If it is missing, of another version, or breaks the schema.
    """
    return read_record(path, ProfileReport)


def read_extra(path: Path) -> list[ExtraRow]:
    """Read rows of F1 by language that the tables show beside what was measured.

    path (Path): JSON: a list of `{"name": ..., "f1": {"sw": 0.61, ...}}`.
    RETURNS (List[ExtraRow]): The rows.
    RAISES (OpticalError): If the file is missing or breaks this form.
    """
    return read_record(path, list[ExtraRow])


def read_record(path: Path, form: type[T]) -> T:
    """Read a JSON file and check it against a schema.

    path (Path): The file.
    form (Type): The schema: a pydantic model, or a list of them.
    RETURNS: Its content.
    RAISES (OpticalError): If the file is missing or breaks the schema.
    """
    path = Path(path)
    if not path.is_file():
        raise OpticalError(Errors.E002.format(what="metrics file", path=path))
    try:
        return TypeAdapter(form).validate_json(path.read_bytes())
    except ValidationError as err:
        first = err.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        reason = f"{where}: {first['msg']}"
        raise OpticalError(Errors.E602.format(path=path, reason=reason)) from err


def write_metrics(report: ProfileReport, path: Path) -> None:
    """Write a metrics file, whole or not at all.

    report (ProfileReport): The content.
    path (Path): The file.
    """
    write_json(path, json.loads(report.model_dump_json()))
