"""Compute figures with intervals from measurements, and their ratios to the baseline."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..files import folder_contents
from ..scores import counts_text, score
from . import schema
from .estimates import (
    Counts,
    macro_estimate,
    macro_ratio,
    median_estimate,
    pooled_percentiles,
    ratio_estimate,
    score_estimates,
)
from .options import Options
from .samples import Samples
from .schema import MEGABYTE, Accuracy, Latency, Memory, Profile, Ratios, macro_languages
from .workload import Workload

# Upper bounds of the text lengths in words. The last range has no upper bound.
LENGTH_CLASSES = (8, 16, 32, 64, 128)


def floor_estimate(samples: Sequence[dict[str, Any]], seed: int) -> schema.Floor | None:
    """Summarise the processes that only import libraries."""
    if not samples:
        return None
    peaks = [answer["memory"]["peak"] / MEGABYTE for answer in samples]
    return schema.Floor(
        import_seconds=median_estimate([answer["seconds"] for answer in samples], seed),
        peak_rss_mb=median_estimate(peaks, seed),
    )


def summarize(
    pipelines: Sequence[Samples],
    workload: Workload,
    labels: Sequence[str],
    floor: schema.Floor | None,
    options: Options,
) -> list[Profile]:
    """Summarise the measurements of all pipelines."""
    lowest = floor.peak_rss_mb.value if floor is not None else 0.0
    profiles = [_profile(one, workload, labels, lowest, options) for one in pipelines]
    base = next((one for one in profiles if one.name == options.baseline), None)
    if base is None:
        return profiles
    return [one.model_copy(update={"ratios": _ratios(one, base, options)}) for one in profiles]


def _profile(
    samples: Samples, workload: Workload, labels: Sequence[str], floor: float, options: Options
) -> Profile:
    target, seed = samples.target, options.seed
    folder = target.path if target.kind == "bundle" else samples.loaded["folder"]
    disk = None
    if folder is not None:
        files, digest = folder_contents(Path(folder))
        disk = schema.Disk(mb=sum(files.values()) / MEGABYTE, files=files, sha256=digest)
    accuracy = {code: _accuracy(counts, labels, seed) for code, counts in samples.counts.items()}
    return Profile(
        name=target.name,
        target=target.path,
        kind=target.kind,
        environment=samples.environment,
        components=samples.loaded["components"],
        labels=samples.loaded["labels"],
        disk=disk,
        accuracy=accuracy,
        macro_f1=macro_estimate(_macro_counts(accuracy, options), seed) if accuracy else None,
        pieces={
            language: schema.Pieces(
                words=found["words"],
                pieces_per_word=found["pieces"] / max(found["words"], 1),
                unknown_share=found["unknown"] / max(found["pieces"], 1),
            )
            for language, found in samples.pieces.items()
        },
        start=_start(samples, seed) if samples.starts else None,
        memory=_memory(samples, floor, options) if samples.starts else None,
        latency=_latency(samples, workload, seed) if samples.singles else None,
        throughput=[
            schema.Throughput(
                batch_size=size,
                words_per_second=median_estimate([one.speed for one in rounds], seed),
                wall_words_per_second=float(np.median([one.wall_speed for one in rounds])),
                waiting_share=float(np.mean([one.waiting_share for one in rounds])),
            )
            for size, rounds in samples.batches.items()
        ],
    )


def _accuracy(counts: NDArray[np.float64], labels: Sequence[str], seed: int) -> Accuracy:
    every = counts.sum(axis=1)
    precision, recall, f1 = score_estimates(every, seed)
    by_type = {}
    for at, label in enumerate(labels):
        one = score(counts[:, at])
        by_type[label] = schema.TypeAccuracy(
            precision=one.precision / 100,
            recall=one.recall / 100,
            f1=one.f1 / 100,
            entities=one.gold,
        )
    return Accuracy(
        precision=precision,
        recall=recall,
        f1=f1,
        entities=score(every).gold,
        by_type=by_type,
        counts=counts_text(every),
    )


def _start(samples: Samples, seed: int) -> schema.Start:
    imports, loads, firsts = zip(*(start.seconds for start in samples.starts), strict=True)
    return schema.Start(
        import_seconds=median_estimate(imports, seed),
        load_seconds=median_estimate(loads, seed),
        first_call_ms=median_estimate([seconds * 1e3 for seconds in firsts], seed),
        total_seconds=median_estimate([sum(start.seconds) for start in samples.starts], seed),
    )


def _memory(samples: Samples, floor: float, options: Options) -> Memory:
    starts, seed = samples.starts, options.seed
    peaks = [max(map(start.peak_mb, start.phases)) for start in starts]
    shares = [share for start in starts if (share := start.last_mb("pss")) is not None]
    shared = [start.shared for start in starts if start.shared and start.shared["pss"]]
    combined = None
    if shared:
        pss, rss = (np.median([one[kind] for one in shared]) / MEGABYTE for kind in ("pss", "rss"))
        combined = schema.SharedMemory(processes=options.processes, pss_mb=pss, rss_mb=rss)
    return Memory(
        peak_rss_mb=median_estimate(peaks, seed),
        above_floor_mb=median_estimate([peak - floor for peak in peaks], seed),
        steady_rss_mb=median_estimate([start.last_mb("rss") or 0.0 for start in starts], seed),
        pss_mb=median_estimate(shares, seed) if shares else None,
        phases_mb={
            phase: median_estimate([start.peak_mb(phase) for start in starts], seed)
            for phase in starts[0].phases
        },
        shared=combined,
    )


def _latency(samples: Samples, workload: Workload, seed: int) -> Latency:
    rounds = [found.milliseconds for found in samples.singles]
    wall = np.concatenate([found.wall_milliseconds for found in samples.singles])
    p50, p90, p95, p99 = pooled_percentiles(rounds, (50, 90, 95, 99), seed)
    firsts = [start.first_pass for start in samples.starts]
    speeds = [workload.words(one.places) / one.milliseconds.sum() * 1e3 for one in firsts]
    return Latency(
        p50_ms=p50,
        p90_ms=p90,
        p95_ms=p95,
        p99_ms=p99,
        calls=sum(map(len, rounds)),
        first_pass_words_per_second=float(np.median(speeds)),
        wall_p50_ms=float(np.median(wall)),
        waiting_share=float(np.mean([found.waiting_share for found in samples.singles])),
        by_length=list(_by_length(samples, workload, seed)),
    )


def _by_length(samples: Samples, workload: Workload, seed: int) -> Iterator[schema.LengthLatency]:
    classes = np.searchsorted(LENGTH_CLASSES, workload.word_counts)
    places = np.unique(np.concatenate([found.places for found in samples.singles]))
    bounds = zip((0, *LENGTH_CLASSES), (*LENGTH_CLASSES, None), strict=True)
    for index, (below, words_to) in enumerate(bounds):
        texts = int(np.sum(classes[places] == index))
        picked = [one.milliseconds[classes[one.places] == index] for one in samples.singles]
        if texts:
            yield schema.LengthLatency(
                words_from=below + 1,
                words_to=words_to,
                texts=texts,
                p50_ms=pooled_percentiles(picked, (50,), seed)[0],
            )


def _macro_counts(accuracy: dict[str, Accuracy], options: Options) -> Counts:
    codes = macro_languages(accuracy, options.source_language)
    return {code: accuracy[code].rows for code in codes}


def _ratios(found: Profile, base: Profile, options: Options) -> Ratios:
    """Compare a pipeline with the baseline, in the rounds that both of them have."""
    own, other, seed = found.costs, base.costs, options.seed
    ratios: dict[str, Any] = {
        name: ratio_estimate(other[name].samples, cost.samples, seed)
        for name, cost in own.items()
        if name in other and min(*cost.samples, *other[name].samples) > 0
    }
    if "disk" in ratios:
        ratios["disk"] = ratios["disk"].value
    ratios["words_per_second"] = {
        size: ratio_estimate(speed.samples, base.speeds[size].samples, seed)
        for size, speed in found.speeds.items()
        if size in base.speeds
    }
    if found.accuracy and base.accuracy:
        counts, others = (_macro_counts(one.accuracy, options) for one in (found, base))
        ratios["f1"] = macro_ratio(counts, others, seed)
    return Ratios(**ratios)
