"""What a reader of the figures must know about the run."""

from collections.abc import Sequence

from .options import Options
from .schema import Machine, NotRun, Profile

# Beyond these the machine had other work to do.
MOST_STEAL = 0.01
MOST_WAITING = 0.1
# An interval whose half is more than this share of its figure is called wide.
WIDE = 0.15


def warnings_for(
    profiles: Sequence[Profile],
    machine: Machine,
    options: Options,
    not_run: Sequence[NotRun] = (),
    *,
    complete: bool,
) -> list[str]:
    """Say what a reader of the figures must know.

    profiles (Sequence[Profile]): The pipelines.
    machine (Machine): Where they were measured.
    options (Options): How they were measured.
    not_run (Sequence[NotRun]): Pipelines that do not run within the memory limit.
    complete (bool): Whether the run came to its end.
    RETURNS (List[str]): One sentence each.
    """
    found = []
    if not complete:
        found.append("The run was stopped before its end: figures are partial.")
    if options.memory_limit_mb is not None:
        found.append(
            f"Each process was limited to {options.memory_limit_mb:g} MB of {options.limit_kind}, "
            "to stand for a small device: its processor, caches and storage are not imitated."
        )
    found.extend(
        f"{one.name} runs, and not within the memory limit: {one.reason}" for one in not_run
    )
    found.extend(f"This system does not tell {missing}." for missing in machine.missing)
    load = machine.load_before
    if load is not None and load > machine.logical_cpus - options.threads:
        found.append(
            f"The machine was busy when the run began: load average {load:.1f} on "
            f"{machine.logical_cpus} CPUs."
        )
    if machine.steal is not None and machine.steal > MOST_STEAL:
        found.append(f"The host took {machine.steal:.1%} of the CPU time for other machines.")
    for profile in profiles:
        latency, ratios = profile.latency, profile.ratios
        if latency is None:
            continue
        if latency.waiting_share > MOST_WAITING:
            found.append(
                f"{profile.name} waited {latency.waiting_share:.0%} of the time for a CPU that "
                "other programs had; the waiting is subtracted."
            )
        if latency.p50_ms.half_width > WIDE:
            found.append(
                f"The interval of {profile.name}'s p50 is wide "
                f"({latency.p50_ms.low:.2f} to {latency.p50_ms.high:.2f} ms)."
            )
        p50 = None if ratios is None or profile.name == options.baseline else ratios.p50
        if p50 is not None and p50.low <= 1 <= p50.high:
            found.append(
                f"The difference in p50 between {profile.name} and {options.baseline} is within "
                "the noise of this run."
            )
    return found
