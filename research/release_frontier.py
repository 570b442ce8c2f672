"""The frontier of the released models: mean F1 against speed, latency, memory and size."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from wasabi import MarkdownRenderer

from spacy_optical.errors import Errors, OpticalError
from spacy_optical.export.pipeline_meta import performance_of
from spacy_optical.profiling.figures import Figure
from spacy_optical.profiling.metrics_file import read_metrics
from spacy_optical.profiling.schema import Profile

from .drawing import draw, style_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Point(NamedTuple):
    """Mean F1 in percent, None for an English pipeline, and the costs of one pipeline."""

    name: str
    f1: float | None
    words_per_second: float
    p50_ms: float
    memory_mb: float
    disk_mb: float


def release_points(metrics: Path, scores: Sequence[tuple[str, Path]]) -> list[Point]:
    """Join the costs of pipelines with their F1.

    metrics (Path): The `metrics.json` of one run of `profile`.
    scores (Sequence[Tuple[str, Path]]): Names of pipelines, and their output files of `evaluate`.
    RETURNS (List[Point]): The pipelines, in the order of the run.
    RAISES (OpticalError): If a file is missing or invalid, or the run has not measured a pipeline
        with scores.
    """
    f1 = {name: 100 * performance_of(path)["ents_f"] for name, path in scores}
    report = read_metrics(metrics)
    points = [_point(one, f1.get(one.name)) for one in report.profiles if one.throughput]
    if missing := sorted(f1.keys() - {point.name for point in points}):
        raise OpticalError(Errors.E002.format(what=f"pipeline in {metrics}", path=missing[0]))
    return points


def _point(profile: Profile, f1: float | None) -> Point:
    costs = profile.costs
    return Point(
        profile.name,
        f1,
        max(speed.value for speed in profile.speeds.values()),
        *(costs[name].value for name in ("p50", "above_floor", "disk")),
    )


def release_table(points: Sequence[Point], baseline: str) -> str:
    """Make a Markdown table of the points, with speed and latency as multiples of a baseline."""
    base = next(point for point in points if point.name == baseline)
    rows = [
        (
            point.name,
            "–" if point.f1 is None else f"{point.f1:.1f}",
            f"{point.words_per_second:,.0f}",
            f"{point.words_per_second / base.words_per_second:.2f}×",
            f"{point.p50_ms:.2f}",
            f"{point.p50_ms / base.p50_ms:.2f}",
            f"{point.memory_mb:.1f}",
            f"{point.disk_mb:.1f}",
        )
        for point in points
    ]
    header = ("pipeline", "F1", "words/s", "ratio", "p50, ms", "ratio", "MB of memory", "MB")
    return MarkdownRenderer().table(rows, header, aligns=("l", *"r" * 7))


def release_figure(points: Sequence[Point], baseline: str, teacher_f1: float) -> Figure:
    """Draw F1 against words per second and against the size on disk.

    points (Sequence[Point]): The pipelines.
    baseline (str): The English pipeline, which has no F1 here and is drawn as a line.
    teacher_f1 (float): The teacher's mean F1 in percent, drawn as a line.
    RETURNS (Figure): The drawing.
    """
    judged = [(point, point.f1) for point in points if point.f1 is not None]
    base = next(point for point in points if point.name == baseline)

    def panel(cost: str, label: str) -> "Callable[[Axes], None]":
        def plot(axes: "Axes") -> None:
            for at, (point, f1) in enumerate(judged):
                axes.plot(getattr(point, cost), f1, label=point.name, ls="", **style_of(at))
            axes.axhline(teacher_f1, color="0.4", ls=":", label="teacher, 12 layers")
            axes.axvline(getattr(base, cost), color="0.4", ls="--", label=baseline)
            axes.set_xlabel(label)
            axes.set_ylabel("Mean F1")

        return plot

    panels = {
        "Speed": panel("words_per_second", "Words per second, batches of 64"),
        "Size": panel("disk_mb", "MB on disk"),
    }
    names = [point.name for point, _ in judged]
    return draw("frontier", "Models of the release", "lines: teacher, baseline", names, panels)
