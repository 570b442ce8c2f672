"""Reading and writing the metrics file."""

import json
from pathlib import Path

from ..files import read_record, write_json
from .schema import ExtraRow, ProfileReport


def read_metrics(path: Path) -> ProfileReport:
    """Read a `metrics.json`.

    RETURNS (ProfileReport): Its content.
    RAISES (OpticalError): If it is missing, of another version, or breaks the schema.
    """
    return read_record(path, ProfileReport)


def read_extra(path: Path) -> list[ExtraRow]:
    """Read F1 by language of other models: a list of `{"name": ..., "f1": {"sw": 0.61, ...}}`."""
    return read_record(path, list[ExtraRow])


def write_metrics(report: ProfileReport, path: Path) -> None:
    """Write a metrics file, completely or not at all."""
    write_json(path, json.loads(report.model_dump_json()))
