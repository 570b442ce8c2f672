"""A limit on the memory of a measured process, which stands for a device that has no more.

`RLIMIT_AS` (setrlimit(2)) limits the address space, which counts pages that were never touched too
and so is stricter than the device. A control group limits what is resident, as the device does, and
ends a process that goes beyond (`memory.max` of version 2, `memory.limit_in_bytes` of version 1;
Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst of Linux); it is made only inside a
group that the user names. Only the standard library is imported: measured processes import this.
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
    """The limit of one process.

    size (int): Bytes.
    group (Optional[Path]): The control group for the process; without one its address space is
        limited.
    """

    size: int
    group: Path | None = None

    @classmethod
    def new(cls, size: int, parent: Path | None = None) -> "MemoryLimit":
        """Make a limit for one process.

        size (int): Bytes.
        parent (Optional[Path]): A control group in which one for the process is made.
        RETURNS (MemoryLimit): The limit; to be closed when the process has ended.
        RAISES (OSError): If the group does not allow it.
        """
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
    """Put a limit on this process.

    argument (str): As `MemoryLimit.argument` gives it; nothing is done if it is empty.
    RAISES (OSError): If the control group does not take the process.
    """
    size, _, group = argument.partition(":")
    if group:
        (Path(group) / MEMBERS).write_text(str(os.getpid()))
    elif size:
        # There is no such module on Windows.
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (int(size), int(size)))
