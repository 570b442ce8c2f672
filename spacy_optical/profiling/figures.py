"""The figures of a report."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from .drawing import (
    INK,
    Figure,
    add_legend,
    draw,
    drawing_style,
    few_ticks,
    name_rows,
    plain_ticks,
    reach,
    style_of,
)
from .schema import Profile, ProfileReport
from .tables import length_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_figures(report: ProfileReport) -> list[Figure]:
    """Draw what there are figures for.

    report (ProfileReport): The figures.
    RETURNS (List[Figure]): The drawings.
    RAISES (MissingDependency): If matplotlib is not installed.
    """
    with drawing_style():
        return list(_figures(report))


def _figures(report: ProfileReport) -> Iterator[Figure]:
    profiles = report.profiles
    timed = [found for found in profiles if found.latency is not None]
    weighed = [found for found in profiles if found.memory is not None]
    if report.languages and any(found.accuracy for found in profiles):
        yield draw(
            "f1-languages",
            "F1 by language",
            "a group of bars a language"
            + ("" if report.baseline is None else f", {report.baseline.name} as a line over it"),
            [found.name for found in profiles],
            lambda axes: _f1_by_language(axes, profiles, report.languages, report.baseline),
        )
    if timed:
        yield draw(
            "latency",
            "Latency of one text",
            "from p50 (mark) to p99 (end of the line)",
            [found.name for found in timed],
            lambda axes: _latency(axes, timed),
        )
        yield draw(
            "latency-length",
            "Latency by the length of the text",
            "median of each class of lengths",
            [found.name for found in timed],
            lambda axes: _by_length(axes, timed),
        )
    if any(found.throughput for found in profiles):
        yield draw(
            "throughput",
            "Words a second",
            "by batch size where there are several; thin lines are intervals",
            [found.name for found in profiles],
            lambda axes: _throughput(axes, profiles),
        )
    if weighed:
        yield draw(
            "memory",
            "Peak memory of a fresh process",
            "the dotted line is the import of spaCy, ONNX Runtime and tokenizers alone",
            [found.name for found in weighed],
            lambda axes: _memory(axes, weighed, report),
        )


def _f1_by_language(
    axes: "Axes",
    profiles: Sequence[Profile],
    languages: Sequence[str],
    baseline: Profile | None,
) -> None:
    """Bars by language, and the baseline as a line above each group."""
    rows = [(at, found) for at, found in enumerate(profiles) if found is not baseline]
    step = 0.8 / max(len(rows), 1)
    for column, (at, found) in enumerate(rows):
        for place, code in enumerate(languages):
            if code in found.accuracy:
                f1 = found.accuracy[code].f1
                across = place + (column - (len(rows) - 1) / 2) * step
                axes.bar(
                    across,
                    f1.value * 100,
                    step * 0.9,
                    color=style_of(at)["color"],
                    label=found.name if place == 0 else None,
                )
                axes.errorbar(across, f1.value * 100, yerr=reach(f1, 100), color=INK, linewidth=0.8)
    for place, code in enumerate(languages):
        if baseline is not None and code in baseline.accuracy:
            level = baseline.accuracy[code].f1.value * 100
            label = baseline.name if place == 0 else None
            axes.plot([place - 0.45, place + 0.45], [level, level], color=INK, label=label)
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
