"""A limit on the memory of a measured process, as on a device that has no more.

`RLIMIT_AS` limits the address space, untouched pages too. A control group limits resident memory,
and a process beyond it is killed. Only the standard library is imported.
"""

import itertools
import os
import sys
from dataclasses import dataclass
from pathlib import Path

# The file of a control group that takes the limit, in version 2 and in version 1.
LIMITS = ("memory.max", "memory.limit_in_bytes")
# A device without room has no swap either; not every kernel has this file.
SWAP = "memory.swap.max"
MEMBERS = "cgroup.procs"

_numbers = itertools.count()


def can_limit() -> bool:
    """Tell whether the system keeps a limit: macOS takes one and ignores it, Windows has none."""
    return sys.platform == "linux"


@dataclass(frozen=True)
class MemoryLimit:
    """The limit of one process in bytes: of its control group, else of its address space."""

    size: int
    group: Path | None = None

    @classmethod
    def new(cls, size: int, parent: Path | None = None) -> "MemoryLimit":
        """Make a limit for one process."""
        if parent is None:
            return cls(size)
        group = Path(parent) / f"spacy-optical-{os.getpid()}-{next(_numbers)}"
        group.mkdir()
        try:
            file = next((group / name for name in LIMITS if (group / name).exists()), None)
            if file is None:
                raise OSError(f"it does not offer {' or '.join(LIMITS)} to groups inside")
            file.write_text(str(size))
            if (group / SWAP).exists():
                (group / SWAP).write_text("0")
        except OSError:
            group.rmdir()
            raise
        return cls(size, group)

    @property
    def argument(self) -> str:
        """The limit in one word, for `enter_limit` in the process."""
        return f"{self.size}:{self.group or ''}"

    def close(self) -> None:
        """Remove the control group; its process must have ended."""
        if self.group is not None:
            self.group.rmdir()


def enter_limit(argument: str) -> None:
    """Put a limit on this process."""
    size, _, group = argument.partition(":")
    if group:
        (Path(group) / MEMBERS).write_text(str(os.getpid()))
    elif size:
        # There is no such module on Windows.
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (int(size), int(size)))
