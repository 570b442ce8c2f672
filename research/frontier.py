"""The frontier: F1 against cost, for arms of a study as lines and for other pipelines as points."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spacy_optical.profiling.figures import Figure
from spacy_optical.profiling.schema import Estimate

from .drawing import draw, error_bars, log_axis, style_of
from .study import StudiedReport, arm_points

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BETTER = "up and to the left is better"


@dataclass(frozen=True)
class Place:
    """F1 and cost of a student or a pipeline."""

    f1: Estimate
    p50_ms: Estimate
    rss_mb: Estimate
    disk_mb: Estimate


@dataclass(frozen=True)
class Series:
    """The students of an arm, or one pipeline."""

    label: str
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Axis:
    """A cost to draw F1 against."""

    name: str
    title: str
    label: str
    cost: Callable[[Place], Estimate]


AXES = (
    Axis("p50", "latency", "p50 of one text, ms", lambda place: place.p50_ms),
    Axis("rss", "memory", "Peak RSS, MB", lambda place: place.rss_mb),
    Axis("disk", "size on disk", "Files, MB", lambda place: place.disk_mb),
)


def frontier_figures(report: StudiedReport) -> Iterator[Figure]:
    """Draw F1 against latency, memory and size, macro and by language.

    report (StudiedReport): The figures.
    YIELDS (Figure): The drawings; none without F1 and costs.
    """
    series = frontier_series(report)
    if not series:
        return
    names = [one.label for one in series]
    for axis in AXES:
        yield draw(
            f"frontier-{axis.name}",
            f"Macro F1 against {axis.title}",
            f"{BETTER}; the grey steps are the best F1 at each cost",
            names,
            lambda axes, axis=axis: _single(axes, series, axis),  # type: ignore[misc]
        )
    by_language = {code: frontier_series(report, code) for code in report.languages}
    by_language = {code: points for code, points in by_language.items() if points}
    if len(by_language) < 2:
        return
    for axis in AXES:
        yield draw(
            f"frontier-{axis.name}-languages",
            f"F1 against {axis.title}, by language",
            f"one panel per language, {axis.label} against F1 in percent; {BETTER}",
            names,
            {
                code: lambda axes, points=points, axis=axis: _scatter(  # type: ignore[misc]
                    axes, points, axis, names, marked=5
                )
                for code, points in by_language.items()
            },
        )


def frontier_series(report: StudiedReport, language: str | None = None) -> list[Series]:
    """Get F1 and costs of all arms and pipelines.

    report (StudiedReport): The figures.
    language (Optional[str]): The language of the F1. Defaults to macro F1.
    RETURNS (List[Series]): The arms of the study, then the other pipelines.
    """
    arms: dict[str, list[Place]] = {}
    for point in arm_points(report, language):
        costs = map(Estimate.certain, (point.p50_ms, point.rss_mb, point.disk_mb))
        arms.setdefault(point.arm, []).append(Place(point.f1, *costs))
    members = {one.name for one in report.study.students} if report.study is not None else set()
    series = [Series(arm, tuple(places)) for arm, places in arms.items()]
    for profile in report.profiles:
        f1 = profile.macro_f1
        if language is not None:
            f1 = profile.accuracy[language].f1 if language in profile.accuracy else None
        if profile.name in members or not (
            f1 and profile.latency and profile.memory and profile.disk
        ):
            continue
        disk = Estimate.certain(profile.disk.mb)
        place = Place(f1, profile.latency.p50_ms, profile.memory.peak_rss_mb, disk)
        series.append(Series(profile.name, (place,)))
    return series


def best_steps(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Get the points with the best F1 at their cost.

    points (Sequence[Tuple[float, float]]): Cost and F1.
    RETURNS (List[Tuple[float, float]]): The points whose F1 is higher than that of all points with
        the same or a lower cost, the cheapest first.
    """
    best: list[tuple[float, float]] = []
    for point in sorted(points, key=lambda point: (point[0], -point[1])):
        if not best or point[1] > best[-1][1]:
            best.append(point)
    return best


def _single(axes: "Axes", series: Sequence[Series], axis: Axis) -> None:
    _scatter(axes, series, axis, [one.label for one in series], marked=8)
    axes.set_xlabel(axis.label)
    axes.set_ylabel("Macro F1, %")


def _scatter(
    axes: "Axes", series: Sequence[Series], axis: Axis, names: Sequence[str], *, marked: float
) -> None:
    points: list[tuple[float, float]] = []
    for one in series:
        xs = [axis.cost(place) for place in one.places]
        ys = [place.f1 for place in one.places]
        style = style_of(names.index(one.label))
        across, up = [x.value for x in xs], [y.value * 100 for y in ys]
        axes.plot(across, up, label=one.label, linewidth=1.5, markersize=marked, **style)
        for x, y in zip(xs, ys, strict=True):
            axes.errorbar(
                x.value,
                y.value * 100,
                xerr=error_bars(x),
                yerr=error_bars(y, 100),
                linewidth=1,
                color=style["color"],
            )
        points.extend(zip(across, up, strict=True))
    best = best_steps(points)
    if len(best) > 1:
        # Between two points, the best available F1 is that of the cheaper one.
        axes.step(*zip(*best, strict=True), where="post", color="black", linewidth=1, alpha=0.5)
    # The cost of teachers is ten times that of students.
    log_axis(axes, "x")
