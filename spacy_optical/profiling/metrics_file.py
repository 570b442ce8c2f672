"""Reading and writing the metrics file."""

import json
from pathlib import Path

from ..files import read_record, write_json
from .schema import ProfileReport


def read_metrics(path: Path) -> ProfileReport:
    """Read a `metrics.json`.

    RETURNS (ProfileReport): Its content.
    RAISES (OpticalError): If it is missing, of another version, or breaks the schema.
    """
    return read_record(path, ProfileReport)


def write_metrics(report: ProfileReport, path: Path) -> None:
    """Write a metrics file, completely or not at all."""
    write_json(path, json.loads(report.model_dump_json()))
