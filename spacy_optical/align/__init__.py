"""Word alignment by optimal transport: arrays in, arrays out, with numpy and POT."""

from .config import ALIGNERS, DEFAULT_ALIGNER, AlignConfig, aligner
from .cost import cosine, masses, pair_weight, parallelism, word_cost
from .project import (
    Projected,
    ProjectedSpan,
    align_and_project,
    project_distributions,
    project_entities,
    project_spans,
)
from .solvers import SOLVERS
from .transport import Plan, align_words, plan

__all__ = [
    "ALIGNERS",
    "DEFAULT_ALIGNER",
    "SOLVERS",
    "AlignConfig",
    "Plan",
    "Projected",
    "ProjectedSpan",
    "align_and_project",
    "align_words",
    "aligner",
    "cosine",
    "masses",
    "pair_weight",
    "parallelism",
    "plan",
    "project_distributions",
    "project_entities",
    "project_spans",
    "word_cost",
]
