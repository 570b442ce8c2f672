"""The answer to the research question in words, with the figures of a study.

Transport changes the weights of a model but not its graph. The answer therefore has three parts:
the control (do two models with the same graph have the same cost?), the gain (what is the
difference in F1 at this cost?), and the frontier (what is the lowest cost of a given F1?).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from spacy_optical.profiling.cells import number
from spacy_optical.profiling.schema import Estimate
from spacy_optical.runtime.bundle import MODEL_FILE, WEIGHTS_FILE

from .equivalence import Equivalence, equivalences
from .study import ControlPair, Gain, Point, StudiedReport, Study, arm_points, gain_of
from .study_tables import p_text

QUESTION = (
    "How does distillation through optimal transport affect the inference latency and memory of "
    "cross-lingual NER on small devices, for languages with little data?"
)

MODEL_FILES = (MODEL_FILE, WEIGHTS_FILE)
# Relative size difference of models with the same graph, because names may differ in length.
SAME_GRAPH = 0.01


@dataclass(frozen=True)
class Answer:
    """An answer.

    parts (Tuple[str, ...]): The findings, one paragraph each.
    caveats (Tuple[str, ...]): The limitations, one or two sentences each.
    """

    parts: tuple[str, ...]
    caveats: tuple[str, ...]


def answer(report: StudiedReport) -> Answer | None:
    """Answer the research question from the figures of a run.

    report (StudiedReport): The figures.
    RETURNS (Optional[Answer]): The answer, or None if the run has no control.
    """
    study = report.study
    if study is None or not study.controls:
        return None
    parts: list[str] = []
    for pair in study.controls:
        parts.append(_cost_text(report, pair, study))
        gain = gain_of(report, pair)
        if gain is not None:
            parts.append(_gain_text(gain, report))
    # Two pairs of the same arms have the same text.
    parts.extend(dict.fromkeys(_frontier_texts(report, study)))
    return Answer(tuple(parts), tuple(_caveats(report, study)))


def _cost_text(report: StudiedReport, pair: ControlPair, study: Study) -> str:
    tests = equivalences(report, pair)
    head = f"Cost, {pair.with_transport} against {pair.without}: "
    if not tests:
        return (
            f"{head}not measured in this run, because the two were not timed together. Optimal "
            "transport is only used in training and does not change the graph, so equal cost is "
            "expected, but that is not a measurement."
        )
    rows = "; ".join(f"{one.metric} {_ratio_text(one)}" for one in tests)
    shown = [one for one in tests if one.shown]
    if len(shown) == len(tests):
        verdict = f"All are equivalent within {study.margin:.0%}: transport has no cost."
    elif shown:
        names = ", ".join(one.metric for one in tests if not one.shown)
        verdict = (
            f"Equivalence within {study.margin:.0%} is shown except for {names}, which does not "
            "prove a difference."
        )
    else:
        verdict = (
            f"This run does not show equivalence within {study.margin:.0%}, which does not prove a "
            "difference."
        )
    return f"{head}with transport divided by without, {rows}. {verdict}"


def _ratio_text(one: Equivalence) -> str:
    # Three decimals, because the margin is a few percent.
    low, high = f"{one.ratio.low:.3f}", f"{one.ratio.high:.3f}"
    interval = "" if low == high else f" [{low} to {high}]"
    return f"{one.ratio.value:.3f}{interval}, p {p_text(one.p)}"


def _gain_text(gain: Gain, report: StudiedReport) -> str:
    rows = {
        code: value
        for code, value in gain.by_language.items()
        if code != report.settings.source_language
    }
    ordered = sorted(rows, key=lambda code: -rows[code].value)
    listed = ", ".join(f"{code} {_points(rows[code])}" for code in ordered)
    text = (
        f"F1 at the same cost: {gain.with_transport} has {_points(gain.macro)} points of macro F1 "
        f"compared with {gain.without}"
    )
    text += f"; by language {listed}." if len(rows) > 1 else "."
    if not gain.paired:
        text += " There is no interval: the two were not evaluated in one run."
    elif gain.macro.low <= 0 <= gain.macro.high:
        text += " The interval contains 0: this run does not show that transport helps."
    return text


def _points(value: Estimate) -> str:
    low, high = f"{value.low * 100:+.1f}", f"{value.high * 100:+.1f}"
    return f"{value.value * 100:+.1f}" + ("" if low == high else f" [{low} to {high}]")


def _frontier_texts(report: StudiedReport, study: Study) -> Iterator[str]:
    """For each control, the cost at which both arms reach the best F1 without transport."""
    points = arm_points(report)
    arms = list(dict.fromkeys(point.arm for point in points))
    sizes = {point.size for point in points}
    if len(arms) < 2:
        return
    if len(sizes) < 2:
        yield ("Cost at equal F1: not known, because this run has students of one size only.")
        return
    arm_of = {student.name: student.arm for student in study.students}
    for pair in study.controls:
        arm, other = arm_of.get(pair.with_transport), arm_of.get(pair.without)
        target = max((point.f1.value for point in points if point.arm == other), default=None)
        if arm is None or other is None or arm == other or target is None:
            continue
        cheapest = {name: _cheapest(points, name, target) for name in (other, arm)}
        listed = "; ".join(f"{name}: {_point_text(point)}" for name, point in cheapest.items())
        yield f"Cost at equal F1, {target * 100:.1f} macro (the best of “{other}”): {listed}."


def _cheapest(points: Sequence[Point], arm: str, f1: float) -> Point | None:
    reaching = [point for point in points if point.arm == arm and point.f1.value >= f1]
    return min(reaching, key=lambda point: point.p50_ms, default=None)


def _point_text(point: Point | None) -> str:
    if point is None:
        return "does not reach it"
    return (
        f"{number(point.p50_ms)} ms p50, {number(point.rss_mb)} MB peak RSS, "
        f"{number(point.disk_mb)} MB of disk ({point.size})"
    )


def _caveats(report: StudiedReport, study: Study) -> Iterator[str]:
    if not report.complete:
        yield "The run was stopped before its end."
    machine = report.machine
    if not machine.architecture.startswith(("arm", "aarch")):
        yield (
            f"Measured on {machine.cpu} ({machine.architecture}), which is not a small device: "
            "ratios may transfer to one, milliseconds do not."
        )
    points = arm_points(report)
    if not points or min(len(point.names) for point in points) < 3:
        yield (
            "An arm has fewer than three students of one size: the intervals are over sentences "
            "and do not include the effect of the seed."
        )
    gold = report.settings.gold
    if gold:
        fewest = min(file.docs for file in gold.values())
        yield (
            f"The smallest gold file has {fewest} documents, so the F1 of one language is "
            "uncertain by several points."
        )
    for pair in study.controls:
        sizes = _model_bytes(report, pair)
        if len(sizes) == 2 and max(sizes) > min(sizes) * (1 + SAME_GRAPH):
            yield (
                f"The models of {pair.with_transport} and {pair.without} differ in size "
                f"({sizes[0]:,} and {sizes[1]:,} bytes), so their graphs differ and the comparison "
                "is no control."
            )
    borrowed = [one for one in study.students if one.same_graph is not None]
    for one in borrowed:
        yield (
            f"{one.name} was evaluated elsewhere and not timed. Its cost is that of "
            f"{one.same_graph}, which has the same graph."
        )
    yield from report.warnings


def _model_bytes(report: StudiedReport, pair: ControlPair) -> list[int]:
    rows = {profile.name: profile for profile in report.profiles}
    both = [rows[name] for name in (pair.with_transport, pair.without) if name in rows]
    sizes = [
        sum(size for file, size in one.disk.files.items() if file.endswith(MODEL_FILES))
        for one in both
        if one.disk is not None
    ]
    return [size for size in sizes if size]
