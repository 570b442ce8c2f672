"""The commands of `python -m spacy optical`. Importing this package registers them."""

from . import alignment, annotate, bundles, measurements, prepare, training  # noqa: F401
from ._app import optical_cli

__all__ = ["optical_cli"]
