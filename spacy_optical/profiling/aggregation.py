"""From samples to figures with intervals, and their ratios to the baseline."""

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
from .schema import MEGABYTE, Accuracy, Estimate, Latency, Memory, Profile, Ratios, macro_languages
from .workload import Workload

# The most words of each class of lengths; the last class has no end.
LENGTH_CLASSES = (8, 16, 32, 64, 128)


def floor_estimate(samples: Sequence[dict[str, Any]], seed: int) -> schema.Floor | None:
    """Summarise the answers of processes that only imported the libraries."""
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
    """Summarise the samples of all pipelines."""
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
    accuracy = {code: _accuracy(counts, labels, seed) for code, counts in samples.counts.items()}
    return Profile(
        name=target.name,
        target=target.path,
        kind=target.kind,
        environment=samples.environment,
        components=samples.loaded["components"],
        labels=samples.loaded["labels"],
        disk=None if folder is None else _disk(folder),
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
                waiting_share=float(np.mean([one.waited / one.passed for one in rounds])),
            )
            for size, rounds in samples.batches.items()
        ],
    )


def _disk(folder: str) -> schema.Disk:
    files, digest = folder_contents(Path(folder))
    return schema.Disk(mb=sum(files.values()) / MEGABYTE, files=files, sha256=digest)


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
    pss, rss = (float(np.median([s[k] for s in shared] or [0])) / MEGABYTE for k in ("pss", "rss"))
    return Memory(
        peak_rss_mb=median_estimate(peaks, seed),
        above_floor_mb=median_estimate([peak - floor for peak in peaks], seed),
        steady_rss_mb=median_estimate([start.last_mb("rss") or 0.0 for start in starts], seed),
        pss_mb=median_estimate(shares, seed) if shares else None,
        phases_mb={
            phase: median_estimate([start.peak_mb(phase) for start in starts], seed)
            for phase in starts[0].phases
        },
        shared=schema.SharedMemory(processes=options.processes, pss_mb=pss, rss_mb=rss)
        if shared
        else None,
    )


def _latency(samples: Samples, workload: Workload, seed: int) -> Latency:
    rounds = [found.milliseconds for found in samples.singles]
    wall = np.concatenate([found.wall_milliseconds for found in samples.singles])
    p50, p90, p95, p99 = pooled_percentiles(rounds, (50, 90, 95, 99), seed)
    first_passes = [start.first_pass_words_per_second for start in samples.starts]
    return Latency(
        p50_ms=p50,
        p90_ms=p90,
        p95_ms=p95,
        p99_ms=p99,
        calls=sum(map(len, rounds)),
        first_pass_words_per_second=float(np.median(first_passes)),
        wall_p50_ms=float(np.median(wall)),
        waiting_share=float(np.mean([found.waiting_share for found in samples.singles])),
        by_length=list(_by_length(samples, workload, seed)),
    )


def _by_length(samples: Samples, workload: Workload, seed: int) -> Iterator[schema.LengthLatency]:
    classes = np.searchsorted(LENGTH_CLASSES, workload.word_counts)
    places = np.unique(np.concatenate([found.places for found in samples.singles]))
    edges = (0, *LENGTH_CLASSES, None)
    for index in range(len(LENGTH_CLASSES) + 1):
        texts = int(np.sum(classes[places] == index))
        picked = [one.milliseconds[classes[one.places] == index] for one in samples.singles]
        if texts:
            yield schema.LengthLatency(
                words_from=(edges[index] or 0) + 1,
                words_to=edges[index + 1],
                texts=texts,
                p50_ms=pooled_percentiles(picked, (50,), seed)[0],
            )


def _macro_counts(accuracy: dict[str, Accuracy], options: Options) -> Counts:
    codes = macro_languages(accuracy, options.source_language)
    return {code: accuracy[code].rows for code in codes}


def _ratios(found: Profile, base: Profile, options: Options) -> Ratios:
    """Compare with the baseline, where above 1 is better; a stopped run may lack rounds of one."""

    def ratio(above: Estimate, below: Estimate) -> Estimate:
        return ratio_estimate(above.samples, below.samples, options.seed)

    ratios: dict[str, Any] = {}
    if found.latency and base.latency:
        ratios["p50"] = ratio(base.latency.p50_ms, found.latency.p50_ms)
    rates = {one.batch_size: one.words_per_second for one in base.throughput}
    ratios["words_per_second"] = {
        one.batch_size: ratio(one.words_per_second, rates[one.batch_size])
        for one in found.throughput
        if one.batch_size in rates
    }
    if found.memory and base.memory:
        ratios["peak_rss"] = ratio(base.memory.peak_rss_mb, found.memory.peak_rss_mb)
        if min(found.memory.above_floor_mb.samples) > 0:
            ratios["above_floor"] = ratio(base.memory.above_floor_mb, found.memory.above_floor_mb)
    if found.disk and base.disk and found.disk.mb:
        ratios["disk"] = base.disk.mb / found.disk.mb
    if found.accuracy and base.accuracy:
        own, other = (_macro_counts(one.accuracy, options) for one in (found, base))
        ratios["f1"] = macro_ratio(own, other, options.seed)
    return Ratios(**ratios)
