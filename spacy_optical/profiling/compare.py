"""Compare two runs and find the figures that got worse."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import Errors, OpticalError
from .cells import number
from .estimates import independent_ratio
from .schema import Estimate, Profile, ProfileReport
from .tables import make_table

if TYPE_CHECKING:
    from pandas import DataFrame

# Points of macro F1. On the same gold, F1 has no noise.
MAX_F1_LOSS = 1.0


@dataclass(frozen=True)
class Change:
    """One figure in two runs.

    worse (Estimate): How many times worse it is now. Below 1 is better.
    regressed (bool): Whether it is significantly worse, and by more than the limit.
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
    most_worse: float = 0.1,
    force: bool = False,
) -> list[Change]:
    """Compare the pipelines that have the same name in both runs.

    old (ProfileReport): The earlier run.
    new (ProfileReport): The later run.
    most_worse (float): The fraction by which a figure may get worse.
    force (bool): Also compare runs with different machines, texts or settings.
    RETURNS (List[Change]): The changes of all figures that both runs have.
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
        olds, news = _figures(was), _figures(now)
        for metric in (name for name in news if name in olds):
            first, second = olds[metric], news[metric]
            # A higher speed is better.
            above, below = (first, second) if "words/s" in metric else (second, first)
            worse = independent_ratio(above.samples, below.samples, new.settings.seed)
            regressed = worse.value > 1 + most_worse and worse.low > 1
            changes.append(Change(now.name, metric, first.value, second.value, worse, regressed))
        if was.macro_f1 is not None and now.macro_f1 is not None:
            old_f1, new_f1 = was.macro_f1.value * 100, now.macro_f1.value * 100
            worse = Estimate.certain(old_f1 / new_f1 if new_f1 else math.inf if old_f1 else 1.0)
            regressed = old_f1 - new_f1 > MAX_F1_LOSS
            changes.append(Change(now.name, "macro F1 %", old_f1, new_f1, worse, regressed))
    # A pipeline that no longer runs within the limit has no figures to compare.
    worst = Estimate.certain(math.inf)
    changes += [Change(name, "runs within the limit", 1, 0, worst, True) for name in lost]
    return changes


def _conditions(run: ProfileReport) -> dict[str, object]:
    """What must be equal in comparable runs."""
    settings, limit = run.settings, "none"
    gold = settings.gold.items()
    if settings.memory_limit_mb is not None:
        limit = f"{settings.memory_limit_mb:g} MB of {settings.memory_limit_kind}"
    return {
        "machine": run.machine.cpu,
        "number of CPUs": run.machine.logical_cpus,
        "number of threads": settings.threads,
        "memory limit": limit,
        "set of texts": settings.texts_sha256[:12],
        "gold": ", ".join(sorted(f"{code} {one.sha256[:12]}" for code, one in gold)),
        "labels": ", ".join(settings.labels),
        "source language": settings.source_language,
    }


def _figures(found: Profile) -> dict[str, Estimate]:
    costs = found.costs
    figures = {
        "p50 ms": costs.get("p50"),
        "peak RSS MB": costs.get("peak_rss"),
        **{f"words/s, batch {size}": speed for size, speed in found.speeds.items()},
        "disk MB": costs.get("disk"),
    }
    return {name: figure for name, figure in figures.items() if figure is not None}


def change_table(changes: Sequence[Change]) -> "DataFrame":
    """Make a table of the changes between two runs."""
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
