"""A report as a pandas data frame with one figure per row, for the CSV file and the tables."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ..compat import require
from .schema import Accuracy, Estimate, Profile, ProfileReport, TypeAccuracy

if TYPE_CHECKING:
    from pandas import DataFrame

SCOPE = ("language", "label", "batch_size", "phase", "processes", "words")
COLUMNS = ("pipeline", "metric", *SCOPE, "value", "low", "high", "unit")


def report_frame(report: ProfileReport) -> "DataFrame":
    """Convert a report to a data frame.

    report (ProfileReport): The report.
    RETURNS (DataFrame): The columns are `COLUMNS`. Columns that do not apply to a figure are empty.
    RAISES (MissingDependency): If pandas is not installed.
    """
    rows = [{"pipeline": one.name, **row} for one in report.profiles for row in _profile_rows(one)]
    for extra in report.extra:
        macro = [extra.f1.get(code) for code in report.macro_languages]
        found = [_row("f1", f1, "share", language=c, label="all") for c, f1 in extra.f1.items()]
        if macro and None not in macro:
            found.append(_row("macro_f1", float(np.mean(macro)), "share"))  # type: ignore[arg-type]
        rows += [{"pipeline": extra.name, **row} for row in found]
    frame = require("pandas", extra="profile").DataFrame(rows, columns=list(COLUMNS))
    return frame.astype({"batch_size": "Int64", "processes": "Int64"})


def _profile_rows(profile: Profile) -> Iterator[dict[str, Any]]:
    if profile.macro_f1 is not None:
        yield _row("macro_f1", profile.macro_f1, "share")
    for language, accuracy in profile.accuracy.items():
        every: dict[str, Accuracy | TypeAccuracy] = {"all": accuracy, **accuracy.by_type}
        for label, one in every.items():
            scope = {"language": language, "label": label}
            for name in ("precision", "recall", "f1"):
                yield _row(name, getattr(one, name), "share", **scope)
            yield _row("entities", one.entities, "count", **scope)
    for language, pieces in profile.pieces.items():
        yield _row("pieces_per_word", pieces.pieces_per_word, "pieces", language=language)
        yield _row("unknown_share", pieces.unknown_share, "share", language=language)
        yield _row("gold_words", pieces.words, "count", language=language)
    if profile.start is not None:
        for name in ("import_seconds", "load_seconds", "total_seconds"):
            yield _row(name.removesuffix("_seconds"), getattr(profile.start, name), "s")
        yield _row("first_call", profile.start.first_call_ms, "ms")
    if profile.latency is not None:
        for name in ("p50", "p90", "p95", "p99"):
            yield _row(f"latency_{name}", getattr(profile.latency, f"{name}_ms"), "ms")
        yield _row("calls", profile.latency.calls, "count")
        for length in profile.latency.by_length:
            words = f"{length.words_from}-{length.words_to or ''}"
            yield _row("latency_p50", length.p50_ms, "ms", words=words)
            yield _row("texts", length.texts, "count", words=words)
    for rate in profile.throughput:
        yield _row("speed", rate.words_per_second, "words/s", batch_size=rate.batch_size)
    if profile.memory is not None:
        for phase, peak in profile.memory.phases_mb.items():
            yield _row("peak_rss", peak, "MB", phase=phase)
        for name in ("peak_rss", "above_floor", "steady_rss", "pss"):
            yield _row(name, getattr(profile.memory, f"{name}_mb"), "MB")
        if (shared := profile.memory.shared) is not None:
            yield _row("shared_pss", shared.pss_mb, "MB", processes=shared.processes)
            yield _row("shared_rss", shared.rss_mb, "MB", processes=shared.processes)
    if profile.disk is not None:
        yield _row("disk", profile.disk.mb, "MB")
    if profile.ratios is not None:
        yield _row("ratio_f1", profile.ratios.f1, "share")
        for size, ratio in profile.ratios.words_per_second.items():
            yield _row("ratio_speed", ratio, "times", batch_size=size)
        for name in ("p50", "peak_rss", "above_floor", "disk"):
            yield _row(f"ratio_{name}", getattr(profile.ratios, name), "times")


def _row(metric: str, value: Estimate | float | None, unit: str, **scope: Any) -> dict[str, Any]:
    row = {"metric": metric, "unit": unit, **scope}
    if isinstance(value, Estimate):
        return {**row, "value": value.value, "low": value.low, "high": value.high}
    return {**row, "value": value}
