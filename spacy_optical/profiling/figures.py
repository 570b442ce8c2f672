"""Draw the figures of a report with pandas and matplotlib, as SVG and PNG files."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..compat import require
from .frame import report_frame
from .schema import ProfileReport

if TYPE_CHECKING:
    from pandas import DataFrame

# Distinguishable on white, also with common kinds of colour blindness (after Okabe and Ito).
COLOURS = (
    *("#3b87c8", "#e0861f", "#2a9d77", "#cc6699", "#8f7ad6"),
    *("#a3912b", "#38a3b8", "#8a8a8a", "#7a3b2e", "#1b1f24"),
)
STYLE = {
    "svg.fonttype": "none",
    # With a fixed salt, the same figure gives the same file.
    "svg.hashsalt": "spacy_optical",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.alpha": 0.4,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
    # Names may contain dollar signs.
    "text.parse_math": False,
}
WIDTH, HEIGHT, ROW = 5.4, 3.6, 0.5  # inches


@dataclass(frozen=True)
class Figure:
    """A figure: its file name without a suffix, title, description and the two files."""

    name: str
    title: str
    text: str
    svg: bytes
    png: bytes


def draw_figures(report: ProfileReport) -> list[Figure]:
    """Draw the figures of a report, except those without data.

    report (ProfileReport): The report.
    RETURNS (List[Figure]): The figures.
    RAISES (MissingDependency): If matplotlib or pandas is not installed.
    """
    with require("matplotlib", extra="profile").rc_context(STYLE):
        return list(_figures(report))


def _figures(report: ProfileReport) -> Iterator[Figure]:
    rows = report_frame(report)
    rows = rows[rows["pipeline"].isin([one.name for one in report.profiles])]
    whole = rows[rows["phase"].isna() & rows["words"].isna() & rows["processes"].isna()]
    f1 = whole[(whole["metric"] == "f1") & (whole["label"] == "all")]
    if len(f1):
        languages = f1.assign(row=f1["language"], column=f1["pipeline"])
        yield _bars("f1-languages", "F1 by language", "F1, %", languages, scale=100, kind="bar")
    for name, metric, title, label in (
        ("latency", "latency_p50", "Median latency of one text", "p50, ms"),
        ("throughput", "speed", "Words per second", "words/s"),
        ("memory", "peak_rss", "Peak memory of a fresh process", "Peak RSS, MB"),
    ):
        found = whole[whole["metric"] == metric]
        if len(found):
            sizes = found["batch_size"].astype("string").radd("batch ").fillna("")
            yield _bars(name, title, label, found.assign(row=found["pipeline"], column=sizes))
    lengths = rows[rows["words"].notna() & (rows["metric"] == "latency_p50")]
    if len(lengths):
        title = "Median latency by the words of the text"
        lengths = lengths.assign(row=lengths["words"], column=lengths["pipeline"])
        yield _bars("latency-length", title, "p50, ms", lengths, kind="bar")


def _bars(
    name: str, title: str, label: str, rows: "DataFrame", scale: float = 1, kind: str = "barh"
) -> Figure:
    """Draw bars with intervals: a group for each `row` with a bar for each `column`."""
    rows = rows.fillna({"low": rows["value"], "high": rows["value"]})
    value, low, high = (
        rows.pivot_table(side, "row", "column", sort=False)[list(rows["column"].unique())] * scale
        for side in ("value", "low", "high")
    )
    bounds = [[value[one] - low[one], high[one] - value[one]] for one in value]
    upright = kind == "bar"
    height = HEIGHT if upright else max(HEIGHT, ROW * len(value) + 1)
    drawing = require("matplotlib.figure", extra="profile").Figure(figsize=(WIDTH, height))
    axes = drawing.subplots()
    error = {"yerr" if upright else "xerr": bounds, "error_kw": {"linewidth": 1}}
    value.plot(kind=kind, ax=axes, color=COLOURS, width=0.75, legend=False, rot=0, **error)
    axes.grid(False, axis="x" if upright else "y")
    axes.set(**{"ylabel" if upright else "xlabel": label, "xlabel" if upright else "ylabel": ""})
    if not upright:
        axes.invert_yaxis()
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.locator_params(axis="x", nbins=5)
    text = f"{'; '.join(rows['pipeline'].unique())}; thin lines are 95 % intervals"
    return save_figure(drawing, name, title, text)


def save_figure(drawing: Any, name: str, title: str, text: str) -> Figure:
    """Save a drawing, with a legend below it if it has several names."""
    handles, names = drawing.axes[0].get_legend_handles_labels()
    if len(names) > 1:
        columns = min(max(60 // (max(map(len, names)) + 6), 1), 3)
        # The legend needs space in addition to the axes.
        drawing.set_figheight(drawing.get_figheight() + 0.24 * -(-len(names) // columns))
        drawing.legend(handles, names, loc="outside lower center", ncols=columns, fontsize=10)
    svg, png = io.BytesIO(), io.BytesIO()
    drawing.savefig(svg, format="svg", metadata={"Date": None})
    drawing.savefig(png, format="png", dpi=150)
    return Figure(name, title, f"{title}: {text}.", svg.getvalue(), png.getvalue())
