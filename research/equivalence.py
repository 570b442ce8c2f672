"""The control: two pipelines with the same graph should have the same cost."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from spacy_optical.compat import require
from spacy_optical.profiling.estimates import ratio_estimate
from spacy_optical.profiling.schema import Estimate, Profile

from .study import ControlPair, StudiedReport

# The level of each of the two one-sided tests.
LEVEL = 0.05


@dataclass(frozen=True)
class Equivalence:
    """The ratio of one cost of two pipelines, with transport divided by without.

    metric (str): The name of the cost.
    ratio (Estimate): The ratio; 1 is equal.
    p (float): The larger p of the two one-sided tests. NaN if there is only one sample.
    """

    metric: str
    ratio: Estimate
    p: float

    @property
    def shown(self) -> bool:
        """Whether the test shows that the costs are equivalent."""
        return self.p < LEVEL


def equivalences(report: StudiedReport, pair: ControlPair) -> list[Equivalence]:
    """Test whether two pipelines with the same graph have the same cost.

    report (StudiedReport): The figures.
    pair (ControlPair): The pipelines.
    RETURNS (List[Equivalence]): One for each cost that both have.
    """
    rows = {profile.name: profile for profile in report.profiles}
    own, other = rows.get(pair.with_transport), rows.get(pair.without)
    if own is None or other is None or report.study is None:
        return []
    seed, margin = report.settings.seed, report.study.margin
    tests = []
    for metric, above, below in _costs(own, other):
        if above.samples and below.samples:
            ratio = ratio_estimate(above.samples, below.samples, seed)
            tests.append(Equivalence(metric, ratio, tost(ratio.samples, margin)))
    return tests


def _costs(own: Profile, other: Profile) -> Iterator[tuple[str, Estimate, Estimate]]:
    """The costs of both, sampled in the same rounds or starts."""
    if own.latency is not None and other.latency is not None:
        yield "p50 of one text", own.latency.p50_ms, other.latency.p50_ms
    rates = {one.batch_size: one.words_per_second for one in other.throughput}
    for one in own.throughput:
        if one.batch_size in rates:
            # Time per word, so that less is better, as in the other rows.
            yield (
                f"time in batches of {one.batch_size}",
                rates[one.batch_size],
                one.words_per_second,
            )
    if own.memory is not None and other.memory is not None:
        yield "peak RSS", own.memory.peak_rss_mb, other.memory.peak_rss_mb


def tost(ratios: Sequence[float], margin: float) -> float:
    """Do two one-sided t tests on the logarithms of ratios (Schuirmann 1987).

    ratios (Sequence[float]): Ratios of paired samples.
    margin (float): The ratio is equivalent to 1 between 1 / (1 + margin) and 1 + margin.
    RETURNS (float): The larger p; NaN with one ratio.
    RAISES (MissingDependency): If scipy is not installed.
    """
    logs, limit = np.log(ratios), math.log1p(margin)
    if len(logs) < 2:
        return math.nan
    if np.ptp(logs) < 1e-12:
        # The t test needs some variance.
        return 0.0 if abs(logs[0]) < limit else 1.0
    test = require("scipy.stats", extra="profile").ttest_1samp
    above = test(logs, -limit, alternative="greater").pvalue
    below = test(logs, limit, alternative="less").pvalue
    return float(max(above, below))
