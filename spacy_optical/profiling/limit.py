"""A limit on the memory of a measured process, to simulate a small device.

`RLIMIT_AS` limits the address space, including unused pages. A control group limits resident
memory, and the kernel kills a process above the limit. This module only imports the standard
library.
"""

import itertools
import os
import sys
from dataclasses import dataclass
from pathlib import Path

# The file with the limit of a control group, in version 2 and in version 1.
LIMITS = ("memory.max", "memory.limit_in_bytes")
# Small devices have no swap. Some kernels do not have this file.
SWAP = "memory.swap.max"

_numbers = itertools.count()


def can_limit() -> bool:
    """Check if the system enforces a limit. macOS ignores it, Windows does not have one."""
    return sys.platform == "linux"


@dataclass(frozen=True)
class MemoryLimit:
    """The limit of one process in bytes, for its control group or else its address space."""

    size: int
    group: Path | None = None

    @classmethod
    def new(cls, size: int, parent: Path | None = None) -> "MemoryLimit":
        """Create a limit, with a control group in `parent` if that is given."""
        if parent is None:
            return cls(size)
        group = Path(parent) / f"spacy-optical-{os.getpid()}-{next(_numbers)}"
        group.mkdir()
        try:
            file = next((group / name for name in LIMITS if (group / name).exists()), None)
            if file is None:
                raise OSError(f"groups inside it have no {' or '.join(LIMITS)}")
            file.write_text(str(size))
            if (group / SWAP).exists():
                (group / SWAP).write_text("0")
        except OSError:
            group.rmdir()
            raise
        return cls(size, group)

    @property
    def argument(self) -> str:
        """The argument of `enter_limit`."""
        return f"{self.size}:{self.group or ''}"

    def close(self) -> None:
        """Remove the control group. Its process must have ended."""
        if self.group is not None:
            self.group.rmdir()


def enter_limit(argument: str) -> None:
    """Set a limit for this process."""
    size, _, group = argument.partition(":")
    if group:
        (Path(group) / "cgroup.procs").write_text(str(os.getpid()))
    elif size:
        import resource  # not on Windows

        resource.setrlimit(resource.RLIMIT_AS, (int(size), int(size)))
