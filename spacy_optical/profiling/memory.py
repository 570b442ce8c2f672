"""Memory of the process that asks: now, and at its peak since the last reset.

Only the standard library is imported here: this runs in processes whose memory is measured.
"""

import sys
from pathlib import Path

STATUS = Path("/proc/self/status")
SHARES = Path("/proc/self/smaps_rollup")
PROCESSES = Path("/proc")
RESET = Path("/proc/self/clear_refs")
# What proc(5) names as the value that resets the peak resident set size.
RESET_PEAK = "5"


def read_memory() -> dict[str, int | None]:
    """Tell the memory of this process.

    RETURNS (Dict[str, Optional[int]]): Bytes: `rss`, resident now; `peak`, the most resident since
        `reset_peak` (where there is no /proc, since the process began); `pss`, resident with
        shared pages divided among their users, or None where the system does not tell.
    """
    if not STATUS.exists():
        return _read_without_proc()
    status = _fields(STATUS)
    return {"rss": status["VmRSS"], "peak": status["VmHWM"], "pss": _pss()}


def read_family() -> dict[str, int] | None:
    """Tell the memory of this process and its children together.

    RETURNS (Optional[Dict[str, int]]): Bytes: `rss`, summed, so that shared pages count once for
        each user; `pss`, summed, so that they count once. None where the system does not tell.
    """
    try:
        processes = ["self", *_children()]
        return {
            "rss": sum(_fields(PROCESSES / one / "status")["VmRSS"] for one in processes),
            "pss": sum(_fields(PROCESSES / one / "smaps_rollup")["Pss"] for one in processes),
        }
    except (OSError, KeyError):
        # A child may end between two looks, and is then without memory.
        return None


def _children() -> list[str]:
    files = (PROCESSES / "self" / "task").glob("*/children")
    return [child for file in files for child in file.read_text().split()]


def reset_peak() -> bool:
    """Let the peak begin anew at what is resident now.

    RETURNS (bool): Whether the system allows it.
    """
    try:
        RESET.write_text(RESET_PEAK)
    except OSError:
        return False
    return True


def _pss() -> int | None:
    try:
        return _fields(SHARES).get("Pss")
    except OSError:
        return None


def _fields(path: Path) -> dict[str, int]:
    """Lines such as `VmHWM:   1234 kB`, in bytes; the kernel's kB are 1024 bytes."""
    found = {}
    for line in path.read_text().splitlines():
        name, _, rest = line.partition(":")
        words = rest.split()
        if len(words) == 2 and words[1] == "kB":
            found[name] = int(words[0]) * 1024
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
