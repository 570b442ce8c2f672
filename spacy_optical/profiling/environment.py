"""The environment that a measured process sees: a base install, or everything that is installed.

spaCy's libraries import torch wherever it is installed. A process in the `base` environment does
not find it, as after `pip install spacy_optical`. Only the standard library is imported here.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any, Literal

Environment = Literal["base", "full"]

HIDDEN = frozenset(
    {"cupy", "jax", "mxnet", "spacy_transformers", "tensorflow", "torch", "transformers"}
)

LIBRARIES = ("OMP", "MKL", "OPENBLAS", "BLIS", "NUMEXPR", "RAYON")
THREAD_VARIABLES = ("VECLIB_MAXIMUM_THREADS", *(f"{name}_NUM_THREADS" for name in LIBRARIES))


class BaseInstallFinder(PathFinder):
    """Finds modules and distributions as Python does, without those in `HIDDEN`."""

    @classmethod
    def find_spec(
        cls, fullname: str, path: Sequence[str] | None = None, target: Any = None
    ) -> ModuleSpec | None:
        """Find a module, or None for a hidden one."""
        if fullname.partition(".")[0] in HIDDEN:
            return None
        return super().find_spec(fullname, path, target)

    @staticmethod
    def find_distributions(*args: Any, **kwargs: Any) -> Iterator[Any]:
        """Find distributions, so that entry points of hidden ones stay unknown too."""
        for distribution in PathFinder.find_distributions(*args, **kwargs):
            name = distribution.metadata["Name"] or ""
            if name.lower().replace("-", "_") not in HIDDEN:
                yield distribution


def enter_environment(environment: Environment) -> None:
    """Hide from this process what the environment lacks; before anything else is imported."""
    if environment == "base":
        sys.meta_path[sys.meta_path.index(PathFinder)] = BaseInstallFinder


def process_variables(threads: int, seed: int) -> dict[str, str]:
    """Give the environment variables of a measured process."""
    return {
        **os.environ,
        **dict.fromkeys(THREAD_VARIABLES, str(threads)),
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONHASHSEED": str(seed),
        "PYTHONIOENCODING": "utf8",
    }
