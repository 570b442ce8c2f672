"""Ratios against the baseline of the same run."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .arm import Arm
from .estimates import estimate_of_draws, macro_draws, ratio_estimate
from .options import Options
from .schema import Profile, Ratios


def macro_languages(languages: Sequence[str], source_language: str) -> list[str]:
    """Give the languages that macro F1 is the mean of: all but the source language.

    languages (Sequence[str]): The languages with gold.
    source_language (str): The language that the models learned from.
    RETURNS (List[str]): The others, or the source language if it is alone.
    """
    return [code for code in languages if code != source_language] or list(languages)


def macro_counts(arm: Arm, options: Options) -> dict[str, NDArray[np.float64]]:
    """Give the counts of the languages that macro F1 is the mean of.

    arm (Arm): The pipeline's samples.
    options (Options): How it was measured.
    RETURNS (Dict[str, NDArray[float64]]): For each language [sentences, 3].
    """
    counts = arm.counts_of_all_labels()
    return {code: counts[code] for code in macro_languages(list(counts), options.source_language)}


def ratios_of(
    arm: Arm,
    base: Arm,
    found: Profile,
    base_found: Profile,
    floors: Sequence[float],
    options: Options,
) -> Ratios:
    """Compare a pipeline with the baseline; a stopped run may have a round more of one of them.

    arm (Arm): The pipeline's samples.
    base (Arm): The baseline's.
    found (Profile): The pipeline's figures.
    base_found (Profile): The baseline's.
    floors (Sequence[float]): Peak MB of the processes that only imported.
    options (Options): How it was measured.
    RETURNS (Ratios): Above 1 is better than the baseline.
    """
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
        own_above, base_above = arm.above_floor(floors), base.above_floor(floors)
        if min(own_above) > 0:
            above = ratio_estimate(base_above[:starts], own_above[:starts], seed)
    disk = None
    if found.disk is not None and base_found.disk is not None and found.disk.mb:
        disk = base_found.disk.mb / found.disk.mb
    f1 = None
    if arm.counts and base.counts:
        own_draws, base_draws = (
            macro_draws(macro_counts(which, options), seed) for which in (arm, base)
        )
        if base_draws.min() > 0:
            f1 = estimate_of_draws(own_draws / base_draws)
    return Ratios(
        p50=p50, words_per_second=rates, peak_rss=peak, above_floor=above, disk=disk, f1=f1
    )
