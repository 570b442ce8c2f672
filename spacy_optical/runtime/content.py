"""The files of a bundle: checked when it is loaded, and read again when their content is needed.

Only saving and pickling need the content of the model after its session is built. Keeping it would
double the memory of the weights.
"""

import hashlib
import os
import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from ..errors import Errors, OpticalError

MAX_FILE_BYTES = 2**31 - 1
MAX_MANIFEST_BYTES = 2**20
# The system keeps what is written at once in pages of up to that size, and maps whole ones.
PART_BYTES = 2**16

# An open file can be read after it was deleted or replaced, except on Windows.
STAYS_READABLE = hasattr(os, "pread")


@dataclass(frozen=True)
class FileEntry:
    """Size and hash of a file.

    size (int): Bytes.
    sha256 (str): SHA-256 in lower-case hexadecimal.
    """

    size: Annotated[int, Field(ge=0, le=MAX_FILE_BYTES)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

    @classmethod
    def of(cls, content: "bytes | StoredFile") -> "FileEntry":
        """Get the size and hash of a content."""
        if isinstance(content, StoredFile):
            return content.entry
        return cls(len(content), hashlib.sha256(content).hexdigest())

    def check(self, found: "FileEntry", *, name: str, path: str | Path) -> None:
        """Raise an error if a file of the bundle `path` has another size or hash."""
        if found.size != self.size:
            sizes = {"found": found.size, "expected": self.size}
            raise OpticalError(Errors.E104.format(name=name, path=path, **sizes))
        if found.sha256 != self.sha256:
            raise OpticalError(Errors.E105.format(name=name, path=path))


class StoredFile:
    """A file that is kept open. Its content is read when needed. It is pickled as bytes.

    folder (Path): The bundle's folder.
    name (str): The name of the file in it.
    entry (FileEntry): Its size and hash in the manifest.
    RAISES (OpticalError): If the file is missing, not a regular file, or has another size.
    """

    def __init__(self, folder: Path, name: str, entry: FileEntry) -> None:
        self.folder = folder
        self.name = name
        self.entry = entry
        self._file = _opened(folder, name)
        self._close = weakref.finalize(self, os.close, self._file)
        entry.check(FileEntry(os.fstat(self._file).st_size, entry.sha256), name=name, path=folder)

    def parts(self) -> Iterator[bytes]:
        """Read the content in parts.

        YIELDS (bytes): The parts.
        RAISES (OpticalError): If the file cannot be read or, after the last part, if the content
            does not match the manifest.
        """
        digest, at = hashlib.sha256(), 0
        with _refused_reads(self.folder, self.name):
            while part := _part(self._file, at):
                digest.update(part)
                at += len(part)
                yield part
        self.entry.check(FileEntry(at, digest.hexdigest()), name=self.name, path=self.folder)

    def read(self) -> bytes:
        """Read the whole content, see `parts`."""
        return b"".join(self.parts())

    def checked(self) -> "StoredFile | bytes":
        """Check the content, see `parts`.

        RETURNS (Union[StoredFile, bytes]): This file, or its content on Windows.
        """
        if not STAYS_READABLE:
            return self.read()
        deque(self.parts(), maxlen=0)  # does not hold the parts in memory
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return bytes, (self.read(),)


class Content:
    """A dataclass field that is set to bytes or to a `StoredFile`, and is read as bytes.

    default (Optional[bytes]): The default; None if the field is required.
    """

    def __init__(self, default: bytes | None = None) -> None:
        self.default = default

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type | None = None) -> bytes:
        if instance is None:  # dataclasses ask for the default
            if self.default is None:
                raise AttributeError(self.name)
            return self.default
        held = instance.__dict__[self.name]
        return held.read() if isinstance(held, StoredFile) else held

    def __set__(self, instance: Any, value: bytes | StoredFile) -> None:
        instance.__dict__[self.name] = value


def write_content(content: bytes | StoredFile, path: Path) -> None:
    """Write a content to a file. That of a stored file is copied in parts.

    RAISES (OpticalError): If the content cannot be read or does not match the manifest.
    RAISES (OSError): If the file cannot be written.
    """
    with path.open("wb") as out:
        out.writelines([content] if isinstance(content, bytes) else content.parts())


def read_manifest(folder: Path, name: str) -> bytes:
    """Read the manifest of a bundle.

    RAISES (OpticalError): If the file is missing, cannot be read or is too large.
    """
    with os.fdopen(_opened(folder, name), "rb") as file, _refused_reads(folder, name):
        content = file.read(MAX_MANIFEST_BYTES + 1)
    if len(content) > MAX_MANIFEST_BYTES:
        sizes = {"found": "too many", "expected": f"at most {MAX_MANIFEST_BYTES}"}
        raise OpticalError(Errors.E104.format(name=name, path=folder, **sizes))
    return content


def _opened(folder: Path, name: str) -> int:
    path = folder / name
    if not os.path.isfile(path):  # opening a named pipe would wait for its writer
        raise OpticalError(Errors.E102.format(name=name, path=folder))
    with _refused_reads(folder, name):
        return os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))


def _part(file: int, at: int) -> bytes:
    if STAYS_READABLE:  # does not move the position, which threads and forked processes share
        return os.pread(file, PART_BYTES, at)
    os.lseek(file, at, os.SEEK_SET)
    return os.read(file, PART_BYTES)


@contextmanager
def _refused_reads(folder: Path, name: str) -> Iterator[None]:
    """Raise an `OpticalError` if the system refuses to read a file of a bundle."""
    try:
        yield
    except OSError as err:
        reason = err.strerror or err
        raise OpticalError(Errors.E106.format(name=name, path=folder, reason=reason)) from err
