"""Drawing figures with several panels, marks and error bars, in the style of the profiler."""

import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from spacy_optical.compat import require
from spacy_optical.profiling.figures import (
    COLOURS,
    HEIGHT,
    ROW,
    STYLE,
    WIDTH,
    Figure,
    save_figure,
)
from spacy_optical.profiling.schema import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
PANELS_ACROSS, PANEL_HEIGHT = 2, 1.8
# Inches of a line of text.
LINE = 0.18
# Characters that fit beside the rows of a figure.
ROW_CHARACTERS = 16


def draw(
    name: str,
    title: str,
    text: str,
    names: Sequence[str],
    plot: "Callable[[Axes], None] | Mapping[str, Callable[[Axes], None]]",
) -> Figure:
    """Draw one figure, with one legend for all of its panels.

    name (str): Its file name without an ending.
    title (str): What it shows.
    text (str): How to read it.
    names (Sequence[str]): The names of what is in it.
    plot (Union[Callable, Mapping[str, Callable]]): Puts the data on the axes; with several panels
        one for each heading.
    RETURNS (Figure): The drawing.
    RAISES (MissingDependency): If matplotlib is not installed.
    """
    drawings = require("matplotlib.figure", extra="profile")
    with require("matplotlib", extra="profile").rc_context(STYLE):
        if callable(plot):
            drawing = drawings.Figure(figsize=(WIDTH, HEIGHT))
            plot(drawing.subplots())
        else:
            lines = -(-len(plot) // PANELS_ACROSS)
            drawing = drawings.Figure(figsize=(WIDTH, PANEL_HEIGHT * lines))
            grid = list(drawing.subplots(lines, PANELS_ACROSS, squeeze=False).flat)
            for axes, (heading, panel) in zip(grid, plot.items(), strict=False):
                panel(axes)
                axes.set_title(heading, fontsize=11)
            for axes in grid[len(plot) :]:
                axes.set_axis_off()
        return save_figure(drawing, name, title, f"{', '.join(names)}; {text}")


def style_of(at: int) -> dict[str, Any]:
    """Give the colour and the marker of a pipeline.

    at (int): Its number among the pipelines.
    RETURNS (Dict[str, Any]): Arguments for matplotlib.
    """
    return {"color": COLOURS[at % len(COLOURS)], "marker": MARKERS[at % len(MARKERS)]}


def error_bars(value: Estimate, scale: float = 1.0) -> list[list[float]]:
    """Give the two sides of an error bar.

    value (Estimate): The figure.
    scale (float): What it is multiplied by.
    RETURNS (List[List[float]]): Lengths below and above.
    """
    below, above = value.value - value.low, value.high - value.value
    return [[max(below, 0) * scale], [max(above, 0) * scale]]


def name_rows(axes: "Axes", names: Sequence[str]) -> None:
    """Give each name a row, the first on top.

    axes (Axes): The axes.
    names (Sequence[str]): The names.
    """
    drawing: Any = axes.get_figure(root=True)
    labels = [textwrap.fill(name, ROW_CHARACTERS) for name in names]
    lines = max((label.count("\n") + 1 for label in labels), default=1)
    drawing.set_figheight(max(HEIGHT, max(ROW, LINE * (lines + 0.5)) * len(names) + 1))
    axes.set_yticks(range(len(names)), labels)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(False, axis="y")


def log_axis(axes: "Axes", which: str) -> None:
    """Make an axis logarithmic, with plain numbers.

    axes (Axes): The axes.
    which (str): `x` or `y`.
    """
    ticker = require("matplotlib.ticker", extra="profile")
    axes.set(**{f"{which}scale": "log"})
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(ticker.NullFormatter())
