"""The CPU and the installed packages, for the metrics files."""

import platform
from collections.abc import Iterable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from .compat import require

# Packages that affect speed or results.
PACKAGES: tuple[str, ...] = ("spacy-optical", "spacy", "thinc", "numpy", "onnxruntime")
PACKAGES += ("tokenizers", "torch", "transformers", "spacy-transformers")


def describe_cpu() -> tuple[str, list[str]]:
    """Get the name of the CPU and its instruction flags.

    RETURNS (Tuple[str, List[str]]): The name, such as "AMD EPYC 7B13", and flags such as `avx2`.
    RAISES (MissingDependency): If py-cpuinfo is not installed.
    """
    info: dict[str, Any] = require("cpuinfo", extra="profile").get_cpu_info()
    name = info.get("brand_raw") or platform.processor() or platform.machine()
    return name, info.get("flags", [])


def installed_versions(packages: Iterable[str] = PACKAGES) -> dict[str, str]:
    """Get the versions of the installed packages among `packages`, by name."""
    versions = {}
    for package in packages:
        with suppress(PackageNotFoundError):
            versions[package] = version(package)
    return versions
