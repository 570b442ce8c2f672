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
    ratio_estimate,
    score_estimates,
)
from .machine import LEAST_CPU_SHARE, MOST_STEAL
from .options import Options
from .schema import (
    MEGABYTE,
    Accuracy,
    Estimate,
    Floor,
    Latency,
    LengthLatency,
    Machine,
    Memory,
    Pieces,
    Profile,
    Ratios,
    Start,
    Throughput,
    TypeAccuracy,
)
from .workload import Workload

# The most words of each length class; the last class has no end.
LENGTH_CLASSES = (8, 16, 32, 64, 128)
# An interval that reaches further than this share of its figure is called wide.
WIDE = 0.15


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
                memory=_memory(arm, floors, seed),
                latency=_latency(arm, workload, seed),
                throughput=[
                    Throughput(
                        batch_size=size,
                        words_per_second=median_estimate(
                            [found.words_per_second for found in rounds], seed
                        ),
                        cpu_share=float(np.median([found.cpu_share for found in rounds])),
                    )
                    for size, rounds in arm.batches.items()
                ],
            )
        )
    if base is None:
        return profiles
    base_profile = profiles[list(arms).index(base)]
    return [
        found.model_copy(update={"ratios": _ratios(arm, base, found, base_profile, floors, options)})
        for arm, found in zip(arms, profiles, strict=True)
    ]


def macro_languages(languages: Sequence[str], source_language: str) -> list[str]:
    """Give the languages that macro F1 is the mean of: all but the source language.

    languages (Sequence[str]): The languages with gold.
    source_language (str): The language that the models learned from.
    RETURNS (List[str]): The others, or the source language if it is alone.
    """
    return [code for code in languages if code != source_language] or list(languages)


def _macro_counts(arm: Arm, options: Options) -> dict:
    counts = arm.counts_of_all_labels()
    return {code: counts[code] for code in macro_languages(list(counts), options.source_language)}


def _macro_f1(arm: Arm, options: Options) -> Estimate | None:
    if not arm.counts:
        return None
    return estimate_of_draws(macro_draws(_macro_counts(arm, options), options.seed))


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
        precision=precision, recall=recall, f1=f1, entities=entities, by_type=by_type
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


def _above_floor(arm: Arm, floors: Sequence[float]) -> list[float]:
    floor = float(np.median(floors))
    return [start.highest_mb - floor for start in arm.starts]


def _memory(arm: Arm, floors: Sequence[float], seed: int) -> Memory | None:
    if not arm.starts:
        return None
    steady = [start.last_mb("rss") or 0.0 for start in arm.starts]
    shares = [start.last_mb("pss") for start in arm.starts]
    known_shares = [share for share in shares if share is not None]
    return Memory(
        peak_rss_mb=median_estimate([start.highest_mb for start in arm.starts], seed),
        above_floor_mb=median_estimate(_above_floor(arm, floors), seed),
        steady_rss_mb=median_estimate(steady, seed),
        pss_mb=median_estimate(known_shares, seed) if known_shares else None,
        phases_mb={
            phase: median_estimate([start.peak_mb(phase) for start in arm.starts], seed)
            for phase in arm.starts[0].memory
        },
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
        cpu_share=float(np.median([found.cpu_share for found in arm.singles])),
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


def _ratios(
    arm: Arm,
    base: Arm,
    found: Profile,
    base_found: Profile,
    floors: Sequence[float],
    options: Options,
) -> Ratios:
    """Ratios within rounds; a stopped run may have one round more of one pipeline."""
    seed = options.seed
    p50 = None
    rounds = min(len(arm.singles), len(base.singles))
    if rounds:
        own, others = (
            [float(np.median(one.milliseconds)) for one in which.singles[:rounds]]
            for which in (arm, base)
        )
        p50 = ratio_estimate(others, own, seed)
    rates = {}
    for size, own_rounds in arm.batches.items():
        base_rounds = base.batches.get(size, [])
        pairs = list(zip(own_rounds, base_rounds, strict=False))
        if pairs:
            rates[size] = ratio_estimate(
                [own.words_per_second for own, _ in pairs],
                [other.words_per_second for _, other in pairs],
                seed,
            )
    peak = above = None
    starts = min(len(arm.starts), len(base.starts))
    if starts:
        own_peaks, base_peaks = (
            [start.highest_mb for start in which.starts[:starts]] for which in (arm, base)
        )
        peak = ratio_estimate(base_peaks, own_peaks, seed)
        own_above, base_above = _above_floor(arm, floors), _above_floor(base, floors)
        if min(own_above) > 0:
            above = ratio_estimate(base_above[:starts], own_above[:starts], seed)
    disk = None
    if found.disk is not None and base_found.disk is not None and found.disk.mb:
        disk = base_found.disk.mb / found.disk.mb
    f1 = None
    if arm.counts and base.counts:
        own_draws, base_draws = (
            macro_draws(_macro_counts(which, options), seed) for which in (arm, base)
        )
        if base_draws.min() > 0:
            f1 = estimate_of_draws(own_draws / base_draws)
    return Ratios(
        p50=p50, words_per_second=rates, peak_rss=peak, above_floor=above, disk=disk, f1=f1
    )


def warnings_for(
    profiles: Sequence[Profile], machine: Machine, options: Options, *, complete: bool
) -> list[str]:
    """Say what a reader of the figures must know.

    profiles (Sequence[Profile]): The pipelines.
    machine (Machine): Where they were measured.
    options (Options): How they were measured.
    complete (bool): Whether the run came to its end.
    RETURNS (List[str]): One sentence each.
    """
    found = []
    if not complete:
        found.append("The run was stopped before its end: figures are partial.")
    found.extend(f"This system does not tell {missing}." for missing in machine.missing)
    loads = [load for load in (machine.load_before, machine.load_after) if load is not None]
    if loads and machine.load_before is not None:
        if machine.load_before > machine.logical_cpus - options.threads:
            found.append(
                f"The machine was busy when the run began: load average {machine.load_before:.1f} "
                f"on {machine.logical_cpus} CPUs."
            )
    if machine.steal is not None and machine.steal > MOST_STEAL:
        found.append(f"The host took {machine.steal:.1%} of the CPU time for other machines.")
    for profile in profiles:
        latency, ratios = profile.latency, profile.ratios
        if latency is None:
            continue
        if latency.cpu_share < LEAST_CPU_SHARE and options.threads == 1:
            found.append(
                f"{profile.name} had a CPU for only {latency.cpu_share:.0%} of the timed span."
            )
        if latency.p50_ms.half_width > WIDE:
            found.append(
                f"The interval of {profile.name}'s p50 is wide "
                f"({latency.p50_ms.low:.2f} to {latency.p50_ms.high:.2f} ms)."
            )
        if ratios is not None and ratios.p50 is not None and profile.name != options.baseline:
            if ratios.p50.low <= 1 <= ratios.p50.high:
                found.append(
                    f"The difference in p50 between {profile.name} and {options.baseline} is "
                    "within the noise of this run."
                )
    return found
