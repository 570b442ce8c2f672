"""Lines of text files, also of gzipped files and zip archives."""

import gzip
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple, NoReturn, cast

from ..errors import Errors, OpticalError

DAMAGE = (EOFError, zlib.error, zipfile.BadZipFile, OSError)
Report = Callable[[OpticalError], object]


class Line(NamedTuple):
    """A line of a file: its number, counted from 1, its place as errors name it, and its text."""

    number: int
    where: str
    text: str = ""


# What the readers of bitext give: place, id, source and target.
PairRow = tuple[Line, str, str, str]


def raise_error(err: OpticalError) -> NoReturn:
    """Raise an error: what is done with the errors of lines where nothing else is asked for."""
    raise err


def read_lines(
    path: str | Path, what: str = "file", report: Report = raise_error
) -> Iterator[Line]:
    """Read a file line by line.

    path (Union[str, Path]): The file, gzipped if its name ends in `.gz`, the one file of an archive
        if it ends in `.zip`.
    what (str): What the file is, for the error if it is missing.
    report (Callable[[OpticalError], object]): Called with the error of a line that is not UTF-8,
        which then is read as an empty one. By default the error is raised.
    YIELDS (Line): The lines, without their ends.
    RAISES (OpticalError): If the file is missing or damaged.
    """
    number = 0
    with open_binary(Path(path), what) as file:
        while True:
            where = f"{path}, line {number + 1}"
            try:
                raw = file.readline()
            except DAMAGE as err:
                raise OpticalError(Errors.E223.format(where=where, reason=err)) from err
            if not raw:
                return
            number += 1
            text = ""
            try:
                text = raw.decode("utf-8-sig" if number == 1 else "utf8").rstrip("\r\n")
            except UnicodeDecodeError as err:
                report(OpticalError(Errors.E222.format(where=where, reason=err)))
            yield Line(number, where, text)


def open_binary(path: Path, what: str = "file") -> BinaryIO:
    """Open a file as `read_lines` does."""
    if not path.is_file():
        raise OpticalError(Errors.E002.format(what=what, path=path))
    if path.suffix == ".zip":
        try:
            return cast(BinaryIO, zipfile.ZipFile(path).open(archived_name(path)))
        except (*DAMAGE, NotImplementedError, RuntimeError) as err:  # other methods, a password
            raise OpticalError(Errors.E223.format(where=path, reason=err)) from err
    return cast(BinaryIO, gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb"))


def archived_name(path: Path) -> str:
    """Give the name of the one file in a zip archive, besides those that describe it."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [info.filename for info in archive.infolist() if not info.is_dir()]
    except (zipfile.BadZipFile, OSError) as err:
        raise OpticalError(Errors.E223.format(where=path, reason=err)) from err
    kept = [name for name in names if not PurePosixPath(name).name.startswith(("_", ".", "README"))]
    kept = [name for name in kept if not name.startswith("__MACOSX/")]
    if len(kept) != 1:
        raise OpticalError(Errors.E247.format(path=path, names=", ".join(kept) or "none"))
    return kept[0]
