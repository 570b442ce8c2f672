"""Choosing a pipeline for a device: the best F1 within a budget."""

from functools import partial
from typing import Any

from ..errors import Errors, OpticalError
from .cells import number
from .schema import Budget, Profile, ProfileReport

# The fields of a budget: what is limited, and its unit.
LIMITS = {
    "max_p50_ms": ("p50", "ms"),
    "max_rss_mb": ("peak RSS", "MB"),
    "max_above_floor_mb": ("above floor", "MB"),
    "max_disk_mb": ("disk", "MB"),
}


def excess(found: Profile, budget: Budget) -> list[str]:
    """Tell where a pipeline exceeds a budget or was not measured."""
    latency, memory, disk = found.latency, found.memory, found.disk
    values: dict[str, Any] = {
        "max_p50_ms": latency and latency.p50_ms.value,
        "max_rss_mb": memory and memory.peak_rss_mb.value,
        "max_above_floor_mb": memory and memory.above_floor_mb.value,
        "max_disk_mb": disk and disk.mb,
    }
    over = []
    for field, (name, unit) in LIMITS.items():
        most, value = getattr(budget, field), values[field]
        if most is not None and not isinstance(value, float):
            over.append(f"{name} not measured")
        elif most is not None and value > most:
            over.append(f"{name} {number(value)} {unit}")
    return over


def recommend(report: ProfileReport, budget: Budget) -> dict[str, str]:
    """Name the best pipelines within a budget; the fastest of those with equal F1.

    RETURNS (Dict[str, str]): The pipeline with the highest macro F1, as `macro`, and that with the
        highest F1 in each language; empty if none is within the budget.
    RAISES (OpticalError): If no pipeline has an F1.
    """
    if not any(found.accuracy for found in report.profiles):
        raise OpticalError(Errors.E618)
    fitting = [found for found in report.profiles if found.accuracy and not excess(found, budget)]
    return {
        key: max(fitting, key=partial(_rank, key)).name
        for key in (("macro", *report.languages) if fitting else ())
    }


def _rank(key: str, found: Profile) -> tuple[float, float]:
    f1 = found.macro_f1 if key == "macro" else found.accuracy[key].f1
    p50 = found.latency.p50_ms.value if found.latency is not None else float("inf")
    return (f1.value if f1 is not None else 0.0), -p50


def budget_text(budget: Budget) -> str:
    """Write a budget."""
    limits = [(getattr(budget, field), *texts) for field, texts in LIMITS.items()]
    found = [f"{number(most)} {unit} {name}" for most, name, unit in limits if most is not None]
    return ", ".join(found) or "any cost"
