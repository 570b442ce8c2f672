"""Time that a process runs or sleeps, without the time that it waits while another has the CPU.

The kernel counts, in nanoseconds, how long a thread was ready to run and did not
(`/proc/PID/schedstat`, second number; Documentation/scheduler/sched-stats.rst). With that
subtracted, a busy machine gives the figures of a quiet one. Only the standard library is imported.
"""

import os
import time
from pathlib import Path

SCHEDULE = Path("/proc/self/schedstat")


class Clock:
    """Measures spans; `subtract` is for one thread, as the waiting of several is not known."""

    def __init__(self, *, subtract: bool) -> None:
        self._file: int | None = None
        if subtract and SCHEDULE.exists():
            self._file = os.open(SCHEDULE, os.O_RDONLY)

    def waited(self) -> int:
        """Tell how long the main thread has waited for a CPU so far."""
        if self._file is None:
            return 0
        return int(os.pread(self._file, 96, 0).split()[1])

    def now(self) -> tuple[int, int]:
        """Tell the time and the waiting so far, both in nanoseconds."""
        return time.perf_counter_ns(), self.waited()

    def since(self, begun: tuple[int, int]) -> tuple[int, int]:
        """Tell what passed since `now` gave a pair."""
        waited = self.waited()
        passed = time.perf_counter_ns() - begun[0]
        return passed, min(waited - begun[1], passed)
