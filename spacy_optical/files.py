"""Write files and folders completely or not at all, and hash them."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from .errors import Errors, OpticalError

Record = TypeVar("Record")


@contextmanager
def refused_writes(path: Path) -> Iterator[None]:
    """Raise an `OpticalError` if the system refuses a write to `path`."""
    try:
        yield
    except OSError as err:
        raise OpticalError(Errors.E003.format(path=path, reason=_reason(err))) from err


def _reason(err: OSError) -> str:
    """Describe a system error with its file, which may be one that could not be read."""
    file = f" ({err.filename})" if err.filename else ""
    return f"{err.strerror or err}{file}"


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Write to a temporary file that replaces `path` if the block succeeds.

    path (Path): The file to write. Its folder is created if needed.
    YIELDS (Path): The temporary file, in the same folder.
    RAISES (OpticalError): If the system refuses the write, e.g. on a full disk. `path` is not
        changed.
    """
    path = Path(path)
    with refused_writes(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            temporary.chmod(0o644)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def folder_written_whole(path: Path, *, marker: str, partial: Path | None = None) -> Iterator[Path]:
    """Write to a temporary folder that replaces `path` if the block succeeds.

    path (Path): The folder to write.
    marker (str): A file that every folder of this kind has. Other folders are not replaced.
    partial (Optional[Path]): A folder beside `path` to use as the temporary folder. It is kept if
        the block fails.
    YIELDS (Path): The temporary folder.
    RAISES (OpticalError): If `path` is a folder of another kind or a file, or the system refuses
        the write.
    """
    path = Path(path)
    check_replaceable(path, marker=marker)
    with refused_writes(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = partial or Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
        try:
            yield folder
            folder.chmod(0o755)
            _take_place(folder, path)
        finally:
            if partial is None:
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Create a temporary folder, and raise an `OpticalError` if the system refuses a write."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)
    except OSError as err:
        values = {"path": tempfile.gettempdir(), "reason": _reason(err)}
        raise OpticalError(Errors.E009.format(**values)) from err


def check_replaceable(path: Path, *, marker: str) -> None:
    """Check that `folder_written_whole` may replace a folder.

    path (Path): The folder.
    marker (str): A file that every folder of this kind has.
    RAISES (OpticalError): If `path` is a folder of another kind or a file, or cannot be read.
    """
    path = Path(path)
    with refused_writes(path):
        other = path.exists() and not (path / marker).exists()
        if other and (path.is_file() or any(path.iterdir())):
            raise OpticalError(Errors.E004.format(path=path, what=f"a folder with a {marker}"))


def check_no_input(out: Path, inputs: Iterable[str | Path]) -> None:
    """Check that a file or folder that will be replaced is not an input and has no input.

    out (Path): The file or folder to write.
    inputs (Iterable[Union[str, Path]]): The files and folders that are read.
    RAISES (OpticalError): If one of them is `out` or is in it.
    """
    place = Path(out).resolve()
    for path in map(Path, inputs):
        if path.resolve().is_relative_to(place):
            raise OpticalError(Errors.E010.format(out=out, path=path))


def _take_place(new: Path, path: Path) -> None:
    """Move a folder to `path`. An old folder there is deleted only after the move."""
    if not path.exists():
        os.replace(new, path)
        return
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as aside:
        old = Path(aside) / path.name
        os.replace(path, old)
        try:
            os.replace(new, path)
        except BaseException:
            os.replace(old, path)
            raise


def sha256(path: Path) -> str:
    """Compute the SHA-256 of a file, in hexadecimal, without reading it all into memory."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_contents(folder: Path) -> tuple[dict[str, int], str]:
    """Get the size in bytes of each file in a folder, and a hash of all, without __pycache__."""
    digest = hashlib.sha256()
    sizes = {}
    for path in sorted(path for path in Path(folder).rglob("*") if path.is_file()):
        if "__pycache__" not in path.parts:
            name = path.relative_to(folder).as_posix()
            sizes[name] = path.stat().st_size
            digest.update(f"{name}\0{sha256(path)}\n".encode())
    return sizes, digest.hexdigest()


def write_text(path: Path, text: str) -> None:
    """Write a text file completely or not at all."""
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf8")


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON, completely or not at all."""
    write_text(path, json_text(value))


def json_text(value: Any) -> str:
    """Convert a value to indented JSON. NaN and infinity raise a `ValueError`."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read_record(path: Path, form: type[Record], what: str = "metrics file") -> Record:
    """Read a JSON file and validate it.

    path (Path): The file.
    form (Type): The type of its content, e.g. a pydantic model or a list of them.
    what (str): The kind of file, for the error.
    RETURNS (Any): Its content.
    RAISES (OpticalError): If the file is missing, cannot be read, or its content does not have this
        type.
    """
    path = Path(path)
    if not path.is_file():
        raise OpticalError(Errors.E002.format(what=what, path=path))
    try:
        return TypeAdapter(form).validate_json(path.read_bytes())
    except OSError as err:
        raise OpticalError(Errors.E602.format(path=path, reason=_reason(err))) from err
    except ValidationError as err:
        first = err.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        message = Errors.E602.format(path=path, reason=f"{where}: {first['msg']}")
        raise OpticalError(message) from err
