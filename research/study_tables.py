"""The figures of a study as tables of text."""

import math
from collections.abc import Sequence

from pandas import DataFrame

from spacy_optical.profiling.cells import MISSING, estimate_cell, number
from spacy_optical.profiling.schema import Profile
from spacy_optical.profiling.tables import make_table

from .equivalence import Equivalence, equivalences
from .study import StudiedReport, arm_points, gain_of

# The costs of a step of compression.
STEP_COSTS = ("p50 ms", "Peak RSS MB", "Disk MB")


def study_tables(report: StudiedReport) -> list[DataFrame]:
    """Make the tables of a study that have a row.

    report (StudiedReport): The figures.
    RETURNS (List[DataFrame]): Gains, controls, arms and steps; empty without a study.
    """
    tables = [gain_table(report), control_table(report), arm_table(report), step_table(report)]
    return [table for table in tables if len(table)]


def gain_table(report: StudiedReport) -> DataFrame:
    """The difference in F1 with and without transport, by language."""
    codes = report.languages
    gains = [(pair, gain_of(report, pair)) for pair in report.controls]
    rows = [
        [
            f"{pair.with_transport} − {pair.without}",
            *(estimate_cell(gain.by_language.get(code), "share") for code in codes),
            estimate_cell(gain.macro, "share"),
        ]
        for pair, gain in gains
        if gain is not None
    ]
    caption = "F1 with optimal transport minus F1 without, in points"
    return make_table(caption, ("Pipelines", *codes, "Macro"), rows)


def control_table(report: StudiedReport) -> DataFrame:
    """Whether two pipelines with the same graph have the same cost."""
    rows = [
        [
            f"{pair.with_transport} / {pair.without}, {one.metric}",
            estimate_cell(one.ratio),
            p_text(one.p),
            verdict(one),
        ]
        for pair in report.controls
        for one in equivalences(report, pair)
    ]
    margin = report.study.margin if report.study is not None else 0
    caption = (
        "The control: cost with optimal transport divided by cost without, with the same graph; "
        f"two one-sided t tests on paired samples, margin {margin:.0%}"
    )
    return make_table(caption, ("Pipelines, cost", "Ratio", "p", "Equivalent"), rows)


def p_text(p: float) -> str:
    """Write a p value.

    p (float): The value; NaN if there is only one sample.
    RETURNS (str): The text.
    """
    return MISSING if math.isnan(p) else "< 0.001" if p < 0.001 else f"{p:.3f}"


def verdict(test: Equivalence) -> str:
    """Give the result of a test of equivalence.

    test (Equivalence): The test.
    RETURNS (str): The text. A test that is not significant does not show a difference.
    """
    return "one sample only" if math.isnan(test.p) else "yes" if test.shown else "not shown"


def arm_table(report: StudiedReport) -> DataFrame:
    """The arms of a study by F1 and cost."""
    codes = report.languages
    f1 = {(code, p.names): p.f1 for code in codes for p in arm_points(report, code)}
    rows = [
        [
            f"{point.arm}; {point.size}" if point.size else point.arm,
            str(len(point.names)),
            *(estimate_cell(f1.get((code, point.names)), "share") for code in codes),
            estimate_cell(point.f1, "share"),
            *map(number, (point.p50_ms, point.rss_mb, point.disk_mb)),
        ]
        for point in arm_points(report)
    ]
    header = ("Arm", "Students", *codes, "Macro F1", *STEP_COSTS)
    caption = (
        "Arms: F1 in percent (brackets: over sentences, or from the worst seed to the best if "
        "there are several) and cost"
    )
    return make_table(caption, header, rows)


def step_costs(report: StudiedReport) -> list[tuple[str, Profile, Sequence[float]]]:
    """Get the costs after each step of compression.

    report (StudiedReport): The figures.
    RETURNS (List[Tuple[str, Profile, Sequence[float]]]): The step, its pipeline and the costs, in
        the order of `STEP_COSTS`; steps that were not measured are left out.
    """
    rows = {profile.name: profile for profile in report.profiles}
    steps = (
        [(step.name, rows.get(step.pipeline)) for step in report.study.steps]
        if report.study
        else []
    )
    return [
        (name, one, (one.latency.p50_ms.value, one.memory.peak_rss_mb.value, one.disk.mb))
        for name, one in steps
        if one is not None and one.latency and one.memory and one.disk
    ]


def step_table(report: StudiedReport) -> DataFrame:
    """The costs and F1 after each step of compression, with the changes."""
    rows = []
    before: Sequence[float] | None = None
    for name, profile, costs in step_costs(report):
        changes = [
            f" [{_signed(now - was)}]" for now, was in zip(costs, before or (), strict=False)
        ]
        cells = [
            number(cost) + change for cost, change in zip(costs, changes or [""] * 3, strict=True)
        ]
        rows.append([f"{name} ({profile.name})", *cells, estimate_cell(profile.macro_f1, "share")])
        before = costs
    caption = "Effect of each step of compression; brackets of costs are the change by the step"
    return make_table(caption, ("After the step", *STEP_COSTS, "Macro F1"), rows)


def _signed(value: float) -> str:
    return f"{'−' if value < 0 else '+'}{number(abs(value))}"
