"""Files of data sets, brought from pinned addresses or from a local folder in their place.

A file is written `https://HOST/PATH#sha256=HEX`, and `&optional=yes` behind that if a mirror may
lack it. Without a hash the first fetch's is kept and must not change. What has no scheme is a
local path, used where it is.
"""

import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from ..compat import require
from ..errors import Errors, OpticalError
from ..files import read_record, sha256, write_json, written_whole

RECORD = "fetched.json"
TRIES = 3
TIMEOUT = 30  # seconds without a byte
_HEX = re.compile(r"[0-9a-f]{64}")
Say = Callable[[str], None]


@dataclass(frozen=True)
class DataFile:
    """A file of a data set.

    address (str): Where it is: an address, or a local path.
    host (str): The address's host; empty for a local path.
    path (str): The path at that host, or the local path.
    sha256 (str): What it must hash to; empty where that is not known.
    optional (bool): Whether a mirror may lack it.
    """

    address: str
    host: str
    path: str
    sha256: str
    optional: bool

    @classmethod
    def parse(cls, text: str) -> "DataFile":
        """Read a source as configs write it; see the module.

        text (str): The source.
        RETURNS (DataFile): Its parts.
        RAISES (OpticalError): If it names no file or has a part of another form.
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
        optional = settings.pop("optional", ["no"]) == ["yes"]
        if settings:
            raise wrong(f"unknown '{min(settings)}' after #")
        if digest and not _HEX.fullmatch(digest):
            raise wrong("its SHA-256 is not 64 hexadecimal digits")
        if len(parts.scheme) < 2:  # one letter is a drive of Windows
            if not address:
                raise wrong("it is empty")
            return cls(address, "", address, digest, optional)
        path = unquote(parts.path).lstrip("/")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise wrong("only http and https are fetched")
        if not path or path.endswith("/") or ".." in PurePosixPath(path).parts:
            raise wrong("its path names no file")
        return cls(address, parts.netloc.replace(":", "_"), path, digest, optional)

    def place(self, folder: Path) -> Path:
        """Give the file's local path.

        folder (Path): Where fetched files are kept.
        RETURNS (Path): The path there, or the local path itself.
        """
        return Path(folder) / self.host / self.path if self.host else Path(self.path)


def fetch(
    sources: Iterable[DataFile],
    folder: Path,
    *,
    mirror: Path | None = None,
    say: Say = lambda text: None,
) -> Counter[str]:
    """Bring files to a folder; what is there and whole is kept, and a download is continued.

    sources (Iterable[DataFile]): The files; local ones are only checked.
    folder (Path): Where to keep them, as HOST/PATH, with `fetched.json` for their hashes.
    mirror (Optional[Path]): A local folder that has the files as PATH or HOST/PATH, in place of the
        network.
    say (Callable[[str], None]): Called with a line for each file that is brought or left out.
    RETURNS (Counter): How many files were `kept`, `mirrored`, `downloaded` and `left_out`.
    RAISES (OpticalError): If a file is missing, cannot be reached, or has another hash; the files
        before it stay, and so does the part of a download that came.
    """
    if mirror is not None and not mirror.is_dir():
        raise OpticalError(Errors.E002.format(what="mirror folder", path=mirror))
    record = Path(folder) / RECORD
    known = read_record(record, dict[str, str]) if record.is_file() else {}
    counts = Counter[str]()
    for source in dict.fromkeys(sources):
        path = source.place(folder)
        expected = source.sha256 or known.get(source.address, "")
        how = "kept"
        if not source.host:
            check(source, path)
        elif not (path.is_file() and sha256(path) == expected):
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
        if source.host and not (expected and known.get(source.address) == expected):
            known[source.address] = expected or sha256(path)
            write_json(record, known)
    return counts


def check(source: DataFile, path: Path) -> str:
    """Hash a file and compare it with what was pinned.

    source (DataFile): The file.
    path (Path): Where it is.
    RETURNS (str): Its SHA-256.
    RAISES (OpticalError): If it is missing or another.
    """
    if not path.is_file():
        missing = Errors.E234.format(path=path)
        raise OpticalError(missing if source.host else Errors.E002.format(what="file", path=path))
    return _checked_hash(path, source.sha256)


def _checked_hash(path: Path, expected: str) -> str:
    """Hash a file; an expected hash that is empty is any."""
    found = sha256(path)
    if expected and found != expected:
        raise OpticalError(Errors.E233.format(path=path, found=found, expected=expected))
    return found


def _from_mirror(source: DataFile, path: Path, mirror: Path, expected: str) -> str:
    places = (mirror / source.host / source.path, mirror / source.path)
    original = next((place for place in places if place.is_file()), None)
    if original is None and source.optional:
        return "left_out"
    if original is None:
        raise OpticalError(Errors.E232.format(mirror=mirror, name=source.path))
    _checked_hash(original, expected)
    with written_whole(path) as temporary:
        shutil.copyfile(original, temporary)
    return "mirrored"


def _download(source: DataFile, path: Path, expected: str) -> str:
    requests = require("requests")
    part = path.with_name(f"{path.name}.part")
    reason = ""
    for _ in range(TRIES):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _append(requests, source.address, part)
        except requests.RequestException as err:
            reason = f"{type(err).__name__}: {err}"
            if err.response is not None and 416 != err.response.status_code < 500:
                break  # asking again would be answered alike
        except OSError as err:
            raise OpticalError(Errors.E003.format(path=path, reason=err.strerror or err)) from err
        else:
            try:
                _checked_hash(part, expected)
            except OpticalError:
                part.unlink()  # to continue it would not mend it
                raise
            part.replace(path)
            return "downloaded"
    raise OpticalError(Errors.E231.format(address=source.address, reason=reason))


def _append(requests: Any, address: str, part: Path) -> None:
    """Download what a partial file still lacks."""
    have = part.stat().st_size if part.is_file() else 0
    headers = {"Accept-Encoding": "identity"}  # ranges count the bytes as they are sent
    if have:
        headers["Range"] = f"bytes={have}-"
    with requests.get(address, headers=headers, stream=True, timeout=TIMEOUT) as response:
        if response.status_code == 416:
            # Nothing is left to send; or the part is longer than the file, and of another one.
            if response.headers.get("Content-Range", "").endswith(f"/{have}"):
                return
            part.unlink()
        response.raise_for_status()
        mode = "ab" if have and response.status_code == 206 else "wb"
        with part.open(mode) as file:
            for block in response.iter_content(1 << 16):
                file.write(block)
