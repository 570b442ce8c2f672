"""The bundle: one folder with everything that inference needs, checked before it is used.

`bundle.json` holds what is in `BundleInfo`; `model.onnx` keeps the graph contract of `session.py`;
`tokenizer.json` is a tokenizer of the `tokenizers` library. Nothing in a bundle is pickled or run.
"""

import hashlib
import json
import stat
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import srsly
from pydantic import Field, TypeAdapter, ValidationError

from .. import about
from ..errors import Errors, OpticalError
from ..files import folder_written_whole, json_text
from .onnx_wire import survey

MODEL_FILE = "model.onnx"
TOKENIZER_FILE = "tokenizer.json"
MANIFEST_FILE = "bundle.json"
BUNDLE_FORMAT = 1

INPUTS = ("input_ids", "attention_mask", "first_pieces")
OUTPUT = "logits"

PACKAGE = Path(__file__).parent.parent

# A protobuf message ends at 2 GiB; a manifest is a page of text.
MAX_FILE_BYTES = 2**31 - 1
MAX_MANIFEST_BYTES = 2**20


@dataclass(frozen=True)
class FileEntry:
    """Size and hash of a file.

    size (int): Bytes.
    sha256 (str): SHA-256 in lower-case hexadecimal.
    """

    size: Annotated[int, Field(ge=0, le=MAX_FILE_BYTES)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


@dataclass(frozen=True)
class BundleInfo:
    """What `bundle.json` says.

    labels (Tuple[str, ...]): Entity labels, sorted; the tags are `bio_tags(labels)`.
    max_pieces (int): The most pieces of one window, special pieces included.
    preset (str): How the weights are kept, e.g. "fp32" or "int8".
    inputs (Tuple[str, ...]): Names of the graph's inputs.
    output (str): Name of the graph's output.
    provenance (Dict[str, Any]): Hashes of config and data, package versions, seed.
    metrics (Dict[str, Any]): Figures measured when the bundle was written.
    verified (bool): Whether the bundle passed the exporter's checks.
    languages (Tuple[str, ...]): Codes of the languages that it was trained for.
    format (int): Version of this layout.
    files (Dict[str, FileEntry]): The other files by name; filled when the bundle is written.
    written_by (str): The version of this package that wrote it.
    """

    labels: tuple[Annotated[str, Field(min_length=1)], ...]
    max_pieces: Annotated[int, Field(ge=4)]
    preset: str
    inputs: tuple[str, ...]
    output: str
    provenance: dict[str, Any]
    metrics: dict[str, Any]
    verified: bool = True
    languages: tuple[str, ...] = ()
    format: int = BUNDLE_FORMAT
    files: dict[str, FileEntry] = field(default_factory=dict)
    written_by: str = about.__version__


_MANIFEST = TypeAdapter(BundleInfo)


@dataclass(frozen=True)
class Bundle:
    """A model, its tokenizer and what is known about them.

    info (BundleInfo): The manifest.
    model (bytes): The ONNX graph.
    tokenizer (bytes): The tokenizer's JSON.
    where (str): Where it came from, for messages.
    """

    info: BundleInfo
    model: bytes = field(repr=False)
    tokenizer: bytes = field(repr=False)
    where: str = "a bundle in memory"

    @cached_property
    def manifest(self) -> bytes:
        """The manifest as it is written, hashes of the other files included."""
        files = {MODEL_FILE: _entry(self.model), TOKENIZER_FILE: _entry(self.tokenizer)}
        value = asdict(replace(self.info, files=files))
        return json_text(value).encode()

    def to_disk(self, path: str | Path) -> None:
        """Write the bundle's folder, whole or not at all.

        path (Union[str, Path]): The folder; an earlier bundle there is replaced.
        RAISES (OpticalError): If the folder holds something else or cannot be written.
        """
        with folder_written_whole(Path(path), marker=MANIFEST_FILE) as folder:
            (folder / MODEL_FILE).write_bytes(self.model)
            (folder / TOKENIZER_FILE).write_bytes(self.tokenizer)
            (folder / MANIFEST_FILE).write_bytes(self.manifest)

    @classmethod
    def from_disk(cls, path: str | Path) -> "Bundle":
        """Read a bundle's folder; sizes and hashes are checked before anything is parsed.

        path (Union[str, Path]): The folder.
        RETURNS (Bundle): The bundle.
        RAISES (OpticalError): If a file is missing, damaged, a link to a place outside the folder,
            or of a newer format; the message names the file.
        """
        folder = Path(path)
        if not folder.is_dir():
            raise OpticalError(Errors.E002.format(what="bundle folder", path=folder))
        return _checked(
            str(folder), lambda name, limit: _read(folder, name, limit), _size_on(folder)
        )

    def to_bytes(self) -> bytes:
        """Put the bundle into one byte string.

        RETURNS (bytes): The files by name, as msgpack.
        """
        return srsly.msgpack_dumps(
            {MANIFEST_FILE: self.manifest, MODEL_FILE: self.model, TOKENIZER_FILE: self.tokenizer}
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> "Bundle":
        """Read what `to_bytes` gave, with the checks of `from_disk`.

        data (bytes): The bundle.
        RETURNS (Bundle): The bundle.
        RAISES (OpticalError): If it is damaged or of a newer format.
        """
        where = "the bundle's bytes"
        try:
            files = srsly.msgpack_loads(data)
        except ValueError as err:
            raise OpticalError(Errors.E101.format(path=where, reason=err)) from err
        if not isinstance(files, dict):
            raise OpticalError(Errors.E101.format(path=where, reason="not a set of files"))

        def read(name: str, limit: int) -> bytes:
            if not isinstance(files.get(name), bytes):
                raise OpticalError(Errors.E102.format(path=where, name=name))
            return files[name]

        return _checked(where, read, lambda name: len(read(name, MAX_FILE_BYTES)))


def read_info(path: str | Path) -> BundleInfo:
    """Read the manifest of a bundle's folder and nothing else.

    path (Union[str, Path]): The folder.
    RETURNS (BundleInfo): What the manifest says; whether the files agree with it is not checked.
    RAISES (OpticalError): If there is no manifest, or a damaged one, or one of a newer format.
    """
    return _parsed(str(path), _read(Path(path), MANIFEST_FILE, MAX_MANIFEST_BYTES))


def default_bundle_path() -> Path:
    """Where the bundle that the package carries is.

    RETURNS (Path): Its folder.
    RAISES (OpticalError): If this installation carries none.
    """
    path = PACKAGE / "default_bundle"
    if not (path / MANIFEST_FILE).is_file():
        raise OpticalError(Errors.E108.format(path=path))
    return path


def _checked(where: str, read: Callable[[str, int], bytes], size: Callable[[str], int]) -> Bundle:
    info = _parsed(where, read(MANIFEST_FILE, MAX_MANIFEST_BYTES))
    contents = {}
    for name, entry in info.files.items():
        found = size(name)
        if found != entry.size:
            raise OpticalError(
                Errors.E104.format(name=name, path=where, found=found, expected=entry.size)
            )
        contents[name] = read(name, entry.size)
        if hashlib.sha256(contents[name]).hexdigest() != entry.sha256:
            raise OpticalError(Errors.E105.format(name=name, path=where))
    try:
        external = survey(contents[MODEL_FILE]).external_data
    except ValueError as err:
        raise OpticalError(Errors.E106.format(name=MODEL_FILE, path=where, reason=err)) from err
    if external:
        raise OpticalError(Errors.E107.format(name=MODEL_FILE, path=where))
    return Bundle(info, contents[MODEL_FILE], contents[TOKENIZER_FILE], where)


def _parsed(where: str, manifest: bytes) -> BundleInfo:
    path = f"{where}/{MANIFEST_FILE}"
    try:
        value = json.loads(manifest)
    except ValueError as err:
        raise OpticalError(Errors.E101.format(path=path, reason=err)) from err
    if not isinstance(value, dict) or not isinstance(value.get("format"), int):
        raise OpticalError(Errors.E101.format(path=path, reason="it names no format"))
    if value["format"] > BUNDLE_FORMAT:
        message = Errors.E103.format(
            path=where,
            found=value["format"],
            writer=value.get("written_by", "a newer version"),
            version=about.__version__,
            known=BUNDLE_FORMAT,
        )
        raise OpticalError(message)
    try:
        info = _MANIFEST.validate_json(manifest)
    except ValidationError as err:
        first = err.errors()[0]
        reason = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise OpticalError(Errors.E101.format(path=path, reason=reason)) from err
    if set(info.files) != {MODEL_FILE, TOKENIZER_FILE}:
        reason = f"it lists {sorted(info.files)} instead of {[MODEL_FILE, TOKENIZER_FILE]}"
        raise OpticalError(Errors.E101.format(path=path, reason=reason))
    if info.format < 1 or info.inputs != INPUTS or info.output != OUTPUT:
        reason = f"format {info.format}, inputs {info.inputs} and output {info.output!r}"
        raise OpticalError(Errors.E101.format(path=path, reason=reason))
    if len(set(info.labels)) != len(info.labels):
        raise OpticalError(Errors.E101.format(path=path, reason="a label is listed twice"))
    return info


def _regular(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise OpticalError(Errors.E109.format(name=name, path=folder))
    try:
        regular = stat.S_ISREG(path.stat().st_mode)
    except OSError as err:
        raise OpticalError(Errors.E102.format(name=name, path=folder)) from err
    if not regular:
        raise OpticalError(Errors.E102.format(name=name, path=folder))
    return path


def _size_on(folder: Path) -> Callable[[str], int]:
    return lambda name: _regular(folder, name).stat().st_size


def _read(folder: Path, name: str, limit: int) -> bytes:
    path = _regular(folder, name)
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except OSError as err:
        reason = err.strerror or err
        raise OpticalError(Errors.E106.format(name=name, path=folder, reason=reason)) from err
    if len(content) > limit:
        raise OpticalError(
            Errors.E104.format(name=name, path=folder, found=f"over {limit}", expected=limit)
        )
    return content


def _entry(content: bytes) -> FileEntry:
    return FileEntry(len(content), hashlib.sha256(content).hexdigest())
