"""Files that are written whole or not at all, and their hashes."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from .errors import Errors, OpticalError

Record = TypeVar("Record")


@contextmanager
def refused_writes(path: Path) -> Iterator[None]:
    """Turn the system's refusal to write to `path` into an `OpticalError`."""
    try:
        yield
    except OSError as err:
        raise OpticalError(Errors.E003.format(path=path, reason=err.strerror or err)) from err


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a temporary file beside `path` that replaces `path` when the block ends well.

    path (Path): The file to write; its folder is made when missing.
    YIELDS (Path): The temporary file's path.
    RAISES (OpticalError): If the system refuses the write, e.g. on a full disk; `path` keeps
        what it had.
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
    """Give a temporary folder that takes the place of `path` when the block ends well.

    path (Path): The folder to write.
    marker (str): A file that an earlier folder of this kind holds. A folder at `path` without it
        belongs to somebody else and is left alone.
    partial (Optional[Path]): A folder beside `path` to give instead; it stays when the block does
        not end well.
    YIELDS (Path): The temporary folder.
    RAISES (OpticalError): If `path` holds something else, or the system refuses the write.
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
    """Give a temporary folder; if the system refuses a write, an `OpticalError` is raised."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)
    except OSError as err:
        where, reason = tempfile.gettempdir(), err.strerror or err
        raise OpticalError(Errors.E009.format(path=where, reason=reason)) from err


def check_replaceable(path: Path, *, marker: str) -> None:
    """Make sure that a folder may be written before the work that fills it begins.

    path (Path): The folder.
    marker (str): As for `folder_written_whole`.
    RAISES (OpticalError): If something else is at `path`.
    """
    path = Path(path)
    if path.exists() and not (path / marker).exists() and (path.is_file() or any(path.iterdir())):
        raise OpticalError(Errors.E004.format(path=path, what=f"a folder with a {marker}"))


def _take_place(new: Path, path: Path) -> None:
    """Move a folder to `path`; what was there goes only when the new one has come."""
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
    """Give the SHA-256 of a file in hexadecimal, without holding the file in memory."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_contents(folder: Path) -> tuple[dict[str, int], str]:
    """Give a folder's files, without Python's caches: bytes by name, and a hash of them all."""
    digest = hashlib.sha256()
    sizes = {}
    for path in sorted(path for path in Path(folder).rglob("*") if path.is_file()):
        if "__pycache__" not in path.parts:
            name = path.relative_to(folder).as_posix()
            sizes[name] = path.stat().st_size
            digest.update(f"{name}\0{sha256(path)}\n".encode())
    return sizes, digest.hexdigest()


def write_json(path: Path, value: Any) -> None:
    """Write a value as `json_text` does, whole or not at all."""
    text = json_text(value)
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf8")


def json_text(value: Any) -> str:
    """Turn a value that the json module takes into readable JSON; NaN is refused."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read_record(path: Path, form: type[Record], what: str = "metrics file") -> Record:
    """Read a JSON file and check it against a schema.

    path (Path): The file.
    form (Type): The schema: a pydantic model, or a list of them.
    what (str): What the file is, for the error.
    RETURNS: Its content.
    RAISES (OpticalError): If the file is missing or breaks the schema.
    """
    path = Path(path)
    if not path.is_file():
        raise OpticalError(Errors.E002.format(what=what, path=path))
    try:
        return TypeAdapter(form).validate_json(path.read_bytes())
    except ValidationError as err:
        first = err.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        reason = f"{where}: {first['msg']}"
        raise OpticalError(Errors.E602.format(path=path, reason=reason)) from err
