"""The tables of a report, each a pivot of its data frame, as text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..compat import require
from .budget import budget_text, excess
from .cells import MISSING, cell, estimate_cell, number
from .frame import report_frame
from .schema import Budget, ProfileReport

if TYPE_CHECKING:
    from pandas import DataFrame

# Metrics as the columns of a table; what is in braces is filled from the row.
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
PERCENTILES = ("latency_p50", "latency_p95", "latency_p99")
COST = ("macro_f1", "speed", *PERCENTILES, "load", "peak_rss", "above_floor", "disk")
RATIOS = tuple(name for name in HEADERS if name.startswith("ratio_"))
TYPES = ("precision", "recall", "f1", "entities")
LATENCY = ("latency_p50", "latency_p90", "latency_p95", "latency_p99", "calls")
LENGTHS = ("texts", "latency_p50")
START = ("import", "load", "first_call", "total")
SHARED = ("shared_pss", "shared_rss")
PIECES = ("pieces_per_word", "unknown_share", "gold_words")
# Tables whose columns have other names.
F1 = {"f1": "{language}", "macro_f1": "Macro"}
MEMORY = {"peak_rss": "{phase}", "above_floor": "above floor", "steady_rss": "steady", "pss": "PSS"}
COMBINED = "Combined memory of nlp.pipe(n_process=N) and its processes, MB"


@dataclass(frozen=True)
class Table:
    """A table of text.

    caption (str): What it shows, with the units.
    frame (DataFrame): The cells; the first column names the row. A cell may end with its interval,
        as in `1.23 [1.20 to 1.27]`.
    """

    caption: str
    frame: "DataFrame"


def make_table(caption: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """Make a table of cells that are text already."""
    return Table(caption, require("pandas", extra="profile").DataFrame(rows, columns=list(header)))


def pivot(rows: "DataFrame", metrics: Iterable[str], *index: str) -> "DataFrame":
    """Turn long rows into a table, in the order in which they come.

    rows (DataFrame): Rows of a report's data frame.
    metrics (Iterable[str]): The metrics of the columns; a dict gives them other headers.
    *index (str): Columns of the frame that name a row, besides the pipeline.
    RETURNS (DataFrame): The cells as text.
    """
    headers = {name: HEADERS[name] for name in metrics if name in HEADERS}
    headers |= metrics if isinstance(metrics, dict) else {}
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
    return wide.rename(columns=names).rename_axis(columns=None)


def main_tables(report: ProfileReport) -> list[Table]:
    """Give F1 by language, costs, the comparison with the baseline and the budget, if known."""
    rows = report_frame(report)
    whole = rows[rows["phase"].isna() & rows["words"].isna()]
    scored = whole[(whole["label"] == "all") | (whole["metric"] == "macro_f1")]
    measured = whole[whole["pipeline"].isin([one.name for one in report.profiles])]
    compared = whole[whole["pipeline"] != report.settings.baseline]
    macro, settings = ", ".join(report.macro_languages), report.settings
    tables = [
        Table(f"Entity F1 in percent; macro is the mean over {macro}", pivot(scored, F1)),
        Table(f"Cost and macro F1; threads: {settings.threads}", pivot(measured, COST)),
        Table(f"Compared with {settings.baseline}; above 1× is better", pivot(compared, RATIOS)),
    ]
    found = [table for table in tables if len(table.frame)]
    return found + ([budget_table(report, settings.budget)] if settings.budget is not None else [])


def detail_tables(report: ProfileReport) -> dict[str, list[Table]]:
    """Give the tables behind the figures and other details, by figure or heading."""
    rows = report_frame(report)
    lengths, whole = rows[rows["words"].notna()], rows[rows["words"].isna()]
    phases = whole.assign(phase=whole["phase"].fillna("Peak"))
    floor = ""
    if report.floor is not None:
        floor = f"; the libraries alone: {number(report.floor.peak_rss_mb.value)}"
    found = (
        ("f1-languages", "Scores in percent", pivot(whole, TYPES, "language", "label")),
        ("latency", "Latency of nlp(text), ms", pivot(whole, LATENCY)),
        ("latency-length", "Latency of one text by its words", pivot(lengths, LENGTHS, "words")),
        ("throughput", "Speed of nlp.pipe", pivot(whole, {"speed": "words/s"}, "batch_size")),
        ("memory", f"Peak resident memory by phase, MB{floor}", pivot(phases, MEMORY)),
        ("memory", COMBINED, pivot(whole, SHARED, "processes")),
        ("Start", "From a fresh process to the first result", pivot(whole, START)),
        ("Subword pieces", "Subword pieces of the gold words", pivot(whole, PIECES, "language")),
        ("Files", "Files", _files(report)),
    )
    tables: dict[str, list[Table]] = {}
    for name, caption, frame in found:
        if len(frame):
            tables.setdefault(name, []).append(Table(caption, frame))
    return tables


def budget_table(report: ProfileReport, budget: Budget) -> Table:
    """Show which pipelines are within a budget, and why the others are not."""
    rows = [
        (one.name, estimate_cell(one.macro_f1, "share"), "; ".join(excess(one, budget)) or "fits")
        for one in report.profiles
    ]
    rows += [(one.name, MISSING, "does not run") for one in report.not_run]
    caption = f"Within the budget of {budget_text(budget)}"
    return make_table(caption, ("Pipeline", "Macro F1", "Budget"), rows)


def _files(report: ProfileReport) -> "DataFrame":
    rows = [
        (one.name, file, f"{size:,}")
        for one in report.profiles
        if one.disk is not None
        for file, size in sorted(one.disk.files.items(), key=lambda item: -item[1])
    ]
    return make_table("", ("Pipeline", "File", "Bytes"), rows).frame
