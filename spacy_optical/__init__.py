"""Multilingual named-entity recognition for spaCy, distilled through optimal transport.

The functions are imported on first use: `import spacy_optical` does not load spaCy or torch.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .about import __version__

if TYPE_CHECKING:
    from .distill.distillation import distill
    from .export.bundle_export import export_bundle as export
    from .own_labels.finetuned_model import finetune
    from .profiling.measure import profile
    from .projection.bitext_faults import check_bitext
    from .projection.labels import project_labels
    from .projection.pair import align_pair as align
    from .scale.label_files import project_label_files
    from .scale.stream import annotate

__all__ = [
    "__version__",
    "align",
    "annotate",
    "check_bitext",
    "distill",
    "export",
    "finetune",
    "profile",
    "project_label_files",
    "project_labels",
]

_FUNCTIONS = {
    "align": ("projection.pair", "align_pair"),
    "annotate": ("scale.stream", "annotate"),
    "check_bitext": ("projection.bitext_faults", "check_bitext"),
    "distill": ("distill.distillation", "distill"),
    "export": ("export.bundle_export", "export_bundle"),
    "finetune": ("own_labels.finetuned_model", "finetune"),
    "profile": ("profiling.measure", "profile"),
    "project_label_files": ("scale.label_files", "project_label_files"),
    "project_labels": ("projection.labels", "project_labels"),
}


class _Package(ModuleType):
    """Keep functions such as `align` when the subpackage of the same name is imported."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _FUNCTIONS and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name not in _FUNCTIONS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, function = _FUNCTIONS[name]
    return getattr(import_module(f"{__name__}.{module}"), function)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
