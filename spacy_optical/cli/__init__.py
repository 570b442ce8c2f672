"""The commands of `python -m spacy optical`. Importing this package registers them."""

from importlib import import_module
from pkgutil import iter_modules

from ._app import optical_cli

__all__ = ["optical_cli"]

for _module in iter_modules(__path__):
    if not _module.name.startswith("_"):
        import_module(f"{__name__}.{_module.name}")
