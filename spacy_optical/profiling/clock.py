"""A clock that does not count the time in which a process waits for a CPU.

Linux counts for how many nanoseconds a thread was ready but did not run (second number of
`/proc/PID/schedstat`, see Documentation/scheduler/sched-stats.rst). Without this time, the figures
do not depend on how busy the machine is. This module only imports the standard library.
"""

import os
import time
from pathlib import Path

SCHEDULE = Path("/proc/self/schedstat")


class Clock:
    """Measures time spans. `subtract` needs a single thread: only the main thread is read."""

    def __init__(self, *, subtract: bool) -> None:
        self._file: int | None = None
        if subtract and SCHEDULE.exists():
            self._file = os.open(SCHEDULE, os.O_RDONLY)

    def _waited(self) -> int:
        return 0 if self._file is None else int(os.pread(self._file, 96, 0).split()[1])

    def now(self) -> tuple[int, int]:
        """Return the time and the waiting time until now, in nanoseconds."""
        return time.perf_counter_ns(), self._waited()

    def since(self, begun: tuple[int, int]) -> tuple[int, int]:
        """Return the time and the waiting time since `now` returned `begun`, in nanoseconds."""
        waited = self._waited()
        passed = time.perf_counter_ns() - begun[0]
        return passed, min(waited - begun[1], passed)
