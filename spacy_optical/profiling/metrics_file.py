"""Read and write the metrics file."""

import json
from pathlib import Path

from ..files import read_record, write_json
from .schema import ProfileReport


def read_metrics(path: Path) -> ProfileReport:
    """Read a `metrics.json`.

    path (Path): The file.
    RETURNS (ProfileReport): The content.
    RAISES (OpticalError): If it is missing, has another version or does not match the schema.
    """
    return read_record(path, ProfileReport)


def write_metrics(report: ProfileReport, path: Path) -> None:
    """Write a metrics file. If this fails, the previous file is kept."""
    write_json(path, json.loads(report.model_dump_json()))
