"""A study: how pipelines of a profile are related, F1 and cost of its arms, and gains in F1."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from spacy_optical.errors import OpticalError
from spacy_optical.files import read_record
from spacy_optical.profiling.schema import Estimate, Profile, ProfileReport, Record, macro_languages
from spacy_optical.scores import macro_f1_interval, precision_recall_f1

from .errors import Errors


class Student(Record):
    """A model of a study.

    name (str): The pipeline, or a row of F1 without measured costs.
    arm (str): How it was trained, e.g. "no bitext" or "OT labels".
    size (str): Its architecture, e.g. "4×384 int8"; students of one arm and size differ in seed.
    same_graph (Optional[str]): For a row without measured costs: the measured pipeline with the
        same graph, and so with the same cost.
    """

    name: str
    arm: str
    size: str = ""
    same_graph: str | None = None


class ControlPair(Record):
    """Two pipelines with the same graph, trained with and without transport."""

    with_transport: str
    without: str


class Step(Record):
    """A step of compression and the pipeline after it; the first is the pipeline at the start."""

    name: str
    pipeline: str


class Study(Record):
    """How pipelines are related. This has no effect on the measurement.

    margin (float): The margin of equivalence for the ratio of the costs of two pipelines.
    """

    students: list[Student] = Field(default_factory=list)
    controls: list[ControlPair] = Field(default_factory=list)
    steps: list[Step] = Field(default_factory=list)
    margin: Annotated[float, Field(gt=0, lt=1)] = 0.05

    @property
    def names(self) -> list[str]:
        """All pipelines and rows in the study."""
        return [
            *(one.name for one in self.students),
            *(one.same_graph for one in self.students if one.same_graph is not None),
            *(name for pair in self.controls for name in (pair.with_transport, pair.without)),
            *(one.pipeline for one in self.steps),
        ]


class Gain(Record):
    """F1 with transport minus F1 without, as fractions of 1.

    paired (bool): Whether both were evaluated on the same sentences, so that there are intervals.
    """

    with_transport: str
    without: str
    macro: Estimate
    by_language: dict[str, Estimate]
    paired: bool = True


class StudiedReport(ProfileReport):
    """A profile with the study of its pipelines.

    study (Optional[Study]): How the pipelines are related.
    gains (List[Gain]): Differences in F1, in files of version 2. Later files have the counts from
        which they are computed.
    """

    study: Study | None = None
    gains: list[Gain] = Field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """The names of all pipelines and extra rows."""
        measured = [profile.name for profile in self.profiles]
        return [*measured, *(row.name for row in self.extra), *(row.name for row in self.not_run)]

    @property
    def controls(self) -> list[ControlPair]:
        """The controls of the study."""
        return self.study.controls if self.study is not None else []


def read_study(path: Path) -> Study:
    """Read a study.

    path (Path): A JSON file, see docs/experiments.md.
    RETURNS (Study): The study.
    RAISES (OpticalError): If the file is missing or breaks the schema.
    """
    return read_record(path, Study)


@dataclass(frozen=True)
class Point:
    """The students of one arm and size.

    arm (str): How they were trained.
    size (str): Their architecture.
    names (Tuple[str, ...]): The students; more than one if there are several seeds.
    f1 (Estimate): Mean F1, 0 to 1. Its interval is from the worst seed to the best; with one seed,
        it is the interval over sentences, if known.
    p50_ms (float): Latency of one text, the median over the students.
    rss_mb (float): Peak memory, the median over the students.
    disk_mb (float): Size of the files, the median over the students.
    """

    arm: str
    size: str
    names: tuple[str, ...]
    f1: Estimate
    p50_ms: float
    rss_mb: float
    disk_mb: float


def check_study(study: Study, names: Sequence[str]) -> None:
    """Check that all pipelines of a study exist.

    study (Study): The study.
    names (Sequence[str]): The names of the pipelines and rows.
    RAISES (OpticalError): If the study has another name.
    """
    unknown = [name for name in dict.fromkeys(study.names) if name not in names]
    if unknown:
        message = Errors.E623.format(unknown=", ".join(unknown), names=", ".join(names))
        raise OpticalError(message)


def arm_points(report: StudiedReport, language: str | None = None) -> list[Point]:
    """Get F1 and cost of the arms of a study.

    report (ProfileReport): The figures.
    language (Optional[str]): The language of the F1. Defaults to macro F1.
    RETURNS (List[Point]): The points of each arm, the fastest first; students without F1 or
        without a known cost are left out.
    """
    groups: dict[tuple[str, str], list[tuple[Student, Estimate, Profile]]] = {}
    for student in report.study.students if report.study is not None else []:
        f1, cost = _f1_of(report, student.name, language), _cost_of(report, student)
        if f1 is not None and cost is not None:
            groups.setdefault((student.arm, student.size), []).append((student, f1, cost))
    points = []
    for (arm, size), members in groups.items():
        p50s = [cost.latency.p50_ms.value for *_, cost in members if cost.latency is not None]
        peaks = [cost.memory.peak_rss_mb.value for *_, cost in members if cost.memory is not None]
        disks = [cost.disk.mb for *_, cost in members if cost.disk is not None]
        points.append(
            Point(
                arm=arm,
                size=size,
                names=tuple(student.name for student, *_ in members),
                f1=_over_seeds([f1 for _, f1, _ in members]),
                p50_ms=float(np.median(p50s)),
                rss_mb=float(np.median(peaks)),
                disk_mb=float(np.median(disks)),
            )
        )
    arms = list(dict.fromkeys(point.arm for point in points))
    return sorted(points, key=lambda point: (arms.index(point.arm), point.p50_ms))


def _over_seeds(values: Sequence[Estimate]) -> Estimate:
    if len(values) == 1:
        return values[0]
    seeds = [one.value for one in values]
    return Estimate(value=float(np.mean(seeds)), low=min(seeds), high=max(seeds), samples=seeds)


def _f1_of(report: StudiedReport, name: str, language: str | None) -> Estimate | None:
    for profile in report.profiles:
        if profile.name == name:
            if language is None:
                return profile.macro_f1
            accuracy = profile.accuracy.get(language)
            return None if accuracy is None else accuracy.f1
    wanted = report.macro_languages if language is None else [language]
    for row in report.extra:
        if row.name == name and wanted and all(code in row.f1 for code in wanted):
            mean = float(np.mean([row.f1[code] for code in wanted]))
            return Estimate(value=mean, low=mean, high=mean)
    return None


def _cost_of(report: StudiedReport, student: Student) -> Profile | None:
    name = student.same_graph or student.name
    for profile in report.profiles:
        if profile.name == name and profile.latency and profile.memory and profile.disk:
            return profile
    return None


def gain_of(report: StudiedReport, pair: ControlPair) -> Gain | None:
    """Get the difference in F1 with and without transport.

    report (ProfileReport): The figures.
    pair (ControlPair): The pipelines; one may be a row of F1 without measured costs.
    RETURNS (Optional[Gain]): The gain, with intervals if both have counts of the same sentences;
        None if there is no F1 of one of them.
    """
    for gain in report.gains:
        if (gain.with_transport, gain.without) == (pair.with_transport, pair.without):
            return gain
    paired = _paired_gain(report, pair)
    if paired is not None:
        return paired
    differences = {}
    for code in (None, *report.languages):
        own = _f1_of(report, pair.with_transport, code)
        other = _f1_of(report, pair.without, code)
        if own is not None and other is not None:
            differences[code] = Estimate.certain(own.value - other.value)
    macro = differences.pop(None, None)
    if macro is None:
        return None
    return Gain(
        with_transport=pair.with_transport,
        without=pair.without,
        macro=macro,
        by_language={code: value for code, value in differences.items() if code is not None},
        paired=False,
    )


def _paired_gain(report: StudiedReport, pair: ControlPair) -> Gain | None:
    """The gain, with the same resamples of sentences for both, if their counts are known."""
    rows = {profile.name: profile for profile in report.profiles}
    if pair.with_transport not in rows or pair.without not in rows:
        return None
    both = [rows[name].accuracy for name in (pair.with_transport, pair.without)]
    if not all(one and all(score.counts for score in one.values()) for one in both):
        return None

    def difference(codes: Sequence[str]) -> Estimate:
        sides = [[one[code].rows for code in codes] for one in both]
        f1, base = (
            np.mean([precision_recall_f1(rows.sum(axis=0))[2] for rows in side]) for side in sides
        )
        low, high = macro_f1_interval(*sides, seed=report.settings.seed)
        return Estimate(value=float(f1 - base) / 100, low=low / 100, high=high / 100)

    return Gain(
        with_transport=pair.with_transport,
        without=pair.without,
        macro=difference(macro_languages(list(both[0]), report.settings.source_language)),
        by_language={code: difference([code]) for code in both[0]},
    )
