"""Size of a pipeline on disk."""

import hashlib
from pathlib import Path

from ..files import sha256
from .schema import MEGABYTE, Disk


def measure_disk(folder: Path) -> Disk:
    """Add up the files of a folder.

    folder (Path): The folder of a pipeline or a bundle.
    RETURNS (Disk): Megabytes, bytes by file, and a hash over names and contents.
    """
    digest = hashlib.sha256()
    files = {}
    for path in sorted(path for path in Path(folder).rglob("*") if path.is_file()):
        if "__pycache__" in path.parts:
            continue
        name = path.relative_to(folder).as_posix()
        files[name] = path.stat().st_size
        digest.update(f"{name}\0{sha256(path)}\n".encode())
    return Disk(mb=sum(files.values()) / MEGABYTE, files=files, sha256=digest.hexdigest())
