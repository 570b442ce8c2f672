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
    profiles = {one.name: _profile(one, workload, labels, lowest, options) for one in pipelines}
    base = next((one for one in pipelines if one.name == options.baseline), None)
    if base is None:
        return list(profiles.values())
    ratios = {
        one.name: _ratios(one, base, profiles[one.name], profiles[base.name], lowest, options)
        for one in pipelines
    }
    return [one.model_copy(update={"ratios": ratios[name]}) for name, one in profiles.items()]


def _profile(
    samples: Samples, workload: Workload, labels: Sequence[str], floor: float, options: Options
) -> Profile:
    target, seed = samples.target, options.seed
    folder = target.path if target.kind == "bundle" else samples.loaded["folder"]
    counts = samples.macro_counts(macro_languages(samples.counts, options.source_language))
    return Profile(
        name=target.name,
        target=target.path,
        kind=target.kind,
        environment=samples.environment,
        components=samples.loaded["components"],
        labels=samples.loaded["labels"],
        disk=None if folder is None else _disk(folder),
        accuracy={code: _accuracy(rows, labels, seed) for code, rows in samples.counts.items()},
        macro_f1=macro_estimate(counts, seed) if counts else None,
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
                words_per_second=median_estimate(samples.speeds(size), seed),
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
    shares = [share for start in starts if (share := start.last_mb("pss")) is not None]
    shared = [start.shared for start in starts if start.shared and start.shared["pss"]]
    pss, rss = (float(np.median([s[k] for s in shared] or [0])) / MEGABYTE for k in ("pss", "rss"))
    return Memory(
        peak_rss_mb=median_estimate(samples.peaks_mb, seed),
        above_floor_mb=median_estimate([peak - floor for peak in samples.peaks_mb], seed),
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


def _ratios(
    samples: Samples,
    base: Samples,
    found: Profile,
    base_found: Profile,
    floor: float,
    options: Options,
) -> Ratios:
    """Compare with the baseline, where above 1 is better; a stopped run may lack rounds of one."""

    def ratio(above: Sequence[float], below: Sequence[float]) -> Estimate | None:
        return ratio_estimate(above, below, options.seed) if above and below else None

    own_above, base_above = ([peak - floor for peak in one.peaks_mb] for one in (samples, base))
    codes = macro_languages(samples.counts, options.source_language)
    return Ratios(
        p50=ratio(base.medians_ms, samples.medians_ms),
        words_per_second={
            size: value
            for size in samples.batches
            if (value := ratio(samples.speeds(size), base.speeds(size))) is not None
        },
        peak_rss=ratio(base.peaks_mb, samples.peaks_mb),
        above_floor=ratio(base_above, own_above) if min(own_above, default=0) > 0 else None,
        disk=base_found.disk.mb / found.disk.mb
        if found.disk and base_found.disk and found.disk.mb
        else None,
        f1=macro_ratio(samples.macro_counts(codes), base.macro_counts(codes), options.seed)
        if samples.counts and base.counts
        else None,
    )
