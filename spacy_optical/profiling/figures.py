"""The figures of a report."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..compat import require
from .drawing import (
    INK,
    STYLE,
    Figure,
    add_legend,
    draw,
    few_ticks,
    name_rows,
    plain_ticks,
    reach,
    style_of,
)
from .schema import Estimate, Profile, ProfileReport
from .tables import length_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_figures(report: ProfileReport) -> list[Figure]:
    """Draw what there are figures for.

    report (ProfileReport): The figures.
    RETURNS (List[Figure]): The drawings.
    RAISES (MissingDependency): If matplotlib is not installed.
    """
    matplotlib = require("matplotlib", extra="profile")
    # Figures are made without pyplot, so no window system is asked for.
    require("matplotlib.figure", extra="profile")
    with matplotlib.rc_context(STYLE):
        return list(_figures(report))


def _figures(report: ProfileReport) -> Iterator[Figure]:
    profiles = report.profiles
    timed = [found for found in profiles if found.latency is not None]
    judged = [found for found in timed if found.macro_f1 is not None]
    weighed = [found for found in profiles if found.memory is not None]
    if judged:
        yield draw(
            "frontier-p50",
            "Macro F1 against latency",
            "up and to the left is better",
            judged,
            lambda axes: _scatter(
                axes,
                judged,
                lambda found: found.latency.p50_ms,
                "p50 of one text, ms",
                logarithmic=True,
            ),
        )
        yield draw(
            "frontier-rss",
            "Macro F1 against memory",
            "up and to the left is better",
            judged,
            lambda axes: _scatter(
                axes,
                judged,
                lambda found: found.memory.peak_rss_mb,
                "Peak RSS, MB",
                logarithmic=False,
            ),
        )
    if report.languages and any(found.accuracy for found in profiles):
        yield draw(
            "f1-languages",
            "F1 by language",
            "one group of marks a language, one mark a pipeline",
            profiles,
            lambda axes: _f1_by_language(axes, profiles, report.languages),
        )
    if timed:
        yield draw(
            "latency",
            "Latency of one text",
            "from p50 (mark) to p99 (end of the line)",
            timed,
            lambda axes: _latency(axes, timed),
        )
        yield draw(
            "latency-length",
            "Latency by the length of the text",
            "median of each class of lengths",
            timed,
            lambda axes: _by_length(axes, timed),
        )
    if any(found.throughput for found in profiles):
        yield draw(
            "throughput",
            "Words a second",
            "by batch size where there are several; thin lines are intervals",
            profiles,
            lambda axes: _throughput(axes, profiles),
        )
    if weighed:
        yield draw(
            "memory",
            "Peak memory of a fresh process",
            "the dotted line is the import of spaCy, ONNX Runtime and tokenizers alone",
            weighed,
            lambda axes: _memory(axes, weighed, report),
        )


def _scatter(
    axes: "Axes",
    profiles: Sequence[Profile],
    cost: Callable[[Any], Estimate],
    label: str,
    *,
    logarithmic: bool,
) -> None:
    points = []
    for at, found in enumerate(profiles):
        across, up = cost(found), found.macro_f1
        if up is not None:
            axes.errorbar(
                across.value,
                up.value * 100,
                xerr=reach(across),
                yerr=reach(up, 100),
                label=found.name,
                linewidth=1,
                markersize=8,
                **style_of(at),
            )
            points.append((across.value, up.value * 100))
    best: list[tuple[float, float]] = []
    for point in sorted(points, key=lambda point: (point[0], -point[1])):
        if not best or point[1] > best[-1][1]:
            best.append(point)
    if len(best) > 1:
        # A step: between two pipelines the cheaper one is what can be had.
        axes.step(*zip(*best, strict=True), where="post", color=INK, linewidth=1, alpha=0.5)
    if logarithmic:
        axes.set_xscale("log")
        plain_ticks(axes.xaxis)
    axes.set_xlabel(label)
    axes.set_ylabel("Macro F1, %")
    add_legend(axes)


def _f1_by_language(axes: "Axes", profiles: Sequence[Profile], languages: Sequence[str]) -> None:
    step = 0.7 / max(len(profiles), 1)
    for at, found in enumerate(profiles):
        for place, code in enumerate(languages):
            if code in found.accuracy:
                f1 = found.accuracy[code].f1
                axes.errorbar(
                    place + (at - (len(profiles) - 1) / 2) * step,
                    f1.value * 100,
                    yerr=reach(f1, 100),
                    linestyle="none",
                    linewidth=1,
                    label=found.name if place == 0 else None,
                    **style_of(at),
                )
    axes.set_xticks(range(len(languages)), languages)
    axes.set_ylabel("F1, %")
    axes.set_ylim(0, 100)
    axes.grid(False, axis="x")
    add_legend(axes)


def _latency(axes: "Axes", profiles: Sequence[Profile]) -> None:
    for at, found in enumerate(profiles):
        if found.latency is not None:
            latency, style = found.latency, style_of(at)
            row = [at] * 4
            percentiles = [latency.p50_ms, latency.p90_ms, latency.p95_ms, latency.p99_ms]
            values = [one.value for one in percentiles]
            axes.plot(values, row, color=style["color"], linewidth=2)
            axes.plot(values[1:], row[1:], "|", color=style["color"], markersize=12)
            axes.plot(values[:1], row[:1], markersize=9, **style)
    name_rows(axes, [found.name for found in profiles])
    axes.set_xscale("log")
    plain_ticks(axes.xaxis)
    axes.set_xlabel("ms: p50, p90, p95, p99")


def _by_length(axes: "Axes", profiles: Sequence[Profile]) -> None:
    classes = sorted(
        {
            (one.words_from, one.words_to or 10**9)
            for found in profiles
            if found.latency is not None
            for one in found.latency.by_length
        }
    )
    places = {first: at for at, (first, _) in enumerate(classes)}
    for at, found in enumerate(profiles):
        if found.latency is not None:
            rows = found.latency.by_length
            axes.plot(
                [places[one.words_from] for one in rows],
                [one.p50_ms.value for one in rows],
                label=found.name,
                linewidth=1.5,
                **style_of(at),
            )
    names = [length_name(first, None if last == 10**9 else last) for first, last in classes]
    axes.set_xticks(range(len(names)), names)
    axes.set_yscale("log")
    plain_ticks(axes.yaxis)
    axes.set_xlabel("Words of the text")
    axes.set_ylabel("p50, ms")
    add_legend(axes)


def _throughput(axes: "Axes", profiles: Sequence[Profile]) -> None:
    several = len({one.batch_size for found in profiles for one in found.throughput}) > 1
    names: list[str] = []
    for at, found in enumerate(profiles):
        for one in found.throughput:
            rate, row = one.words_per_second, len(names)
            axes.barh(row, rate.value, 0.7, color=style_of(at)["color"])
            axes.errorbar(rate.value, row, xerr=reach(rate), color=INK, linewidth=1)
            names.append(f"{found.name}, {one.batch_size}" if several else found.name)
    name_rows(axes, names)
    axes.set_xlabel("words/s")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.xaxis.set_major_locator(few_ticks())


def _memory(axes: "Axes", profiles: Sequence[Profile], report: ProfileReport) -> None:
    for at, found in enumerate(profiles):
        if found.memory is not None:
            peak = found.memory.peak_rss_mb
            axes.barh(at, peak.value, 0.6, color=style_of(at)["color"])
            axes.errorbar(peak.value, at, xerr=reach(peak), color=INK, linewidth=1)
    if report.floor is not None:
        axes.axvline(report.floor.peak_rss_mb.value, color=INK, linestyle=":", linewidth=1.5)
    name_rows(axes, [found.name for found in profiles])
    axes.set_xlabel("Peak RSS, MB")
