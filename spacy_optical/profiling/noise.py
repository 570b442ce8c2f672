"""Warnings about the conditions of a run."""

from collections.abc import Sequence

from .options import Options
from .schema import Machine, NotRun, Profile

# Shares of the CPU time above which the machine had other work.
MAX_STEAL, MAX_WAITING = 0.01, 0.1
# An interval is wide if half of it is more than this fraction of its figure.
WIDE = 0.15


def warnings_for(
    profiles: Sequence[Profile],
    machine: Machine,
    options: Options,
    not_run: Sequence[NotRun],
    *,
    complete: bool,
) -> list[str]:
    """Write a sentence for each condition that affects the figures."""
    found = []
    if not complete:
        found.append("The run was stopped before its end: the figures are partial.")
    if options.memory_limit_mb is not None:
        found.append(
            f"Each process was limited to {options.memory_limit_mb:g} MB of {options.limit_kind}, "
            "like a small device. Its processor, caches and storage are not simulated."
        )
    found += [f"{one.name} does not run within the memory limit: {one.reason}" for one in not_run]
    found += [f"This system does not report {missing}." for missing in machine.missing]
    load, cpus = machine.load_before, machine.logical_cpus
    if load is not None and load > cpus - options.threads:
        found.append(
            f"The machine was busy when the run began: load average {load:.1f} on {cpus} CPUs."
        )
    if machine.steal is not None and machine.steal > MAX_STEAL:
        found.append(f"The host used {machine.steal:.1%} of the CPU time for other machines.")
    for name, latency, ratios in ((one.name, one.latency, one.ratios) for one in profiles):
        if latency is None:
            continue
        if latency.waiting_share > MAX_WAITING:
            share = f"{latency.waiting_share:.0%}"
            found.append(f"{name} spent {share} of the time waiting for a CPU; it is subtracted.")
        p50 = latency.p50_ms
        if p50.high - p50.low > 2 * WIDE * p50.value:
            found.append(
                f"The interval of {name}'s p50 is wide ({p50.low:.2f} to {p50.high:.2f} ms)."
            )
        ratio = None if ratios is None or name == options.baseline else ratios.p50
        if ratio is not None and ratio.low <= 1 <= ratio.high:
            found.append(
                f"The difference in p50 between {name} and {options.baseline} is not significant."
            )
    return found
