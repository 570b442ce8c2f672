"""Figures of a report, as SVG that takes the colours of the page around it, and as PNG."""

import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..compat import require
from .schema import Estimate, Profile, ProfileReport
from .tables import length_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

# Drawn where the text's own colour belongs; no line of data has it.
INK = "#010203"
# Told apart on white and on black, and with the usual kinds of colour blindness (after Okabe, Ito).
COLOURS = ("#3b87c8", "#e0861f", "#2a9d77", "#cc6699", "#8f7ad6", "#a3912b", "#38a3b8", "#8a8a8a")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "spacy_optical",
    "font.family": "sans-serif",
    "font.size": 11,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#888888",
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}
NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))


@dataclass(frozen=True)
class Figure:
    """A drawn figure.

    name (str): Its file name without an ending, and its place in the page.
    title (str): What it shows.
    text (str): The same in words, for those who do not see it.
    svg (str): The drawing as an SVG element.
    png (bytes): The drawing on white.
    """

    name: str
    title: str
    text: str
    svg: str
    png: bytes


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
        yield _draw(
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
        yield _draw(
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
        yield _draw(
            "f1-languages",
            "F1 by language",
            "one group of marks a language, one mark a pipeline",
            profiles,
            lambda axes: _f1_by_language(axes, profiles, report.languages),
        )
    if timed:
        yield _draw(
            "latency",
            "Latency of one text",
            "from p50 (mark) to p99 (end of the line)",
            timed,
            lambda axes: _latency(axes, timed),
        )
        yield _draw(
            "latency-length",
            "Latency by the length of the text",
            "median of each class of lengths",
            timed,
            lambda axes: _by_length(axes, timed),
        )
    if any(found.throughput for found in profiles):
        yield _draw(
            "throughput",
            "Words a second",
            "by batch size where there are several; thin lines are intervals",
            profiles,
            lambda axes: _throughput(axes, profiles),
        )
    if weighed:
        yield _draw(
            "memory",
            "Peak memory of a fresh process",
            "the dotted line is the import of spaCy, ONNX Runtime and tokenizers alone",
            weighed,
            lambda axes: _memory(axes, weighed, report),
        )


def _draw(
    name: str,
    title: str,
    text: str,
    profiles: Sequence[Profile],
    draw: "Callable[[Axes], None]",
) -> Figure:
    from matplotlib.figure import Figure as Drawing

    drawing = Drawing(figsize=(5.4, 4.0))
    draw(drawing.subplots())
    names = ", ".join(found.name for found in profiles)
    return Figure(name, title, f"{title}: {names}; {text}.", _svg(drawing, name), _png(drawing))


def _svg(drawing: "Drawing", name: str) -> str:
    """The drawing as an element of a page: own ids, no style for others, no fixed size."""
    out = io.StringIO()
    drawing.savefig(out, format="svg", transparent=True, metadata=NO_METADATA)
    text = out.getvalue()
    text = text[text.index("<svg") :].strip()
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", text, flags=re.DOTALL)
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'href="#', f'href="#{name}-', text)
    text = text.replace("url(#", f"url(#{name}-").replace(INK, "currentColor")
    text = re.sub(r'<svg ([^>]*?)(?:width|height)="[^"]*pt"', r"<svg \1", text)
    text = re.sub(r'<svg ([^>]*?)(?:width|height)="[^"]*pt"', r"<svg \1", text)
    return re.sub(r"font: ([\d.]+)px [^;\"]*", r"font: \1px system-ui, sans-serif", text)


def _png(drawing: "Drawing") -> bytes:
    out = io.BytesIO()
    drawing.savefig(out, format="png", dpi=150, facecolor="white")
    return out.getvalue()


def _style(at: int) -> dict[str, Any]:
    return {"color": COLOURS[at % len(COLOURS)], "marker": MARKERS[at % len(MARKERS)]}


def _reach(value: Estimate, scale: float = 1.0) -> list[list[float]]:
    """Lengths of the two sides of an error bar."""
    return [
        [max(value.value - value.low, 0) * scale],
        [max(value.high - value.value, 0) * scale],
    ]


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
                xerr=_reach(across),
                yerr=_reach(up, 100),
                label=found.name,
                linewidth=1,
                markersize=8,
                **_style(at),
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
        _plain_ticks(axes.xaxis)
    axes.set_xlabel(label)
    axes.set_ylabel("Macro F1, %")
    _legend(axes)


def _f1_by_language(axes: "Axes", profiles: Sequence[Profile], languages: Sequence[str]) -> None:
    step = 0.7 / max(len(profiles), 1)
    for at, found in enumerate(profiles):
        for place, code in enumerate(languages):
            if code in found.accuracy:
                f1 = found.accuracy[code].f1
                axes.errorbar(
                    place + (at - (len(profiles) - 1) / 2) * step,
                    f1.value * 100,
                    yerr=_reach(f1, 100),
                    linestyle="none",
                    linewidth=1,
                    label=found.name if place == 0 else None,
                    **_style(at),
                )
    axes.set_xticks(range(len(languages)), languages)
    axes.set_ylabel("F1, %")
    axes.set_ylim(0, 100)
    axes.grid(False, axis="x")
    _legend(axes)


def _latency(axes: "Axes", profiles: Sequence[Profile]) -> None:
    for at, found in enumerate(profiles):
        if found.latency is not None:
            latency, style = found.latency, _style(at)
            row = [at] * 4
            percentiles = [latency.p50_ms, latency.p90_ms, latency.p95_ms, latency.p99_ms]
            values = [one.value for one in percentiles]
            axes.plot(values, row, color=style["color"], linewidth=2)
            axes.plot(values[1:], row[1:], "|", color=style["color"], markersize=12)
            axes.plot(values[:1], row[:1], markersize=9, **style)
    _rows(axes, [found.name for found in profiles])
    axes.set_xscale("log")
    _plain_ticks(axes.xaxis)
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
                **_style(at),
            )
    names = [length_name(first, None if last == 10**9 else last) for first, last in classes]
    axes.set_xticks(range(len(names)), names)
    axes.set_yscale("log")
    _plain_ticks(axes.yaxis)
    axes.set_xlabel("Words of the text")
    axes.set_ylabel("p50, ms")
    _legend(axes)


def _throughput(axes: "Axes", profiles: Sequence[Profile]) -> None:
    several = len({one.batch_size for found in profiles for one in found.throughput}) > 1
    names: list[str] = []
    for at, found in enumerate(profiles):
        for one in found.throughput:
            rate, row = one.words_per_second, len(names)
            axes.barh(row, rate.value, 0.7, color=_style(at)["color"])
            axes.errorbar(rate.value, row, xerr=_reach(rate), color=INK, linewidth=1)
            names.append(f"{found.name}, {one.batch_size}" if several else found.name)
    _rows(axes, names)
    axes.set_xlabel("words/s")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.xaxis.set_major_locator(_few_ticks())


def _memory(axes: "Axes", profiles: Sequence[Profile], report: ProfileReport) -> None:
    for at, found in enumerate(profiles):
        if found.memory is not None:
            peak = found.memory.peak_rss_mb
            axes.barh(at, peak.value, 0.6, color=_style(at)["color"])
            axes.errorbar(peak.value, at, xerr=_reach(peak), color=INK, linewidth=1)
    if report.floor is not None:
        axes.axvline(report.floor.peak_rss_mb.value, color=INK, linestyle=":", linewidth=1.5)
    _rows(axes, [found.name for found in profiles])
    axes.set_xlabel("Peak RSS, MB")


def _rows(axes: "Axes", names: Sequence[str]) -> None:
    """One row a name, the first on top."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(False, axis="y")


def _plain_ticks(axis: Any) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def _few_ticks() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(5)


def _legend(axes: "Axes") -> None:
    drawing = axes.get_figure()
    if drawing is not None:
        drawing.legend(loc="outside lower center", ncols=3, fontsize=10, columnspacing=1.2)
