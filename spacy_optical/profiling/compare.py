"""Comparing two runs: did anything get worse?"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..errors import Errors, OpticalError
from .cells import Cell, Table, cell
from .estimates import independent_ratio
from .schema import Estimate, Profile, ProfileReport

# A figure may get worse by this share of it before it counts.
MOST_WORSE = 0.1
# The same for F1, in points of 1; on the same gold F1 has no noise.
MOST_F1_LOST = 0.01


@dataclass(frozen=True)
class Change:
    """One figure in two runs.

    pipeline (str): The pipeline's name.
    metric (str): The figure's name and unit.
    old (float): The figure before.
    new (float): The figure now.
    worse (Estimate): How many times worse it is now; below 1 is better.
    regressed (bool): Whether it is worse by more than is allowed, and surely worse at all.
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
    most_f1_lost: float = MOST_F1_LOST,
    force: bool = False,
) -> list[Change]:
    """Compare the pipelines that two runs have in common, by name.

    old (ProfileReport): The earlier run.
    new (ProfileReport): The later run.
    most_worse (float): How much worse a figure may be, as a share of it.
    most_f1_lost (float): How much macro F1 may be lost, in points of 1.
    force (bool): Whether to compare what was measured on other machines, texts or settings.
    RETURNS (List[Change]): A row for each figure that both runs have.
    RAISES (OpticalError): If the runs differ in machine, texts, gold or settings, or have no
        pipeline in common.
    """
    if not force:
        for what, before, after in _conditions(old, new):
            if before != after:
                raise OpticalError(Errors.E616.format(what=what, old=before, new=after))
    earlier = {found.name: found for found in old.profiles}
    pairs = [(earlier[found.name], found) for found in new.profiles if found.name in earlier]
    lost = [one.name for one in new.not_run if one.name in earlier]
    if not pairs and not lost:
        raise OpticalError(Errors.E617.format(names=", ".join(earlier)))
    seed = new.settings.seed
    changes = [
        change
        for before, after in pairs
        for change in _changes(before, after, most_worse, most_f1_lost, seed)
    ]
    # What ran within the limit and no longer does has no figures to compare.
    worst = Estimate(value=math.inf, low=math.inf, high=math.inf)
    changes.extend(Change(name, "runs within the limit", 1, 0, worst, True) for name in lost)
    return changes


def _conditions(old: ProfileReport, new: ProfileReport) -> Iterator[tuple[str, object, object]]:
    """What must be alike for figures to be comparable."""
    yield "machine", old.machine.cpu, new.machine.cpu
    yield "number of CPUs", old.machine.logical_cpus, new.machine.logical_cpus
    yield "number of threads", old.settings.threads, new.settings.threads
    limits = [
        f"{run.settings.memory_limit_mb:g} MB of {run.settings.memory_limit_kind}"
        if run.settings.memory_limit_mb is not None
        else "none"
        for run in (old, new)
    ]
    yield "memory limit", limits[0], limits[1]
    yield "set of texts", old.settings.texts_sha256[:12], new.settings.texts_sha256[:12]
    before, after = (
        ", ".join(f"{code} {file.sha256[:12]}" for code, file in run.settings.gold.items())
        for run in (old, new)
    )
    yield "gold", before, after


def _changes(
    before: Profile, after: Profile, most_worse: float, most_f1_lost: float, seed: int
) -> Iterator[Change]:
    costs: list[tuple[str, Estimate, Estimate]] = []
    if before.latency is not None and after.latency is not None:
        costs.append(("p50 ms", before.latency.p50_ms, after.latency.p50_ms))
    if before.memory is not None and after.memory is not None:
        costs.append(("peak RSS MB", before.memory.peak_rss_mb, after.memory.peak_rss_mb))
    for metric, was, now in costs:
        worse = independent_ratio(now.samples, was.samples, seed)
        yield _change(after.name, metric, was.value, now.value, worse, most_worse)
    rates = {one.batch_size: one.words_per_second for one in before.throughput}
    for one in after.throughput:
        if one.batch_size in rates:
            rate_was, rate = rates[one.batch_size], one.words_per_second
            worse = independent_ratio(rate_was.samples, rate.samples, seed)
            metric = f"words/s, batch {one.batch_size}"
            yield _change(after.name, metric, rate_was.value, rate.value, worse, most_worse)
    if before.disk is not None and after.disk is not None and before.disk.mb:
        ratio = after.disk.mb / before.disk.mb
        worse = Estimate(value=ratio, low=ratio, high=ratio)
        yield _change(after.name, "disk MB", before.disk.mb, after.disk.mb, worse, most_worse)
    if before.macro_f1 is not None and after.macro_f1 is not None:
        was_f1, now_f1 = before.macro_f1.value, after.macro_f1.value
        ratio = was_f1 / now_f1 if now_f1 else float(was_f1 == 0) or float("inf")
        worse = Estimate(value=ratio, low=ratio, high=ratio)
        lost = was_f1 - now_f1 > most_f1_lost
        yield Change(after.name, "macro F1 %", was_f1 * 100, now_f1 * 100, worse, lost)


def _change(
    name: str, metric: str, old: float, new: float, worse: Estimate, most_worse: float
) -> Change:
    regressed = worse.value > 1 + most_worse and worse.low > 1
    return Change(name, metric, old, new, worse, regressed)


def change_table(changes: Sequence[Change]) -> Table:
    """Show what changed between two runs.

    changes (Sequence[Change]): The figures.
    RETURNS (Table): A row for each.
    """
    rows = tuple(
        (
            Cell(f"{one.pipeline}, {one.metric}"),
            cell(one.old),
            cell(one.new),
            cell(one.worse, unit="×"),
            Cell(cell(one.worse).interval),
            Cell("worse" if one.regressed else "ok"),
        )
        for one in changes
    )
    header = ("Figure", "Before", "Now", "Times worse", "95 % interval", "Verdict")
    return Table("Against the earlier run", header, rows)
