"""Comparing two runs: did anything get worse?"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import Errors, OpticalError
from .cells import number
from .estimates import independent_ratio
from .schema import Estimate, Profile, ProfileReport
from .tables import make_table

if TYPE_CHECKING:
    from pandas import DataFrame

# A figure may get worse by this fraction before it counts.
MOST_WORSE = 0.1
# The same for macro F1, in points; on the same gold F1 has no noise.
MOST_F1_LOST = 1.0


@dataclass(frozen=True)
class Change:
    """One figure in two runs.

    worse (Estimate): How many times worse it is now; below 1 is better.
    regressed (bool): Whether it is significantly worse, by more than is allowed.
    """

    pipeline: str
    metric: str
    old: float
    new: float
    worse: Estimate
    regressed: bool


def compare(
    old: ProfileReport,
    new: ProfileReport,
    *,
    most_worse: float = MOST_WORSE,
    force: bool = False,
) -> list[Change]:
    """Compare the pipelines that two runs have in common, by name.

    most_worse (float): How much worse a figure may be, as a fraction of it.
    force (bool): Whether to compare runs on different machines, texts or settings.
    RETURNS (List[Change]): One row per figure that both runs have.
    RAISES (OpticalError): If the runs differ in machine, texts, gold or settings, or have no
        pipeline in common.
    """
    if not force:
        after = _conditions(new)
        for what, before in _conditions(old).items():
            if before != after[what]:
                raise OpticalError(Errors.E616.format(what=what, old=before, new=after[what]))
    earlier = {one.name: one for one in old.profiles}
    pairs = [(earlier[one.name], one) for one in new.profiles if one.name in earlier]
    lost = [one.name for one in new.not_run if one.name in earlier]
    if not pairs and not lost:
        raise OpticalError(Errors.E617.format(names=", ".join(earlier)))
    changes = []
    for was, now in pairs:
        for metric, first, second in _costs(was, now):
            # For speeds more is better.
            above, below = (first, second) if "words/s" in metric else (second, first)
            worse = independent_ratio(above.samples, below.samples, new.settings.seed)
            regressed = worse.value > 1 + most_worse and worse.low > 1
            changes.append(Change(now.name, metric, first.value, second.value, worse, regressed))
        if was.macro_f1 is not None and now.macro_f1 is not None:
            old_f1, new_f1 = was.macro_f1.value * 100, now.macro_f1.value * 100
            worse = Estimate.certain(old_f1 / new_f1 if new_f1 else math.inf if old_f1 else 1.0)
            regressed = old_f1 - new_f1 > MOST_F1_LOST
            changes.append(Change(now.name, "macro F1 %", old_f1, new_f1, worse, regressed))
    # A pipeline that no longer runs within the limit has no figures to compare.
    worst = Estimate.certain(math.inf)
    changes += [Change(name, "runs within the limit", 1, 0, worst, True) for name in lost]
    return changes


def _conditions(run: ProfileReport) -> dict[str, object]:
    """What has to be equal for figures to be comparable."""
    settings, limit = run.settings, "none"
    if settings.memory_limit_mb is not None:
        limit = f"{settings.memory_limit_mb:g} MB of {settings.memory_limit_kind}"
    return {
        "machine": run.machine.cpu,
        "number of CPUs": run.machine.logical_cpus,
        "number of threads": settings.threads,
        "memory limit": limit,
        "set of texts": settings.texts_sha256[:12],
        "gold": ", ".join(f"{code} {one.sha256[:12]}" for code, one in settings.gold.items()),
    }


def _costs(was: Profile, now: Profile) -> Iterator[tuple[str, Estimate, Estimate]]:
    if was.latency is not None and now.latency is not None:
        yield "p50 ms", was.latency.p50_ms, now.latency.p50_ms
    if was.memory is not None and now.memory is not None:
        yield "peak RSS MB", was.memory.peak_rss_mb, now.memory.peak_rss_mb
    rates = {one.batch_size: one.words_per_second for one in was.throughput}
    for one in now.throughput:
        if one.batch_size in rates:
            yield f"words/s, batch {one.batch_size}", rates[one.batch_size], one.words_per_second
    if was.disk is not None and now.disk is not None and was.disk.mb:
        yield "disk MB", Estimate.certain(was.disk.mb), Estimate.certain(now.disk.mb)


def change_table(changes: Sequence[Change]) -> "DataFrame":
    """Show what changed between two runs."""
    header = ("Figure", "Before", "Now", "Times worse", "95 % interval", "Verdict")
    rows = [
        (
            f"{one.pipeline}, {one.metric}",
            *map(number, (one.old, one.new, one.worse.value)),
            f"{number(one.worse.low)} to {number(one.worse.high)}",
            "worse" if one.regressed else "ok",
        )
        for one in changes
    ]
    return make_table("Compared with the earlier run", header, rows)
