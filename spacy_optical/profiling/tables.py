"""The tables of a report, as pivots of its data frame."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ..compat import require
from .budget import budget_text, excess
from .cells import MISSING, cell, estimate_cell, number
from .frame import report_frame
from .schema import Budget, ProfileReport

if TYPE_CHECKING:
    from pandas import DataFrame

# The column headers of metrics. Values of the row replace the names in braces.
HEADERS = {
    "macro_f1": "Macro F1",
    "speed": "words/s, batch {batch_size}",
    "latency_p50": "p50 ms",
    "latency_p90": "p90 ms",
    "latency_p95": "p95 ms",
    "latency_p99": "p99 ms",
    "calls": "Calls",
    "texts": "Texts",
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1",
    "entities": "Gold entities",
    "import": "Import s",
    "load": "Load s",
    "first_call": "First call ms",
    "total": "Total s",
    "peak_rss": "Peak RSS MB",
    "above_floor": "above floor MB",
    "shared_pss": "PSS MB",
    "shared_rss": "Sum of RSS MB",
    "disk": "Disk MB",
    "ratio_f1": "F1 kept %",
    "ratio_speed": "Speed, batch {batch_size}",
    "ratio_p50": "Speed, one text",
    "ratio_peak_rss": "Less peak RSS",
    "ratio_above_floor": "Less above floor",
    "ratio_disk": "Less disk",
    "pieces_per_word": "Pieces per word",
    "unknown_share": "Unknown pieces %",
    "gold_words": "Words",
}
COST = (
    *("macro_f1", "speed", "latency_p50", "latency_p95", "latency_p99"),
    *("load", "peak_rss", "above_floor", "disk"),
)
RATIOS = tuple(name for name in HEADERS if name.startswith("ratio_"))
TYPES = ("precision", "recall", "f1", "entities")
LATENCY = ("latency_p50", "latency_p90", "latency_p95", "latency_p99", "calls")
LENGTHS = ("texts", "latency_p50")
START = ("import", "load", "first_call", "total")
SHARED = ("shared_pss", "shared_rss")
PIECES = ("pieces_per_word", "unknown_share", "gold_words")
# Tables with other headers.
F1 = {"f1": "{language}", "macro_f1": "Macro"}
MEMORY = {"peak_rss": "{phase}", "above_floor": "above floor", "steady_rss": "steady", "pss": "PSS"}


def make_table(caption: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> "DataFrame":
    """Make a table of text.

    caption (str): The caption with the units. It is the name of the data frame's columns.
    header (Sequence[str]): The column headers. The first column has the names of the rows.
    rows (Sequence[Sequence[str]]): The cells. A cell may end with an interval, as in
        `1.23 [1.20 to 1.27]`.
    RETURNS (DataFrame): The table.
    """
    frame = require("pandas", extra="profile").DataFrame(rows, columns=list(header))
    return frame.rename_axis(columns=caption)


def pivot(caption: str, rows: "DataFrame", metrics: Iterable[str], *index: str) -> "DataFrame":
    """Make a table from rows of a report's data frame, in the same order.

    caption (str): As for `make_table`.
    rows (DataFrame): The rows.
    metrics (Iterable[str]): The metrics of the columns. A dict sets other headers.
    *index (str): Columns of the data frame that name the rows, in addition to the pipeline.
    RETURNS (DataFrame): The table. Empty if no row has one of the metrics.
    """
    headers = metrics if isinstance(metrics, dict) else {name: HEADERS[name] for name in metrics}
    picked = rows[rows["metric"].isin(headers) & rows["value"].notna()]
    if picked.empty:
        return picked.iloc[:, :0]
    figures = zip(picked["value"], picked["low"], picked["high"], picked["unit"], strict=True)
    records = picked.to_dict("records")
    picked = picked.assign(
        text=[cell(*figure) for figure in figures],
        column=[headers[row["metric"]].format(**row) for row in records],
    )
    columns = [name for metric in headers for name in picked[picked.metric == metric].column]
    wide = picked.pivot_table("text", ["pipeline", *index], "column", aggfunc="first", sort=False)
    wide = wide.reindex(columns=list(dict.fromkeys(columns))).fillna(MISSING).reset_index()
    names = {name: name.replace("_", " ").capitalize() for name in ("pipeline", *index)}
    return wide.rename(columns=names).rename_axis(columns=caption)


def main_tables(report: ProfileReport) -> "list[DataFrame]":
    """Make the tables of F1, costs, ratios to the baseline and the budget, if there are data."""
    rows = report_frame(report)
    whole = rows[rows["phase"].isna() & rows["words"].isna()]
    scored = whole[(whole["label"] == "all") | (whole["metric"] == "macro_f1")]
    measured = whole[whole["pipeline"].isin([one.name for one in report.profiles])]
    compared = whole[whole["pipeline"] != report.settings.baseline]
    macro, settings = ", ".join(report.macro_languages), report.settings
    tables = [
        pivot(f"Entity F1 in percent; macro is the mean over {macro}", scored, F1),
        pivot(f"Cost and macro F1; threads: {settings.threads}", measured, COST),
        pivot(f"Compared with {settings.baseline}; above 1× is better", compared, RATIOS),
    ]
    found = [table for table in tables if len(table)]
    return found + ([budget_table(report, settings.budget)] if settings.budget is not None else [])


def detail_tables(report: ProfileReport) -> "dict[str, list[DataFrame]]":
    """Make the tables of the figures and other details, by the figure's name or a heading."""
    rows = report_frame(report)
    lengths, whole = rows[rows["words"].notna()], rows[rows["words"].isna()]
    phases = whole.assign(phase=whole["phase"].fillna("Peak"))
    combined, floor = "Combined memory of nlp.pipe(n_process=N) and its processes, MB", ""
    if report.floor is not None:
        floor = f"; the libraries alone: {number(report.floor.peak_rss_mb.value)}"
    files = [
        (one.name, file, f"{size:,}")
        for one in report.profiles
        if one.disk is not None
        for file, size in sorted(one.disk.files.items(), key=lambda item: -item[1])
    ]
    found = (
        ("f1-languages", pivot("Scores in percent", whole, TYPES, "language", "label")),
        ("latency", pivot("Latency of nlp(text), ms", whole, LATENCY)),
        ("latency-length", pivot("Latency of one text by its words", lengths, LENGTHS, "words")),
        ("throughput", pivot("Speed of nlp.pipe", whole, {"speed": "words/s"}, "batch_size")),
        ("memory", pivot(f"Peak resident memory by phase, MB{floor}", phases, MEMORY)),
        ("memory", pivot(combined, whole, SHARED, "processes")),
        ("Start", pivot("From a fresh process to the first result", whole, START)),
        ("Subword pieces", pivot("Subword pieces of the gold words", whole, PIECES, "language")),
        ("Files", make_table("Files", ("Pipeline", "File", "Bytes"), files)),
    )
    tables: dict[str, list[DataFrame]] = {}
    for name, table in found:
        if len(table):
            tables.setdefault(name, []).append(table)
    return tables


def budget_table(report: ProfileReport, budget: Budget) -> "DataFrame":
    """Make a table of the pipelines within a budget, and why the others are not."""
    rows = [
        (one.name, estimate_cell(one.macro_f1, "share"), "; ".join(excess(one, budget)) or "fits")
        for one in report.profiles
    ]
    rows += [(one.name, MISSING, "does not run") for one in report.not_run]
    caption = f"Within the budget of {budget_text(budget)}"
    return make_table(caption, ("Pipeline", "Macro F1", "Budget"), rows)
