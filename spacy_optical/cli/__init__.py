"""Commands under `python -m spacy optical`: importing this module registers them."""

from ._app import optical_cli
from .assemble import assemble_cli
from .corpus import corpus_cli
from .distill import distill_cli
from .evaluate import evaluate_cli
from .export import export_cli
from .fetch_encoder import fetch_encoder_cli
from .plans import plans_cli
from .profile import profile_cli
from .reference import reference_cli
from .teach import teach_cli

__all__ = [
    "assemble_cli",
    "corpus_cli",
    "distill_cli",
    "evaluate_cli",
    "export_cli",
    "fetch_encoder_cli",
    "optical_cli",
    "plans_cli",
    "profile_cli",
    "reference_cli",
    "teach_cli",
]
