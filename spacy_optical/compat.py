"""Optional imports: what is missing is named, together with the extra that brings it."""

from importlib import import_module
from types import ModuleType

from .errors import Errors, MissingDependency


def require(module: str, extra: str = "train") -> ModuleType:
    """Import an optional module, or say which extra installs it.

    module (str): The module's import name, e.g. `torch`.
    extra (str): The extra of this package that depends on it.
    RETURNS (ModuleType): The module.
    RAISES (MissingDependency): If the module is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as err:
        if err.name is not None and err.name.partition(".")[0] != module.partition(".")[0]:
            raise
        raise MissingDependency(Errors.E001.format(module=module, extra=extra)) from err
