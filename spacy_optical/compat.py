"""Import optional modules, and ONNX Runtime with its telemetry off."""

import os
from importlib import import_module
from types import ModuleType

from .errors import Errors, MissingDependency


def require(module: str, extra: str = "train") -> ModuleType:
    """Import an optional module.

    module (str): The import name of the module, e.g. `torch`.
    extra (str): The extra of this package that installs it, for the error.
    RETURNS (ModuleType): The module.
    RAISES (MissingDependency): If the module is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as err:
        if err.name is not None and err.name.partition(".")[0] != module.partition(".")[0]:
            raise
        raise MissingDependency(Errors.E001.format(module=module, extra=extra)) from err


def require_onnxruntime(module: str = "onnxruntime") -> ModuleType:
    """Import ONNX Runtime or one of its modules, with its telemetry off.

    On import, ONNX Runtime 1.29 and later write a device identifier and a database to the user's
    home folder and start a thread that uploads events (see its Privacy.md). The environment
    variable `ORT_DISABLE_TELEMETRY` turns this off. If it is already set, its value is kept.

    module (str): The import name of the module.
    RETURNS (ModuleType): The module.
    RAISES (MissingDependency): If the module is not installed.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    return require(module)
