"""Downloads the files of data sets, or copies them from a local mirror.

A file is written as `https://HOST/PATH#sha256=HEX`, with `&optional=yes` at the end if a mirror may
lack it. Without a hash, the hash of the first download is stored and must not change. An address
without a scheme is a local path.
"""

import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from ..compat import require
from ..errors import Errors, OpticalError
from ..files import read_record, refused_writes, sha256, write_json, written_whole

RECORD = "fetched.json"
TRIES = 3
TIMEOUT = 30  # seconds without a byte
_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class DataFile:
    """A file of a data set.

    address (str): The address, or a local path.
    host (str): The host of the address; empty for a local path.
    path (str): The path on the host, or the local path.
    sha256 (str): The expected hash; empty if it is not known.
    optional (bool): Whether a mirror may lack the file.
    """

    address: str
    host: str
    path: str
    sha256: str
    optional: bool

    @classmethod
    def parse(cls, text: str) -> "DataFile":
        """Read a file from a config. The format is described in the docstring of the module.

        text (str): The address.
        RETURNS (DataFile): Its parts.
        RAISES (OpticalError): If it names no file or has an invalid part.
        """

        def wrong(reason: str) -> OpticalError:
            return OpticalError(Errors.E230.format(address=text, reason=reason))

        address, _, fragment = text.strip().partition("#")
        try:
            parts = urlsplit(address)
            settings = parse_qs(fragment, strict_parsing=True) if fragment else {}
        except ValueError as err:
            raise wrong(str(err)) from err
        digest = "".join(settings.pop("sha256", [])).lower()
        optional = settings.pop("optional", ["no"])
        if optional not in (["yes"], ["no"]):
            raise wrong("optional is neither yes nor no")
        if settings:
            raise wrong(f"unknown '{min(settings)}' after #")
        if digest and not _HEX.fullmatch(digest):
            raise wrong("its SHA-256 is not 64 hexadecimal digits")
        if len(parts.scheme) < 2:  # one letter is a Windows drive
            if not address:
                raise wrong("it is empty")
            return cls(address, "", address, digest, optional == ["yes"])
        path = unquote(parts.path).lstrip("/")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise wrong("only http and https are fetched")
        if not path or path.endswith("/") or ".." in PureWindowsPath(path).parts:
            raise wrong("its path names no file")
        host = parts.netloc.replace(":", "_")
        return cls(address, host, path, digest, optional == ["yes"])

    def place(self, folder: Path) -> Path:
        """Get the local path of the file.

        folder (Path): The folder of downloaded files.
        RETURNS (Path): The path in that folder, or the local path itself.
        """
        return Path(folder) / self.host / self.path if self.host else Path(self.path)


def fetch(
    sources: Iterable[DataFile],
    folder: Path,
    *,
    mirror: Path | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Counter[str]:
    """Download files to a folder. Complete files are kept.

    Partial downloads are continued, from an earlier run only if the hash is known.

    sources (Iterable[DataFile]): The files. Local files are only checked.
    folder (Path): The output folder. Files are stored as HOST/PATH, and hashes in `fetched.json`.
    mirror (Optional[Path]): A local folder with the files as PATH or HOST/PATH, to copy them from
        instead of downloading them.
    say (Callable[[str], None]): Called with a message for each file that is added or left out.
    RETURNS (Counter): How many files were `kept`, `mirrored`, `downloaded` and `left_out`.
    RAISES (OpticalError): If a file is missing, cannot be downloaded, or has another hash, or if
        two addresses have the same path. Earlier files and partial downloads are kept.
    """
    if mirror is not None and not mirror.is_dir():
        raise OpticalError(Errors.E002.format(what="mirror folder", path=mirror))
    record = Path(folder) / RECORD
    known = read_record(record, dict[str, str]) if record.is_file() else {}
    counts = Counter[str]()
    sources = list(dict.fromkeys(sources))
    addresses: dict[Path, str] = {}
    for source in sources:
        path = source.place(folder)
        first = addresses.setdefault(path, source.address)
        if first != source.address:
            raise OpticalError(Errors.E008.format(name=path, first=first, second=source.address))
    for source in sources:
        path = source.place(folder)
        expected = source.sha256 or known.get(source.address, "")
        how = "kept"
        if not source.host:
            check(source, path)
        elif not path.is_file() or sha256(path) != expected:
            if mirror is None:
                how = _download(source, path, expected)
            else:
                how = _from_mirror(source, path, mirror, expected)
        counts[how] += 1
        if how == "left_out":
            say(f"The mirror lacks {source.path}; left out")
            continue
        if how != "kept":
            unpinned = "" if expected else " (no SHA-256 is pinned; this one is kept from now on)"
            say(f"{path}{unpinned}")
        if source.host and (not expected or known.get(source.address) != expected):
            known[source.address] = expected or sha256(path)
            write_json(record, known)
    return counts


def check(source: DataFile, path: Path) -> str:
    """Compare the SHA-256 of a file with the expected one.

    source (DataFile): The file.
    path (Path): Its local path.
    RETURNS (str): Its SHA-256.
    RAISES (OpticalError): If it is missing or does not match its SHA-256.
    """
    if not path.is_file():
        local = Errors.E002.format(what="file", path=path)
        raise OpticalError(Errors.E234.format(path=path) if source.host else local)
    return _checked_hash(path, source.sha256)


def _checked_hash(path: Path, expected: str) -> str:
    """Hash a file. An empty `expected` accepts any hash."""
    found = sha256(path)
    if expected and found != expected:
        raise OpticalError(Errors.E233.format(path=path, found=found, expected=expected))
    return found


def _from_mirror(source: DataFile, path: Path, mirror: Path, expected: str) -> str:
    places = (mirror / source.host / source.path, mirror / source.path)
    original = next(filter(Path.is_file, places), None)
    if original is None:
        if source.optional:
            return "left_out"
        raise OpticalError(Errors.E232.format(mirror=mirror, name=source.path))
    _checked_hash(original, expected)
    with written_whole(path) as temporary:
        shutil.copyfile(original, temporary)
    return "mirrored"


def _download(source: DataFile, path: Path, expected: str) -> str:
    requests = require("requests")
    part = path.with_name(f"{path.name}.part")
    reason = ""
    with refused_writes(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if not expected:
            part.unlink(missing_ok=True)  # it may be the beginning of another version
        for _ in range(TRIES):
            try:
                _append(requests, source.address, part)
            except requests.RequestException as err:
                reason = f"{type(err).__name__}: {err}"
                if err.response is not None and 416 != err.response.status_code < 500:
                    break  # another try would get the same answer
                continue
            try:
                _checked_hash(part, expected)
            except OpticalError:
                part.unlink()  # continuing the download would not help
                raise
            part.replace(path)
            return "downloaded"
    raise OpticalError(Errors.E231.format(address=source.address, reason=reason))


def _append(requests: Any, address: str, part: Path) -> None:
    """Download the rest of a partial file."""
    have = part.stat().st_size if part.is_file() else 0
    headers = {"Accept-Encoding": "identity"}  # ranges count the bytes as sent
    if have:
        headers["Range"] = f"bytes={have}-"
    with requests.get(address, headers=headers, stream=True, timeout=TIMEOUT) as response:
        if response.status_code == 416:
            # The part is complete, or it is longer than the file and belongs to another version.
            if response.headers.get("Content-Range", "").endswith(f"/{have}"):
                return
            part.unlink()
        response.raise_for_status()
        mode = "ab" if have and response.status_code == 206 else "wb"
        with part.open(mode) as file:
            for block in response.iter_content(1 << 16):
                file.write(block)
