"""From samples to figures with intervals."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from .arm import Arm
from .disk import measure_disk
from .estimates import (
    estimate_of_draws,
    macro_draws,
    median_estimate,
    pooled_percentiles,
    precision_recall_f1,
    score_estimates,
)
from .options import Options
from .ratios import macro_counts, ratios_of
from .schema import (
    MEGABYTE,
    Accuracy,
    Estimate,
    Floor,
    Latency,
    LengthLatency,
    Memory,
    Pieces,
    Profile,
    SharedMemory,
    Start,
    Throughput,
    TypeAccuracy,
    counts_text,
)
from .workload import Workload

# The most words of each length class; the last class has no end.
LENGTH_CLASSES = (8, 16, 32, 64, 128)


def floor_estimate(samples: Sequence[tuple[float, float]], seed: int) -> Floor | None:
    """Sum up the processes that only imported.

    samples (Sequence[Tuple[float, float]]): Seconds and peak bytes of each.
    seed (int): Seed of the resampling.
    RETURNS (Optional[Floor]): The figures, or None without a sample.
    """
    if not samples:
        return None
    return Floor(
        import_seconds=median_estimate([seconds for seconds, _ in samples], seed),
        peak_rss_mb=median_estimate([peak / MEGABYTE for _, peak in samples], seed),
    )


def summarize(
    arms: Sequence[Arm],
    workload: Workload,
    labels: Sequence[str],
    floor: Sequence[tuple[float, float]],
    options: Options,
) -> list[Profile]:
    """Sum up the samples of all pipelines.

    arms (Sequence[Arm]): The pipelines with their samples.
    workload (Workload): The texts that they ran.
    labels (Sequence[str]): The labels that the counts are for.
    floor (Sequence[Tuple[float, float]]): As `floor_estimate` takes it.
    options (Options): How it was measured.
    RETURNS (List[Profile]): A profile for each pipeline.
    """
    seed = options.seed
    base = next((arm for arm in arms if arm.name == options.baseline), None)
    floors = [peak / MEGABYTE for _, peak in floor]
    profiles = []
    for arm in arms:
        folder = arm.target.path if arm.target.kind == "bundle" else arm.loaded["folder"]
        profiles.append(
            Profile(
                name=arm.name,
                target=arm.target.path,
                kind=arm.target.kind,
                environment=arm.environment,
                components=arm.loaded["components"],
                labels=arm.loaded["labels"],
                disk=None if folder is None else measure_disk(Path(folder)),
                accuracy={
                    language: _accuracy(counts, labels, seed)
                    for language, counts in arm.counts.items()
                },
                macro_f1=_macro_f1(arm, options),
                pieces={
                    language: Pieces(
                        words=found["words"],
                        pieces_per_word=found["pieces"] / max(found["words"], 1),
                        unknown_share=found["unknown"] / max(found["pieces"], 1),
                    )
                    for language, found in arm.pieces.items()
                },
                start=_start(arm, seed),
                memory=_memory(arm, floors, options),
                latency=_latency(arm, workload, seed),
                throughput=[
                    Throughput(
                        batch_size=size,
                        words_per_second=median_estimate(
                            [found.words_per_second for found in rounds], seed
                        ),
                        wall_words_per_second=float(
                            np.median([found.wall_words_per_second for found in rounds])
                        ),
                        waiting_share=float(np.mean([found.waiting_share for found in rounds])),
                    )
                    for size, rounds in arm.batches.items()
                ],
            )
        )
    if base is None:
        return profiles
    base_profile = profiles[list(arms).index(base)]
    return [
        found.model_copy(
            update={"ratios": ratios_of(arm, base, found, base_profile, floors, options)}
        )
        for arm, found in zip(arms, profiles, strict=True)
    ]


def _macro_f1(arm: Arm, options: Options) -> Estimate | None:
    if not arm.counts:
        return None
    return estimate_of_draws(macro_draws(macro_counts(arm, options), options.seed))


def _accuracy(counts: np.ndarray, labels: Sequence[str], seed: int) -> Accuracy:
    precision, recall, f1 = score_estimates(counts.sum(axis=1), seed)
    by_type = {}
    for label, sums in zip(labels, counts.sum(axis=0), strict=True):
        type_precision, type_recall, type_f1 = map(float, precision_recall_f1(sums))
        by_type[label] = TypeAccuracy(
            precision=type_precision,
            recall=type_recall,
            f1=type_f1,
            entities=int(sums[0] + sums[2]),
        )
    entities = sum(found.entities for found in by_type.values())
    return Accuracy(
        precision=precision,
        recall=recall,
        f1=f1,
        entities=entities,
        by_type=by_type,
        counts=counts_text(counts.sum(axis=1)),
    )


def _start(arm: Arm, seed: int) -> Start | None:
    if not arm.starts:
        return None
    rows = [(s.import_seconds, s.load_seconds, s.first_seconds) for s in arm.starts]
    imports, loads, firsts = zip(*rows, strict=True)
    return Start(
        import_seconds=median_estimate(imports, seed),
        load_seconds=median_estimate(loads, seed),
        first_call_ms=median_estimate([seconds * 1e3 for seconds in firsts], seed),
        total_seconds=median_estimate([sum(row) for row in rows], seed),
    )


def _memory(arm: Arm, floors: Sequence[float], options: Options) -> Memory | None:
    seed = options.seed
    if not arm.starts:
        return None
    steady = [start.last_mb("rss") or 0.0 for start in arm.starts]
    shares = [start.last_mb("pss") for start in arm.starts]
    known_shares = [share for share in shares if share is not None]
    return Memory(
        peak_rss_mb=median_estimate([start.highest_mb for start in arm.starts], seed),
        above_floor_mb=median_estimate(arm.above_floor(floors), seed),
        steady_rss_mb=median_estimate(steady, seed),
        pss_mb=median_estimate(known_shares, seed) if known_shares else None,
        phases_mb={
            phase: median_estimate([start.peak_mb(phase) for start in arm.starts], seed)
            for phase in arm.starts[0].memory
        },
        shared=_shared(arm, options.processes),
    )


def _shared(arm: Arm, processes: int) -> SharedMemory | None:
    """The middle of the starts; nothing where one process was asked for or the system is silent."""
    found = [start.shared for start in arm.starts if start.shared and start.shared["pss"]]
    if not found:
        return None
    return SharedMemory(
        processes=processes,
        pss_mb=float(np.median([one["pss"] for one in found])) / MEGABYTE,
        rss_mb=float(np.median([one["rss"] for one in found])) / MEGABYTE,
    )


def _latency(arm: Arm, workload: Workload, seed: int) -> Latency | None:
    if not arm.singles:
        return None
    rounds = [found.milliseconds for found in arm.singles]
    p50, p90, p95, p99 = pooled_percentiles(rounds, (50, 90, 95, 99), seed)
    return Latency(
        p50_ms=p50,
        p90_ms=p90,
        p95_ms=p95,
        p99_ms=p99,
        calls=sum(map(len, rounds)),
        first_pass_words_per_second=float(
            np.median([start.first_pass_words_per_second for start in arm.starts])
        ),
        wall_p50_ms=float(
            np.median(np.concatenate([found.wall_milliseconds for found in arm.singles]))
        ),
        waiting_share=float(np.mean([found.waiting_share for found in arm.singles])),
        by_length=list(_by_length(arm, workload, seed)),
    )


def _by_length(arm: Arm, workload: Workload, seed: int) -> Iterator[LengthLatency]:
    lengths = np.asarray(workload.word_counts)
    classes = np.searchsorted(LENGTH_CLASSES, lengths)
    for index in range(len(LENGTH_CLASSES) + 1):
        picked = [found.milliseconds[classes[found.places] == index] for found in arm.singles]
        places = np.concatenate([found.places for found in arm.singles])
        texts = np.unique(places[classes[places] == index])
        if len(texts):
            yield LengthLatency(
                words_from=LENGTH_CLASSES[index - 1] + 1 if index else 1,
                words_to=LENGTH_CLASSES[index] if index < len(LENGTH_CLASSES) else None,
                texts=len(texts),
                p50_ms=pooled_percentiles(picked, (50,), seed)[0],
            )
