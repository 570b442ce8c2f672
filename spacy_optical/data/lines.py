"""Lines of text files, also of gzipped files and zip archives."""

import gzip
import json
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, NamedTuple, cast

from ..errors import Errors, OpticalError

DAMAGE = (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, OSError)
_HALF_OF_A_CHARACTER = re.compile(r"\\u[dD][89a-fA-F]")
Report = Callable[[OpticalError], object]
# What the readers of bitext yield: file and line for errors, id, source and target.
PairRow = tuple[str, str, str, str]


class Line(NamedTuple):
    """A line of a file: its number, counted from 1, its place as errors name it, and its text."""

    number: int
    where: str
    text: str = ""


def read_lines(
    path: str | Path,
    what: str = "file",
    report: Report | None = None,
    *,
    skip_blank: bool = False,
) -> Iterator[Line]:
    """Read a file line by line.

    path (Union[str, Path]): The file. A name that ends in `.gz` is a gzipped file, one that ends
        in `.zip` is an archive of one file.
    what (str): What the file is, for the error if it is missing.
    report (Optional[Callable[[OpticalError], object]]): Called with the error of a line that is
        not UTF-8, which is then read as an empty line. By default, the error is raised.
    skip_blank (bool): Whether to skip lines that are empty or only white space.
    YIELDS (Line): The lines, without line breaks.
    RAISES (OpticalError): If the file is missing or damaged.
    """
    number = 0
    with open_binary(Path(path), what) as file:
        try:
            for number, raw in enumerate(file, 1):
                where, text = f"{path}, line {number}", ""
                try:
                    text = raw.decode("utf-8-sig" if number == 1 else "utf8").rstrip("\r\n")
                except UnicodeDecodeError as err:
                    error = OpticalError(Errors.E222.format(where=where, reason=err))
                    if report is None:
                        raise error from err
                    report(error)
                if not skip_blank or text.strip():
                    yield Line(number, where, text)
        except DAMAGE as err:
            where = f"{path}, line {number + 1}"
            raise OpticalError(Errors.E223.format(where=where, reason=err)) from err


def open_binary(path: Path, what: str = "file") -> BinaryIO:
    """Open a file like `read_lines` does."""
    if not path.is_file():
        raise OpticalError(Errors.E002.format(what=what, path=path))
    try:
        if path.suffix.lower() == ".zip":
            return cast(BinaryIO, zipfile.ZipFile(path).open(archived_name(path)))
        if path.suffix.lower() == ".gz":
            return cast(BinaryIO, gzip.open(path))
        return path.open("rb")
    except (*DAMAGE, NotImplementedError, RuntimeError) as err:  # unknown method, password
        raise OpticalError(Errors.E223.format(where=path, reason=err)) from err


def archived_name(path: Path) -> str:
    """Get the name of the only file in a zip archive, apart from files that describe it."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [info.filename for info in archive.infolist() if not info.is_dir()]
    except (zipfile.BadZipFile, OSError) as err:
        raise OpticalError(Errors.E223.format(where=path, reason=err)) from err
    kept = [
        name
        for name in names
        if not name.startswith("__MACOSX/")
        and not PurePosixPath(name).name.startswith(("_", ".", "README"))
    ]
    if len(kept) != 1:
        raise OpticalError(Errors.E247.format(path=path, names=", ".join(kept) or "none"))
    return kept[0]


def json_object(text: str) -> dict[str, Any]:
    """Read a JSON line. Raise a `ValueError` if it is not an object or cannot be stored."""
    try:
        value = json.loads(text)
        if _HALF_OF_A_CHARACTER.search(text):  # valid in JSON, but not in UTF-8
            json.dumps(value, ensure_ascii=False).encode("utf8")
    except RecursionError as err:
        raise ValueError(str(err)) from err
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value
