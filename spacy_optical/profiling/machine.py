"""The machine: what it is, how busy it was, and what could not be found out."""

import os
import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .clock import SCHEDULE
from .memory import RESET, STATUS, reset_peak
from .schema import MEGABYTE, Machine

PACKAGES = (
    "spacy-optical",
    "spacy",
    "thinc",
    "numpy",
    "onnxruntime",
    "tokenizers",
    "torch",
    "transformers",
    "spacy-transformers",
)

CPU_INFO = Path("/proc/cpuinfo")
CPU_TIMES = Path("/proc/stat")
MEMORY_INFO = Path("/proc/meminfo")
GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")


class MachineWatch:
    """Looks at the machine before and after a run."""

    def __init__(self) -> None:
        self._load = load_average()
        self._times = _cpu_times()

    def describe(self) -> Machine:
        """Describe the machine and how busy it was since this was made.

        RETURNS (Machine): The description.
        """
        info = dict(_cpu_info())
        times = _cpu_times()
        steal = None
        if times is not None and self._times is not None:
            total = times[1] - self._times[1]
            steal = (times[0] - self._times[0]) / total if total else 0.0
        return Machine(
            cpu=info.get("model name") or platform.processor() or platform.machine(),
            architecture=platform.machine(),
            flags=(info.get("flags") or info.get("Features") or "").split(),
            logical_cpus=os.cpu_count() or 1,
            memory_mb=_memory_mb(),
            governor=GOVERNOR.read_text().strip() if GOVERNOR.exists() else None,
            system=f"{platform.system()} {platform.release()}",
            python=platform.python_version(),
            versions=dict(_versions()),
            load_before=self._load,
            load_after=load_average(),
            steal=steal,
            missing=_missing(),
        )


def load_average() -> float | None:
    """Tell how many processes wanted to run in the last minute, or None if the system does not."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def _missing() -> list[str]:
    found = []
    if not SCHEDULE.exists():
        found.append("how long a process waited for a CPU, so busy spells count as its own")
    if not STATUS.exists():
        found.append("peak memory by phase, PSS, steal time and CPU flags (there is no /proc)")
    elif not (RESET.exists() and reset_peak()):
        found.append("peak memory by phase (the system does not reset it)")
    return found


def _cpu_info() -> Iterator[tuple[str, str]]:
    """Names and values of the first CPU."""
    if not CPU_INFO.exists():
        return
    for line in CPU_INFO.read_text().splitlines():
        name, colon, value = line.partition(":")
        if not colon:
            return
        yield name.strip(), value.strip()


def _cpu_times() -> tuple[int, int] | None:
    """Ticks that the host took away, and all ticks, since the system started."""
    if not CPU_TIMES.exists():
        return None
    ticks = [int(word) for word in CPU_TIMES.read_text().splitlines()[0].split()[1:9]]
    return ticks[7], sum(ticks)


def _memory_mb() -> float | None:
    if not MEMORY_INFO.exists():
        return None
    kibibytes = int(MEMORY_INFO.read_text().splitlines()[0].split()[1])
    return kibibytes * 1024 / MEGABYTE


def _versions() -> Iterator[tuple[str, str]]:
    for package in PACKAGES:
        try:
            yield package, version(package)
        except PackageNotFoundError:
            continue
