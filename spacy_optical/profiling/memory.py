"""Memory of this process: now, and its peak since the last reset.

Only the standard library is imported here: this runs in processes whose memory is measured.
"""

import sys
from pathlib import Path

STATUS = Path("/proc/self/status")
SHARES = Path("/proc/self/smaps_rollup")
PROCESSES = Path("/proc")
RESET = Path("/proc/self/clear_refs")


def read_memory() -> dict[str, int | None]:
    """Give the memory of this process in bytes.

    RETURNS (Dict[str, Optional[int]]): `rss`, resident now; `peak`, the highest since `reset_peak`,
        or without /proc since the process began; `pss`, None if the system does not report it.
    """
    if not STATUS.exists():
        return _read_without_proc()
    status = _fields(STATUS)
    return {"rss": status["VmRSS"], "peak": status["VmHWM"], "pss": _fields(SHARES).get("Pss")}


def read_family() -> dict[str, int] | None:
    """Give the sums of `rss` and `pss` of this process and its children in bytes, if reported."""
    try:
        files = (PROCESSES / "self" / "task").glob("*/children")
        processes = ["self", *(child for file in files for child in file.read_text().split())]
        return {
            "rss": sum(_fields(PROCESSES / one / "status")["VmRSS"] for one in processes),
            "pss": sum(_fields(PROCESSES / one / "smaps_rollup")["Pss"] for one in processes),
        }
    except (OSError, KeyError):
        # A child may end meanwhile.
        return None


def reset_peak() -> bool:
    """Reset the peak to what is resident now, and return whether the system allows it."""
    try:
        RESET.write_text("5")  # as proc(5) says
    except OSError:
        return False
    return True


def _fields(path: Path) -> dict[str, int]:
    """Lines such as `VmHWM:   1234 kB`, in bytes; none where the file cannot be read."""
    found = {}
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return {}
    for line in lines:
        name, _, rest = line.partition(":")
        words = rest.split()
        if len(words) == 2 and words[1] == "kB":
            found[name] = int(words[0]) * 1024  # the kernel's kB
    return found


def _read_without_proc() -> dict[str, int | None]:
    import psutil

    info = psutil.Process().memory_info()
    peak = getattr(info, "peak_wset", None)
    if peak is None:
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return {"rss": info.rss, "peak": peak, "pss": None}
