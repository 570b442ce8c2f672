"""Entity scores from 0 to 100 and their confidence intervals, with numpy and scipy only."""

from .bootstrap import bootstrap_interval, macro_f1_interval, macro_f1_ratio, score_intervals
from .counts import counts_text, parse_counts, span_counts, with_labels
from .f1 import Score, precision_recall_f1, score

__all__ = [
    "Score",
    "bootstrap_interval",
    "counts_text",
    "macro_f1_interval",
    "macro_f1_ratio",
    "parse_counts",
    "precision_recall_f1",
    "score",
    "score_intervals",
    "span_counts",
    "with_labels",
]
