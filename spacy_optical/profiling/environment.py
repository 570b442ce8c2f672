"""Hide packages from a measured process that a base install does not have.

spaCy's libraries import torch if it is installed. A process in the `base` environment does not
find it, as after `pip install spacy_optical`. This module only imports the standard library.
"""

import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any, Literal

Environment = Literal["base", "full"]

HIDDEN = frozenset(
    {"cupy", "jax", "mxnet", "spacy_transformers", "tensorflow", "torch", "transformers"}
)


class BaseInstallFinder(PathFinder):
    """Finds modules and distributions as Python does, except those in `HIDDEN`."""

    @classmethod
    def find_spec(
        cls, fullname: str, path: Sequence[str] | None = None, target: Any = None
    ) -> ModuleSpec | None:
        """Find a module. None for hidden modules."""
        if fullname.partition(".")[0] in HIDDEN:
            return None
        return super().find_spec(fullname, path, target)

    @staticmethod
    def find_distributions(*args: Any, **kwargs: Any) -> Iterator[Any]:
        """Find distributions. This hides the entry points of hidden packages too."""
        for distribution in PathFinder.find_distributions(*args, **kwargs):
            name = distribution.metadata["Name"] or ""
            if name.lower().replace("-", "_") not in HIDDEN:
                yield distribution


def enter_environment(environment: str) -> None:
    """Hide the packages that an `Environment` does not have, before other imports."""
    if environment == "base":
        sys.meta_path[sys.meta_path.index(PathFinder)] = BaseInstallFinder
