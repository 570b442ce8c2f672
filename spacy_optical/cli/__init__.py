"""Commands under `python -m spacy optical`: importing this module registers them."""

from ._app import optical_cli
from .align import align_cli
from .assemble import assemble_cli
from .corpus import corpus_cli
from .distill import distill_cli
from .evaluate import evaluate_cli
from .evaluate_projection import evaluate_projection_cli
from .export import export_cli
from .fetch_data import fetch_data_cli
from .fetch_encoder import fetch_encoder_cli
from .plans import plans_cli
from .profile import profile_cli
from .project_labels import project_labels_cli
from .recommend import recommend_cli
from .reference import reference_cli
from .summary import summary_cli
from .teach import teach_cli

__all__ = [
    "align_cli",
    "assemble_cli",
    "corpus_cli",
    "distill_cli",
    "evaluate_cli",
    "evaluate_projection_cli",
    "export_cli",
    "fetch_data_cli",
    "fetch_encoder_cli",
    "optical_cli",
    "plans_cli",
    "profile_cli",
    "project_labels_cli",
    "recommend_cli",
    "reference_cli",
    "summary_cli",
    "teach_cli",
]
