"""Word alignment by optimal transport: arrays in, arrays out, with numpy and POT."""

from .batched import plan_batch
from .config import AlignConfig
from .cost import (
    cosine,
    inverse_document_frequencies,
    masses,
    pair_weight,
    parallelism,
    word_cost,
)
from .presets import ALIGNERS, DEFAULT_ALIGNER, aligner
from .project import (
    Projected,
    ProjectedSpan,
    SourceSpan,
    project_distributions,
    project_spans,
    without_articles,
)
from .transport import Plan, align_words, null_share, plan

__all__ = [
    "ALIGNERS",
    "DEFAULT_ALIGNER",
    "AlignConfig",
    "Plan",
    "Projected",
    "ProjectedSpan",
    "SourceSpan",
    "align_words",
    "aligner",
    "cosine",
    "inverse_document_frequencies",
    "masses",
    "null_share",
    "pair_weight",
    "parallelism",
    "plan",
    "plan_batch",
    "project_distributions",
    "project_spans",
    "without_articles",
    "word_cost",
]
