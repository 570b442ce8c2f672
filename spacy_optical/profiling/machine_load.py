"""The machine, how busy it was during a run, and what the system does not report."""

import platform
from pathlib import Path
from typing import Any

from ..compat import require
from ..machine import describe_cpu, installed_versions
from .clock import SCHEDULE
from .memory import RESET, STATUS, reset_peak
from .schema import MEGABYTE, Machine

GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")


class MachineWatch:
    """Observes the machine during a run."""

    def __init__(self) -> None:
        self._psutil: Any = require("psutil", extra="profile")
        self._load, self._times = self._psutil.getloadavg()[0], self._psutil.cpu_times()

    def describe(self) -> Machine:
        """Describe the machine and how busy it was since the start of the run."""
        (cpu, flags), before, after = describe_cpu(), self._times, self._psutil.cpu_times()
        steal = None
        if hasattr(after, "steal"):
            steal = (after.steal - before.steal) / max(sum(after) - sum(before), 1e-9)
        missing = []
        if not SCHEDULE.exists():
            missing.append("how long a process waited for a CPU, so the times include waiting")
        if not STATUS.exists():
            missing.append("peak memory by phase and PSS (there is no /proc)")
        elif not (RESET.exists() and reset_peak()):
            missing.append("peak memory by phase (the peak cannot be reset)")
        return Machine(
            cpu=cpu,
            architecture=platform.machine(),
            flags=flags,
            logical_cpus=self._psutil.cpu_count() or 1,
            memory_mb=self._psutil.virtual_memory().total / MEGABYTE,
            governor=GOVERNOR.read_text().strip() if GOVERNOR.exists() else None,
            system=f"{platform.system()} {platform.release()}",
            python=platform.python_version(),
            versions=installed_versions(),
            load_before=self._load,
            load_after=self._psutil.getloadavg()[0],
            steal=steal,
            missing=missing,
        )
