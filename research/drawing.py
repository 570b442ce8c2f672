"""Drawing of figures with panels, markers and error bars, in the style of the profiler."""

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
# Height of a line of text, in inches.
LINE = 0.18
# Maximum number of characters in the name of a row.
ROW_CHARACTERS = 16


def draw(
    name: str,
    title: str,
    text: str,
    names: Sequence[str],
    plot: "Callable[[Axes], None] | Mapping[str, Callable[[Axes], None]]",
) -> Figure:
    """Draw a figure.

    name (str): The file name without its ending.
    title (str): The title.
    text (str): How to read the figure.
    names (Sequence[str]): The names of the series.
    plot (Union[Callable, Mapping[str, Callable]]): Draws on the axes; several panels have one
        function for each heading.
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
    """Get the colour and the marker of a series.

    at (int): The number of the series.
    RETURNS (Dict[str, Any]): Arguments for matplotlib.
    """
    return {"color": COLOURS[at % len(COLOURS)], "marker": MARKERS[at % len(MARKERS)]}


def error_bars(value: Estimate, scale: float = 1.0) -> list[list[float]]:
    """Get the two lengths of an error bar.

    value (Estimate): The figure.
    scale (float): A factor for the lengths.
    RETURNS (List[List[float]]): The lengths below and above the value.
    """
    below, above = value.value - value.low, value.high - value.value
    return [[max(below, 0) * scale], [max(above, 0) * scale]]


def name_rows(axes: "Axes", names: Sequence[str]) -> None:
    """Label the rows of a figure, the first on top.

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
    """Make an axis logarithmic, with numbers such as 5 and 20.

    axes (Axes): The axes.
    which (str): `x` or `y`.
    """
    ticker = require("matplotlib.ticker", extra="profile")
    axes.set(**{f"{which}scale": "log"})
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(ticker.NullFormatter())
