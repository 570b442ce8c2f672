"""The bundle: one folder with everything that inference needs, checked before it is used.

`bundle.json` holds what is in `BundleInfo`; `model.onnx` keeps the graph contract of `session.py`,
and its large weights are in `weights.bin`; `tokenizer.json` is a tokenizer of the `tokenizers`
library. Nothing in a bundle is pickled or run.
"""

import gc
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import srsly
from pydantic import Field, TypeAdapter, ValidationError

from .. import about
from ..errors import Errors, OpticalError
from ..files import folder_written_whole, json_text
from .content import (
    STAYS_READABLE,
    Content,
    FileEntry,
    StoredFile,
    read_manifest,
    write_content,
)

MODEL_FILE = "model.onnx"
TOKENIZER_FILE = "tokenizer.json"
MANIFEST_FILE = "bundle.json"
WEIGHTS_FILE = "weights.bin"
BUNDLE_FORMAT = 2  # format 1 had no weights file

INPUTS = ("input_ids", "attention_mask", "first_pieces")
OUTPUT = "logits"
VECTORS = "vectors"  # the output of bundles that have word vectors too

PACKAGE = Path(__file__).parent.parent
MODELS = PACKAGE / "models"  # a bundle each, named by its size
SIZES = ("sm", "md", "lg")
DEFAULT_MODEL = "md"


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
    vectors (int): Width of the word vectors that the graph gives beside the scores; 0 without any.
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
    vectors: Annotated[int, Field(ge=0)] = 0
    written_by: str = about.__version__


_MANIFEST = TypeAdapter(BundleInfo)


@dataclass(frozen=True, repr=False)
class Bundle:
    """A model, its tokenizer and what is known about them.

    A bundle from disk holds open files in place of contents: each access to `model`, `tokenizer` or
    `weights` reads and checks them again.

    info (BundleInfo): The manifest.
    model (Union[bytes, StoredFile]): The ONNX graph; reading the attribute gives bytes.
    tokenizer (Union[bytes, StoredFile]): The tokenizer's JSON; the same.
    weights (Union[bytes, StoredFile]): What the graph keeps outside of it; empty if nothing.
    where (str): Where it came from, for messages.
    """

    info: BundleInfo
    model: Content = Content()  # noqa: RUF009 - a descriptor of the class
    tokenizer: Content = Content()  # noqa: RUF009 - the same
    weights: Content = Content(b"")  # noqa: RUF009 - the same
    where: str = "a bundle in memory"

    @property
    def contents(self) -> dict[str, bytes | StoredFile]:
        """The files by name, the manifest left out; as bytes, or as open files."""
        held = self.__dict__
        found = {MODEL_FILE: held["model"], TOKENIZER_FILE: held["tokenizer"]}
        return found | ({WEIGHTS_FILE: held["weights"]} if held["weights"] else {})

    @cached_property
    def files(self) -> dict[str, FileEntry]:
        """Size and hash of each file."""
        return {name: FileEntry.of(content) for name, content in self.contents.items()}

    @property
    def manifest(self) -> bytes:
        """The manifest as it is written, hashes of the other files included."""
        return json_text(asdict(replace(self.info, files=self.files))).encode()

    def to_disk(self, path: str | Path) -> None:
        """Write the bundle's folder, whole or not at all.

        path (Union[str, Path]): The folder; an earlier bundle there is replaced.
        RAISES (OpticalError): If the folder holds something else or cannot be written.
        """
        with folder_written_whole(Path(path), marker=MANIFEST_FILE) as folder:
            for name, content in self.contents.items():
                write_content(content, folder / name)
            (folder / MANIFEST_FILE).write_bytes(self.manifest)

    @classmethod
    def from_disk(cls, path: str | Path) -> "Bundle":
        """Read a bundle's folder; sizes and hashes are checked before anything is parsed.

        Its files may be links to other places, as package managers and model caches make them.

        path (Union[str, Path]): The folder.
        RETURNS (Bundle): The bundle.
        RAISES (OpticalError): If a file is missing, damaged, or of a newer format; the message
            names the file.
        """
        folder = Path(path)
        info = read_info(folder)
        files = {name: StoredFile(folder, name, entry) for name, entry in info.files.items()}
        if STAYS_READABLE:
            for file in files.values():
                file.check()
            return cls._of(info, files, str(folder))
        return cls._of(info, {name: file.read() for name, file in files.items()}, str(folder))

    def to_bytes(self) -> bytes:
        """Put the bundle into one byte string.

        RETURNS (bytes): The files by name, as msgpack.
        """
        files = {
            name: content if isinstance(content, bytes) else content.read()
            for name, content in self.contents.items()
        }
        return srsly.msgpack_dumps({MANIFEST_FILE: self.manifest, **files})

    @classmethod
    def from_bytes(cls, data: bytes) -> "Bundle":
        """Read what `to_bytes` gave, with the checks of `from_disk`.

        data (bytes): The bundle.
        RETURNS (Bundle): The bundle.
        RAISES (OpticalError): If it is damaged or of a newer format.
        """
        where = "the bundle's bytes"
        collecting = gc.isenabled()
        try:
            files = srsly.msgpack_loads(data)
        except Exception as err:  # its decoders take damaged data at its word
            raise OpticalError(Errors.E101.format(path=where, reason=err)) from err
        finally:
            # On damaged data the library leaves garbage collection switched off.
            if collecting:
                gc.enable()
        if not isinstance(files, dict):
            raise OpticalError(Errors.E101.format(path=where, reason="not a set of files"))

        def content(name: str) -> bytes:
            found = files.get(name)
            if not isinstance(found, bytes):
                raise OpticalError(Errors.E102.format(path=where, name=name))
            return found

        info = _parsed(where, content(MANIFEST_FILE))
        for name, entry in info.files.items():
            entry.check(FileEntry.of(content(name)), name=name, path=where)
        return cls._of(info, files, where)

    @classmethod
    def _of(cls, info: BundleInfo, files: Mapping[str, Any], where: str) -> "Bundle":
        weights = files[WEIGHTS_FILE] if WEIGHTS_FILE in info.files else b""
        return cls(info, files[MODEL_FILE], files[TOKENIZER_FILE], weights, where)


def read_info(path: str | Path) -> BundleInfo:
    """Read the manifest of a bundle's folder and nothing else.

    path (Union[str, Path]): The folder.
    RETURNS (BundleInfo): What the manifest says; whether the files agree with it is not checked.
    RAISES (OpticalError): If there is no such folder, or if its manifest is missing, damaged or of
        a newer format.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise OpticalError(Errors.E002.format(what="bundle folder", path=folder))
    return _parsed(str(folder), read_manifest(folder, MANIFEST_FILE))


def model_path(model: str | Path | None = None) -> Path:
    """Find a model's bundle.

    model (Optional[Union[str, Path]]): The name of a model of the package, or a bundle's folder.
        Defaults to `md`. A folder whose name is that of a model is written as `./md`.
    RETURNS (Path): The bundle's folder. A path is not checked.
    RAISES (OpticalError): If the package has no model of that name and no path is meant.
    """
    if model is not None and model not in SIZES:
        return Path(model)
    path = MODELS / (model or DEFAULT_MODEL)
    if not (path / MANIFEST_FILE).is_file():
        known = sorted(path.parent.name for path in MODELS.glob(f"*/{MANIFEST_FILE}"))
        models = ", ".join(known) or "none"
        raise OpticalError(Errors.E108.format(name=path.name, path=MODELS, models=models))
    return path


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
    needed = {MODEL_FILE, TOKENIZER_FILE}
    if set(info.files) - {WEIGHTS_FILE} != needed:
        reason = f"it lists {sorted(info.files)} instead of {sorted(needed)} and {WEIGHTS_FILE}"
        raise OpticalError(Errors.E101.format(path=path, reason=reason))
    if info.format < 1 or info.inputs != INPUTS or info.output != OUTPUT:
        reason = f"format {info.format}, inputs {info.inputs} and output {info.output!r}"
        raise OpticalError(Errors.E101.format(path=path, reason=reason))
    if len(set(info.labels)) != len(info.labels):
        raise OpticalError(Errors.E101.format(path=path, reason="a label is listed twice"))
    return info
