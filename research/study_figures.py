"""Figures of a study: the control, and the effect of each step of compression."""

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from spacy_optical.profiling.cells import number
from spacy_optical.profiling.figures import Figure

from .drawing import draw, error_bars, name_rows, style_of
from .equivalence import Equivalence, equivalences
from .study import StudiedReport
from .study_tables import step_costs

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def study_figures(report: StudiedReport) -> Iterator[Figure]:
    """Draw the figures of a study.

    report (StudiedReport): The figures.
    YIELDS (Figure): The drawings; none without a study.
    """
    study = report.study
    if study is None:
        return
    tests = [
        (f"{pair.with_transport} / {pair.without}", one)
        for pair in study.controls
        for one in equivalences(report, pair)
    ]
    if tests:
        yield draw(
            "control",
            "Control: cost with transport divided by cost without",
            f"1 is equal; the band is the margin of equivalence, {study.margin:.0%}",
            list(dict.fromkeys(name for name, _ in tests)),
            lambda axes: _control(axes, tests, study.margin),
        )
    steps = step_costs(report)
    names = [name for name, *_ in steps] + ["result"]
    if len(steps) > 1:
        for name, title, unit, values in (
            ("steps-ms", "latency of one text", "p50, ms", [costs[0] for *_, costs in steps]),
            ("steps-mb", "peak memory", "Peak RSS, MB", [costs[1] for *_, costs in steps]),
        ):
            yield draw(
                name,
                f"Effect of each step of compression: {title}",
                "each bar is the change by one step; the last is the result",
                [profile.name for _, profile, _ in steps],
                lambda axes, unit=unit, values=values: _waterfall(axes, names, values, unit),  # type: ignore[misc]
            )


def _control(axes: "Axes", tests: Sequence[tuple[str, Equivalence]], margin: float) -> None:
    several = len({name for name, _ in tests}) > 1
    axes.axvspan(1 / (1 + margin), 1 + margin, color="black", alpha=0.1, linewidth=0)
    axes.axvline(1, color="black", linewidth=1, linestyle=":")
    for at, (_, one) in enumerate(tests):
        axes.errorbar(
            one.ratio.value,
            at,
            xerr=error_bars(one.ratio),
            linewidth=1.5,
            markersize=8,
            **style_of(0 if one.shown else 1),
        )
    name_rows(axes, [f"{name}: {one.metric}" if several else one.metric for name, one in tests])
    axes.set_xlabel("Ratio with its 95 % interval")


def _waterfall(axes: "Axes", names: Sequence[str], values: Sequence[float], unit: str) -> None:
    axes.barh(0, values[0], 0.6, color=style_of(7)["color"])
    for at, (before, after) in enumerate(itertools.pairwise(values), 1):
        # Steps that increase the cost have another colour.
        colour = style_of(2 if after <= before else 1)["color"]
        axes.barh(at, after - before, 0.6, left=before, color=colour)
    axes.barh(len(values), values[-1], 0.6, color=style_of(0)["color"])
    for at, value in enumerate(values):
        axes.plot([value, value], [at - 0.3, at + 1.3], color="black", linewidth=0.8)
    texts = [
        values[0],
        *(after - before for before, after in itertools.pairwise(values)),
        values[-1],
    ]
    ends = [values[0], *(max(pair) for pair in itertools.pairwise(values)), values[-1]]
    for at, (end, text) in enumerate(zip(ends, texts, strict=True)):
        sign = "−" if text < 0 else "+" if 0 < at < len(values) else ""
        axes.annotate(
            f"{sign}{number(abs(text))}",
            (end, at),
            xytext=(4, 0),
            textcoords="offset points",
            verticalalignment="center",
            fontsize=10,
        )
    axes.set_xlim(0, max(values) * 1.18)
    name_rows(axes, names)
    axes.set_xlabel(unit)
