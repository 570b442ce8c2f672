"""Memory of this process: now, and its peak since the last reset.

Measured processes import this module, so it only imports the standard library.
"""

import re
import sys
from pathlib import Path

STATUS = Path("/proc/self/status")
SHARES = Path("/proc/self/smaps_rollup")
PROCESSES = Path("/proc")
RESET = Path("/proc/self/clear_refs")


def read_memory() -> dict[str, int | None]:
    """Read the memory of this process in bytes.

    RETURNS (Dict[str, Optional[int]]): `rss`, resident now; `peak`, the highest since `reset_peak`,
        or since the start of the process if there is no /proc; `pss`, None if the system does not
        report it.
    """
    if not STATUS.exists():
        return _read_without_proc()
    status = _fields(STATUS)
    return {"rss": status["VmRSS"], "peak": status["VmHWM"], "pss": _fields(SHARES).get("Pss")}


def read_family() -> dict[str, int] | None:
    """Sum `rss` and `pss` of this process and its children in bytes. None if not reported."""
    try:
        files = (PROCESSES / "self" / "task").glob("*/children")
        children = [child for file in files for child in file.read_text().split()]
        if not children:  # they have ended, or the kernel does not list them
            return None
        processes = ["self", *children]
        return {
            "rss": sum(_fields(PROCESSES / one / "status")["VmRSS"] for one in processes),
            "pss": sum(_fields(PROCESSES / one / "smaps_rollup")["Pss"] for one in processes),
        }
    except (OSError, KeyError):
        # A child process may end while its files are read.
        return None


def reset_peak() -> bool:
    """Reset the peak to the memory that is resident now. Return False if this is not possible."""
    try:
        RESET.write_text("5")  # see proc(5)
    except OSError:
        return False
    return True


def _fields(path: Path) -> dict[str, int]:
    """Read lines such as `VmHWM:   1234 kB`, in bytes. Empty if the file cannot be read."""
    try:
        lines = re.findall(r"^(\w+):\s+(\d+) kB$", path.read_text(), re.MULTILINE)
    except OSError:
        return {}
    return {name: int(size) * 1024 for name, size in lines}


def _read_without_proc() -> dict[str, int | None]:
    import psutil

    info = psutil.Process().memory_info()
    peak = getattr(info, "peak_wset", None)
    if peak is None:
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return {"rss": info.rss, "peak": peak, "pss": None}
