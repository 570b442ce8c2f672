"""The figures of a study as tables of text."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from spacy_optical.profiling.cells import MISSING, Cell, Table, cell, number, score
from spacy_optical.profiling.schema import Profile

from .equivalence import Equivalence, equivalences
from .study import StudiedReport, arm_points, gain_of


def study_tables(report: StudiedReport) -> list[Table]:
    """Give all tables of a study that have a row.

    report (StudiedReport): The figures.
    RETURNS (List[Table]): Gains, controls, arms, steps; nothing without a study.
    """
    found = [gain_table(report), control_table(report), arm_table(report), step_table(report)]
    return [table for table in found if table.rows]


def gain_table(report: StudiedReport) -> Table:
    """What transport brought in F1, by language."""
    codes = report.languages
    rows = []
    for pair in report.study.controls if report.study is not None else []:
        gain = gain_of(report, pair)
        if gain is not None:
            values = [gain.by_language.get(code) for code in codes]
            rows.append(
                (
                    Cell(f"{pair.with_transport} − {pair.without}"),
                    *(score(value) if value is not None else MISSING for value in values),
                    score(gain.macro),
                )
            )
    caption = "F1 with optimal transport minus F1 without, in points"
    return Table(caption, ("Pipelines", *codes, "Macro"), tuple(rows))


def control_table(report: StudiedReport) -> Table:
    """Whether two pipelines of one graph cost the same."""
    rows = []
    for pair in report.study.controls if report.study is not None else []:
        for one in equivalences(report, pair):
            rows.append(
                (
                    Cell(f"{pair.with_transport} / {pair.without}, {one.metric}"),
                    cell(one.ratio),
                    Cell(p_text(one.p)),
                    Cell(verdict(one)),
                )
            )
    margin = report.study.margin if report.study is not None else 0
    caption = (
        "The control: cost with optimal transport divided by cost without, at one graph; two "
        f"one-sided t tests on paired samples, margin {margin:.0%}"
    )
    return Table(caption, ("Pipelines, cost", "Ratio", "p", "Equivalent"), tuple(rows))


def p_text(p: float) -> str:
    """Write a p value.

    p (float): The value; NaN where there was nothing to test.
    RETURNS (str): The text.
    """
    if math.isnan(p):
        return MISSING.text
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def verdict(found: Equivalence) -> str:
    """Say what a test of equivalence showed.

    found (Equivalence): The test.
    RETURNS (str): The text; a test that fails shows nothing, in particular no difference.
    """
    if math.isnan(found.p):
        return "one sample only"
    return "yes" if found.shown else "not shown"


def arm_table(report: StudiedReport) -> Table:
    """The arms of a study by F1 and cost."""
    codes = report.languages
    by_language = {code: arm_points(report, code) for code in codes}
    rows = []
    for point in arm_points(report):
        others = {
            code: next((one.f1 for one in points if one.names == point.names), None)
            for code, points in by_language.items()
        }
        rows.append(
            (
                Cell(f"{point.arm}; {point.size}" if point.size else point.arm),
                Cell(str(len(point.names))),
                *(score(others[code]) for code in codes),
                score(point.f1),
                Cell(number(point.p50_ms)),
                Cell(number(point.rss_mb)),
                Cell(number(point.disk_mb)),
            )
        )
    header = ("Arm", "Students", *codes, "Macro F1", "p50 ms", "Peak RSS MB", "Disk MB")
    caption = (
        "Arms: F1 in percent (small figures: over sentences, or from the worst seed to the best "
        "where there are several) and cost"
    )
    return Table(caption, header, tuple(rows))


@dataclass(frozen=True)
class StepCost:
    """What a pipeline costs after a step of compression."""

    name: str
    pipeline: str
    p50_ms: float
    rss_mb: float
    disk_mb: float
    found: Profile


def step_costs(report: StudiedReport) -> list[StepCost]:
    """Give the costs after each step of compression.

    report (StudiedReport): The figures.
    RETURNS (List[StepCost]): In the order of the study; what was not measured is left out.
    """
    return list(_step_costs(report))


def _step_costs(report: StudiedReport) -> Iterator[StepCost]:
    rows = {found.name: found for found in report.profiles}
    for step in report.study.steps if report.study is not None else []:
        found = rows.get(step.pipeline)
        if found is not None and found.latency and found.memory and found.disk:
            yield StepCost(
                name=step.name,
                pipeline=step.pipeline,
                p50_ms=found.latency.p50_ms.value,
                rss_mb=found.memory.peak_rss_mb.value,
                disk_mb=found.disk.mb,
                found=found,
            )


def step_table(report: StudiedReport) -> Table:
    """What each step of compression bought."""
    rows = []
    before: StepCost | None = None
    for step in step_costs(report):
        cells = []
        for name in ("p50_ms", "rss_mb", "disk_mb"):
            now = getattr(step, name)
            was = None if before is None else getattr(before, name)
            cells.append(Cell(number(now), "" if was is None else f"{_signed(now - was)}"))
        rows.append(
            (
                Cell(f"{step.name} ({step.pipeline})"),
                *cells,
                score(step.found.macro_f1),
            )
        )
        before = step
    header = ("After the step", "p50 ms", "Peak RSS MB", "Disk MB", "Macro F1")
    caption = "What each step of compression bought; small figures are the change by the step"
    return Table(caption, header, tuple(rows))


def _signed(value: float) -> str:
    return f"{'−' if value < 0 else '+'}{number(abs(value))}"
