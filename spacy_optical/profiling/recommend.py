"""Choosing a pipeline for a device: the best F1 within a budget."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..errors import Errors, OpticalError
from .cells import MISSING, Cell, Table, number, score
from .schema import Budget, Profile, ProfileReport

UNITS = {"ms": 1.0, "s": 1000.0, "MB": 1.0, "GB": 1000.0, "": 1.0}


def excess(found: Profile, budget: Budget) -> list[str]:
    """Say where a pipeline is over a budget, or was not measured.

    found (Profile): The pipeline.
    budget (Budget): The most that it may cost.
    RETURNS (List[str]): Nothing if it fits.
    """
    return list(_excess(found, budget))


def _excess(found: Profile, budget: Budget) -> Iterator[str]:
    latency, memory, disk = found.latency, found.memory, found.disk
    limits = (
        ("p50", "ms", budget.max_p50_ms, latency and latency.p50_ms.value),
        ("peak RSS", "MB", budget.max_rss_mb, memory and memory.peak_rss_mb.value),
        ("above floor", "MB", budget.max_above_floor_mb, memory and memory.above_floor_mb.value),
        ("disk", "MB", budget.max_disk_mb, disk and disk.mb),
    )
    for name, unit, most, value in limits:
        if most is not None:
            if not isinstance(value, float):
                yield f"{name} not measured"
            elif value > most:
                yield f"{name} {number(value)} {unit}"


@dataclass(frozen=True)
class Recommendation:
    """The best pipelines within a budget.

    macro (Optional[str]): The one with the highest macro F1, if any fits.
    by_language (Dict[str, str]): The one with the highest F1 in each language, if any fits.
    """

    macro: str | None
    by_language: dict[str, str]


def recommend(report: ProfileReport, budget: Budget) -> Recommendation:
    """Name the best pipelines within a budget; of equally good ones the fastest.

    report (ProfileReport): The figures.
    budget (Budget): The most that they may cost.
    RETURNS (Recommendation): The names.
    RAISES (OpticalError): If no pipeline has an F1.
    """
    if not any(found.accuracy for found in report.profiles):
        raise OpticalError(Errors.E618)
    fitting = [found for found in report.profiles if found.accuracy and not excess(found, budget)]

    def best(f1: Callable[[Profile], float]) -> str:
        return max(fitting, key=lambda found: (f1(found), -_p50(found))).name

    if not fitting:
        return Recommendation(None, {})
    return Recommendation(
        macro=best(lambda found: found.macro_f1.value if found.macro_f1 else 0.0),
        by_language={
            code: best(lambda found, code=code: found.accuracy[code].f1.value)  # type: ignore[misc]
            for code in report.languages
        },
    )


def _p50(found: Profile) -> float:
    return found.latency.p50_ms.value if found.latency is not None else float("inf")


def budget_table(report: ProfileReport, budget: Budget) -> Table:
    """Show which pipelines fit a budget, and what is too much of the others.

    report (ProfileReport): The figures.
    budget (Budget): The most that they may cost.
    RETURNS (Table): A row for each pipeline.
    """
    rows = []
    for found in report.profiles:
        over = "; ".join(excess(found, budget))
        macro = score(found.macro_f1) if found.macro_f1 is not None else MISSING
        rows.append((Cell(found.name), macro, Cell(over or "fits")))
    rows.extend((Cell(one.name), MISSING, Cell("does not run")) for one in report.not_run)
    caption = f"Within the budget of {budget_text(budget)}"
    return Table(caption, ("Pipeline", "Macro F1", "Budget"), tuple(rows))


def budget_text(budget: Budget) -> str:
    """Write a budget.

    budget (Budget): The budget.
    RETURNS (str): The text.
    """
    limits = (
        (budget.max_p50_ms, "ms p50"),
        (budget.max_rss_mb, "MB peak RSS"),
        (budget.max_above_floor_mb, "MB above floor"),
        (budget.max_disk_mb, "MB disk"),
    )
    found = [f"{number(most)} {unit}" for most, unit in limits if most is not None]
    return ", ".join(found) or "anything"


def make_budget(
    *, p50: str | None, rss: str | None, above_floor: str | None, disk: str | None
) -> Budget | None:
    """Read a budget from the options of a command.

    p50 (Optional[str]): Such as `5ms`.
    rss (Optional[str]): Such as `60MB`, as the next two.
    above_floor (Optional[str]): As above.
    disk (Optional[str]): As above.
    RETURNS (Optional[Budget]): The budget, or None without a limit.
    RAISES (OpticalError): If one is not an amount of its kind.
    """
    budget = Budget(
        max_p50_ms=parse_amount(p50, "ms"),
        max_rss_mb=parse_amount(rss, "MB"),
        max_above_floor_mb=parse_amount(above_floor, "MB"),
        max_disk_mb=parse_amount(disk, "MB"),
    )
    return None if budget == Budget() else budget


def parse_amount(text: str | None, unit: str) -> float | None:
    """Read an amount such as `5ms`, `0.2s`, `60MB` or `60`.

    text (Optional[str]): The text.
    unit (str): The unit that the result is in, `ms` or `MB`.
    RETURNS (Optional[float]): The amount, or None without a text.
    RAISES (OpticalError): If it is not an amount of this kind.
    """
    if text is None:
        return None
    allowed = ("ms", "s", "") if unit == "ms" else ("MB", "GB", "")
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", text.strip())
    if match is None or match[2] not in allowed:
        example = "5ms" if unit == "ms" else "60MB"
        raise OpticalError(Errors.E613.format(text=text, form=f"NUMBER{unit}", example=example))
    return float(match[1]) * UNITS[match[2]]
