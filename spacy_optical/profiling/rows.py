"""A report as long rows, one figure each, for the CSV file."""

import csv
from collections.abc import Iterator
from pathlib import Path

from ..files import written_whole
from .schema import Estimate, Profile, ProfileReport

COLUMNS = (
    "pipeline",
    "metric",
    "language",
    "label",
    "batch_size",
    "phase",
    "processes",
    "words",
    "value",
    "low",
    "high",
    "unit",
)

Row = dict[str, str | float | int]


def write_csv(report: ProfileReport, path: Path) -> None:
    """Write every figure of a report as a row.

    report (ProfileReport): The figures.
    path (Path): The file.
    """
    with written_whole(path) as temporary, temporary.open("w", encoding="utf8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="")
        writer.writeheader()
        for profile in report.profiles:
            for row in profile_rows(profile):
                writer.writerow({"pipeline": profile.name, **row})
        for extra in report.extra:
            for language, f1 in extra.f1.items():
                row = _row("f1", f1, "share", language=language, label="all")
                writer.writerow({"pipeline": extra.name, **row})


def profile_rows(profile: Profile) -> Iterator[Row]:
    """Give the figures of one pipeline.

    profile (Profile): The pipeline.
    YIELDS (Dict[str, Union[str, float, int]]): Columns with a value.
    """
    if profile.macro_f1 is not None:
        yield _row("macro_f1", profile.macro_f1, "share")
    for language, accuracy in profile.accuracy.items():
        for name in ("precision", "recall", "f1"):
            yield _row(name, getattr(accuracy, name), "share", language=language, label="all")
            for label, one in accuracy.by_type.items():
                yield _row(name, getattr(one, name), "share", language=language, label=label)
    for language, pieces in profile.pieces.items():
        yield _row("pieces_per_word", pieces.pieces_per_word, "pieces", language=language)
        yield _row("unknown_share", pieces.unknown_share, "share", language=language)
    if profile.start is not None:
        for name in ("import_seconds", "load_seconds", "total_seconds"):
            yield _row(name.removesuffix("_seconds"), getattr(profile.start, name), "s")
        yield _row("first_call", profile.start.first_call_ms, "ms")
    if profile.latency is not None:
        for name in ("p50", "p90", "p95", "p99"):
            yield _row(f"latency_{name}", getattr(profile.latency, f"{name}_ms"), "ms")
        for length in profile.latency.by_length:
            words = f"{length.words_from}-{length.words_to or ''}"
            yield _row("latency_p50", length.p50_ms, "ms", words=words)
    for rate in profile.throughput:
        yield _row("speed", rate.words_per_second, "words/s", batch_size=rate.batch_size)
    if profile.memory is not None:
        yield _row("peak_rss", profile.memory.peak_rss_mb, "MB")
        yield _row("above_floor", profile.memory.above_floor_mb, "MB")
        yield _row("steady_rss", profile.memory.steady_rss_mb, "MB")
        if profile.memory.pss_mb is not None:
            yield _row("pss", profile.memory.pss_mb, "MB")
        if profile.memory.shared is not None:
            processes = profile.memory.shared.processes
            yield _row("shared_pss", profile.memory.shared.pss_mb, "MB", processes=processes)
            yield _row("shared_rss", profile.memory.shared.rss_mb, "MB", processes=processes)
        for phase, peak in profile.memory.phases_mb.items():
            yield _row("peak_rss", peak, "MB", phase=phase)
    if profile.disk is not None:
        yield _row("disk", profile.disk.mb, "MB")


def _row(metric: str, value: Estimate | float, unit: str, **scope: str | int) -> Row:
    row: Row = {"metric": metric, "unit": unit, **scope}
    if isinstance(value, Estimate):
        return {**row, "value": value.value, "low": value.low, "high": value.high}
    return {**row, "value": value}
