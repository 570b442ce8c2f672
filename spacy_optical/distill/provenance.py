"""Records of the config, data, versions and machine of a run."""

import hashlib
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from ..about import __version__
from ..files import sha256
from ..machine import describe_cpu, installed_versions
from .config import DistillConfig

PACKAGES = ("spacy", "torch", "transformers", "tokenizers", "numpy", "POT", "onnxruntime", "onnx")

# The sections that a stage depends on; an empty tuple means all.
SECTIONS = {"teacher": ("teacher",), "plans": ("data", "plans"), "student": ()}


def provenance(config: DistillConfig, stage: str, data: Sequence[Path]) -> dict[str, Any]:
    """Record what a run depends on.

    config (DistillConfig): The config.
    stage (str): `teacher`, `plans` or `student`.
    data (Sequence[Path]): The input files, models included.
    RETURNS (Dict[str, Any]): Stage, seed, config and its hash, data hashes, package versions,
        machine, and a fingerprint of stage, config and data.
    """
    # Two files may have one name, such as the weights of teacher and encoder, or be the same file.
    hashes = list(dict.fromkeys((f"{path.parent.name}/{path.name}", sha256(path)) for path in data))
    # Plans depend on the window and the middle layer. Students of other sizes can share them.
    shape = f"{config.training.max_pieces} {config.student.middle[1]}" if stage == "plans" else ""
    content = f"{stage} {config.fingerprint(*SECTIONS[stage])} {shape} {[one for _, one in hashes]}"
    return {
        "stage": stage,
        "fingerprint": hashlib.sha256(content.encode("utf8")).hexdigest()[:16],
        "seed": config.seed,
        "config": config.model_dump(mode="json", exclude={"paths"}),
        "config_hash": config.fingerprint(),
        "data": dict(hashes),
        **surroundings(),
    }


def surroundings() -> dict[str, Any]:
    """Record the versions of packages and the machine."""
    return {
        "versions": {"spacy_optical": __version__, "python": platform.python_version()}
        | installed_versions(PACKAGES),
        "machine": {
            "system": platform.system(),
            "processor": describe_cpu()[0],
            "threads": torch.get_num_threads(),
        },
    }
