"""Parse option values with numbers and units."""

import re

from ..errors import Errors, OpticalError
from ..profiling.schema import Budget

UNITS = {"ms": {"ms": 1.0, "s": 1000.0, "": 1.0}, "MB": {"MB": 1.0, "GB": 1000.0, "": 1.0}}


def make_budget(
    p50: str | None, rss: str | None, above_floor: str | None, disk: str | None
) -> Budget | None:
    """Parse the limits of a budget, e.g. `5ms` and `60MB`. No limit gives None."""
    budget = Budget(
        max_p50_ms=parse_amount(p50, "ms"),
        max_rss_mb=parse_amount(rss, "MB"),
        max_above_floor_mb=parse_amount(above_floor, "MB"),
        max_disk_mb=parse_amount(disk, "MB"),
    )
    return None if budget == Budget() else budget


def parse_amount(text: str | None, unit: str) -> float | None:
    """Parse an amount, e.g. `5ms`, `0.2s`, `60MB` or `60`, in `ms` or `MB`. None gives None."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", text.strip())
    if match is None or match[2] not in UNITS[unit]:
        form, example = f"NUMBER{unit}", f"60{unit}"
        raise OpticalError(Errors.E613.format(text=text, form=form, example=example))
    return float(match[1]) * UNITS[unit][match[2]]


def parse_numbers(text: str) -> tuple[int, ...]:
    """Parse positive integers separated by commas, e.g. `1,16,64`."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() for part in parts):
        raise OpticalError(Errors.E613.format(text=text, form="N,N", example="1,16,64"))
    return tuple(map(int, parts))
