"""Choosing a pipeline for a device: the best F1 within a budget."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..errors import Errors, OpticalError
from .cells import MISSING, Cell, Table, number, score
from .schema import Profile, ProfileReport

UNITS = {"ms": 1.0, "s": 1000.0, "MB": 1.0, "GB": 1000.0, "": 1.0}


@dataclass(frozen=True)
class Budget:
    """The most that a pipeline may cost; None where anything goes.

    max_p50_ms (Optional[float]): Median latency of one text, ms.
    max_rss_mb (Optional[float]): Peak memory of the process, MB.
    max_above_floor_mb (Optional[float]): The same above importing the libraries, MB.
    max_disk_mb (Optional[float]): Size of the files, MB.
    """

    max_p50_ms: float | None = None
    max_rss_mb: float | None = None
    max_above_floor_mb: float | None = None
    max_disk_mb: float | None = None

    def excess(self, found: Profile) -> list[str]:
        """Say where a pipeline is over the budget, or was not measured.

        found (Profile): The pipeline.
        RETURNS (List[str]): Nothing if it fits.
        """
        return list(self._excess(found))

    def _excess(self, found: Profile) -> Iterator[str]:
        latency, memory, disk = found.latency, found.memory, found.disk
        limits = (
            ("p50", "ms", self.max_p50_ms, latency and latency.p50_ms.value),
            ("peak RSS", "MB", self.max_rss_mb, memory and memory.peak_rss_mb.value),
            ("above floor", "MB", self.max_above_floor_mb, memory and memory.above_floor_mb.value),
            ("disk", "MB", self.max_disk_mb, disk and disk.mb),
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
    fitting = [found for found in report.profiles if found.accuracy and not budget.excess(found)]

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
        excess = budget.excess(found)
        macro = score(found.macro_f1) if found.macro_f1 is not None else MISSING
        rows.append((Cell(found.name), macro, Cell("; ".join(excess) or "fits")))
    return Table("Within the budget", ("Pipeline", "Macro F1", "Budget"), tuple(rows))


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
