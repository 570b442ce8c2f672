"""Commands under `python -m spacy optical`: importing this module registers them."""

from ._app import optical_cli
from .corpus import corpus_cli
from .distill import distill_cli
from .fetch_encoder import fetch_encoder_cli
from .plans import plans_cli
from .teach import teach_cli

__all__ = [
    "corpus_cli",
    "distill_cli",
    "fetch_encoder_cli",
    "optical_cli",
    "plans_cli",
    "teach_cli",
]
