"""The bundle: a folder with everything that inference needs. It is checked before it is used.

`bundle.json` is the manifest, see `BundleInfo`. `model.onnx` is the graph, see `session.py`. Its
large weights are in `weights.bin`. `tokenizer.json` is a tokenizer of the `tokenizers` library.
Nothing in a bundle is pickled or executed.
"""

import gc
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import srsly
from pydantic import Field, TypeAdapter, ValidationError

from .. import about
from ..errors import Errors, OpticalError
from ..files import folder_written_whole, json_text
from .content import Content, FileEntry, StoredFile, read_manifest, write_content

MODEL_FILE = "model.onnx"
TOKENIZER_FILE = "tokenizer.json"
MANIFEST_FILE = "bundle.json"
WEIGHTS_FILE = "weights.bin"
BUNDLE_FORMAT = 2  # format 1 had no weights file
LEAST_PIECES = 4  # in a window, special pieces included

INPUTS = ("input_ids", "attention_mask", "first_pieces")
OUTPUT = "logits"
VECTORS = "vectors"  # the second output of bundles with word vectors

MODELS = Path(__file__).parent.parent / "models"  # a bundle each, named by its size
SIZES = ("sm", "md", "lg")
DEFAULT_MODEL = "md"


@dataclass(frozen=True)
class BundleInfo:
    """The content of `bundle.json`.

    labels (Tuple[str, ...]): Entity labels, sorted. The tags are `bio_tags(labels)`.
    max_pieces (int): The maximum number of pieces in a window, special pieces included.
    preset (str): How the weights are stored, e.g. "fp32" or "int8".
    inputs (Tuple[str, ...]): Names of the graph's inputs.
    output (str): Name of the graph's output.
    provenance (Dict[str, Any]): Hashes of config and data, package versions, seed.
    metrics (Dict[str, Any]): Metrics measured when the bundle was written.
    verified (bool): Whether the bundle passed the verification of the export.
    languages (Tuple[str, ...]): Codes of the languages that the model was trained for.
    format (int): Version of the format.
    files (Dict[str, FileEntry]): The other files by name; set when the bundle is written.
    vectors (int): Width of the word vectors that the graph also outputs; 0 without vectors.
    written_by (str): The version of this package that wrote the bundle.
    """

    labels: tuple[Annotated[str, Field(min_length=1)], ...]
    max_pieces: Annotated[int, Field(ge=LEAST_PIECES)]
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
    """A model with its tokenizer and manifest.

    A bundle from disk holds open files. They are read and checked again at each access to `model`,
    `tokenizer` or `weights`.

    info (BundleInfo): The manifest.
    model (bytes): The ONNX graph.
    tokenizer (bytes): The tokenizer's JSON.
    weights (bytes): The weights outside the graph; empty if there are none.
    where (str): Where the bundle comes from, for messages.
    """

    info: BundleInfo
    model: Content = Content()  # noqa: RUF009 - a descriptor of the class
    tokenizer: Content = Content()  # noqa: RUF009 - the same
    weights: Content = Content(b"")  # noqa: RUF009 - the same
    where: str = "a bundle in memory"

    @property
    def contents(self) -> dict[str, bytes | StoredFile]:
        """The files by name, without the manifest: bytes or open files."""
        held = self.__dict__
        found = {MODEL_FILE: held["model"], TOKENIZER_FILE: held["tokenizer"]}
        return found | ({WEIGHTS_FILE: held["weights"]} if held["weights"] else {})

    @property
    def files(self) -> dict[str, FileEntry]:
        """Size and hash of each file."""
        # Not `cached_property`, whose lock (before Python 3.12) would stay locked in a fork.
        held = self.__dict__
        if "files" not in held:
            held["files"] = {name: FileEntry.of(file) for name, file in self.contents.items()}
        return held["files"]

    @property
    def manifest(self) -> bytes:
        """The content of `bundle.json`, with the hashes of the other files."""
        return json_text(asdict(replace(self.info, files=self.files))).encode()

    def to_disk(self, path: str | Path) -> None:
        """Save the bundle to a folder, whole or not at all.

        path (Union[str, Path]): The folder. A bundle that is there already is replaced.
        RAISES (OpticalError): If the folder holds something else or cannot be written.
        """
        with folder_written_whole(Path(path), marker=MANIFEST_FILE) as folder:
            for name, content in self.contents.items():
                write_content(content, folder / name)
            (folder / MANIFEST_FILE).write_bytes(self.manifest)

    @classmethod
    def from_disk(cls, path: str | Path) -> "Bundle":
        """Load a bundle from a folder. Sizes and hashes are checked before anything is parsed.

        The files may be links, as in the caches of package managers and model hubs.

        path (Union[str, Path]): The folder.
        RETURNS (Bundle): The bundle.
        RAISES (OpticalError): If a file is missing, damaged, or of a newer format; the message
            names the file.
        """
        folder = Path(path)
        info = read_info(folder)
        files = {name: StoredFile(folder, name, entry) for name, entry in info.files.items()}
        checked = {name: file.checked() for name, file in files.items()}
        return cls._of(info, checked, str(folder))

    def to_bytes(self) -> bytes:
        """Serialize the bundle to a byte string.

        RETURNS (bytes): The files by name, as msgpack.
        """
        files = {
            name: content if isinstance(content, bytes) else content.read()
            for name, content in self.contents.items()
        }
        return srsly.msgpack_dumps({MANIFEST_FILE: self.manifest, **files})

    @classmethod
    def from_bytes(cls, data: bytes) -> "Bundle":
        """Load a bundle from a byte string, with the checks of `from_disk`.

        data (bytes): The byte string that `to_bytes` returned.
        RETURNS (Bundle): The bundle.
        RAISES (OpticalError): If the data is damaged or of a newer format.
        """
        where = "the bundle's bytes"
        collecting = gc.isenabled()
        try:
            files = srsly.msgpack_loads(data)
        except Exception as err:  # any exception of the decoders, if the data is damaged
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
    """Read only the manifest of a bundle's folder.

    path (Union[str, Path]): The folder.
    RETURNS (BundleInfo): The manifest. The other files are not checked against it.
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
        Defaults to `md`. For a folder with the name of a model, write `./md`.
    RETURNS (Path): The bundle's folder. If `model` is a path, it is not checked.
    RAISES (OpticalError): If `model` is a name, and the package has no such model.
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
    try:
        found = json.loads(manifest)
        if not isinstance(found, dict) or not isinstance(found.get("format"), int):
            raise ValueError("it names no format")
        if found["format"] <= BUNDLE_FORMAT:
            return _checked(_MANIFEST.validate_json(manifest))
    except (ValueError, RecursionError) as err:
        reason = str(err)
        if isinstance(err, ValidationError):
            first = err.errors()[0]
            reason = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        path = f"{where}/{MANIFEST_FILE}"
        raise OpticalError(Errors.E101.format(path=path, reason=reason)) from err
    message = Errors.E103.format(
        path=where,
        found=found["format"],
        writer=found.get("written_by", "a newer version"),
        version=about.__version__,
        known=BUNDLE_FORMAT,
    )
    raise OpticalError(message)


def _checked(info: BundleInfo) -> BundleInfo:
    needed = {MODEL_FILE, TOKENIZER_FILE}
    if set(info.files) - {WEIGHTS_FILE} != needed:
        raise ValueError(
            f"it lists {sorted(info.files)} instead of {sorted(needed)} and {WEIGHTS_FILE}"
        )
    if info.format < 1 or info.inputs != INPUTS or info.output != OUTPUT:
        raise ValueError(f"format {info.format}, inputs {info.inputs} and output {info.output!r}")
    if len(set(info.labels)) != len(info.labels):
        raise ValueError("a label is listed twice")
    return info
