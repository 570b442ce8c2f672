"""Drawing one figure: SVG that takes the colours of the page around it, and PNG on white."""

import io
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..compat import require
from .schema import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

# Drawn where the text's own colour belongs; no line of data has it.
INK = "#010203"
# Told apart on white and on black, and with the usual kinds of colour blindness (after Okabe, Ito).
COLOURS = ("#3b87c8", "#e0861f", "#2a9d77", "#cc6699", "#8f7ad6", "#a3912b", "#38a3b8", "#8a8a8a")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "spacy_optical",
    "font.family": "sans-serif",
    "font.size": 11,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#888888",
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
    # A name may hold dollar signs.
    "text.parse_math": False,
}
# What fits beside the rows of a figure, and across all of it.
ROW_CHARACTERS = 16
CHARACTERS_ACROSS = 60
PANELS_ACROSS = 2
# Inches that a row of a legend is high.
LEGEND_ROW = 0.22
# Inches that a row of a figure is high at least.
ROW = 0.55

NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))


@dataclass(frozen=True)
class Figure:
    """A drawn figure.

    name (str): Its file name without an ending, and its place in the page.
    title (str): What it shows.
    text (str): The same in words, for those who do not see it.
    svg (str): The drawing as an SVG element.
    png (bytes): The drawing on white.
    """

    name: str
    title: str
    text: str
    svg: str
    png: bytes


def drawing_style() -> AbstractContextManager[None]:
    """Give the style that all figures are drawn in, for a `with` block.

    RETURNS (AbstractContextManager): Sets it, and takes it back.
    RAISES (MissingDependency): If matplotlib is not installed.
    """
    style: AbstractContextManager[None] = require("matplotlib", extra="profile").rc_context(STYLE)
    return style


def draw(
    name: str,
    title: str,
    text: str,
    names: Sequence[str],
    plot: "Callable[[Axes], None]",
) -> Figure:
    """Draw one figure.

    name (str): Its file name without an ending.
    title (str): What it shows.
    text (str): How to read it.
    names (Sequence[str]): What is in it.
    plot (Callable[[Axes], None]): Puts the data on the axes.
    RETURNS (Figure): The drawing.
    """
    from matplotlib.figure import Figure as Drawing

    drawing = Drawing(figsize=(5.4, 4.0))
    plot(drawing.subplots())
    return _figure(drawing, name, title, text, names)


def draw_panels(
    name: str,
    title: str,
    text: str,
    names: Sequence[str],
    panels: "Mapping[str, Callable[[Axes], None]]",
) -> Figure:
    """Draw small figures beside each other, with one legend.

    name (str): The file name without an ending.
    title (str): What it shows.
    text (str): How to read it.
    names (Sequence[str]): What is in it.
    panels (Mapping[str, Callable[[Axes], None]]): For each panel's heading what puts its data on
        the axes.
    RETURNS (Figure): The drawing.
    """
    from matplotlib.figure import Figure as Drawing

    rows = -(-len(panels) // PANELS_ACROSS)
    drawing = Drawing(figsize=(5.4, 1.7 * rows + 0.8))
    grid = drawing.subplots(rows, PANELS_ACROSS, squeeze=False).flat
    for axes, (heading, plot) in zip(grid, panels.items(), strict=False):
        plot(axes)
        axes.set_title(heading, fontsize=11)
    for axes in list(grid)[len(panels) :]:
        axes.set_axis_off()
    # All panels name the same things; the first speaks for them.
    add_legend(drawing.axes[0])
    return _figure(drawing, name, title, text, names)


def _figure(drawing: "Drawing", name: str, title: str, text: str, names: Sequence[str]) -> Figure:
    described = f"{title}: {', '.join(names)}; {text}."
    return Figure(name, title, described, _svg(drawing, name), _png(drawing))


def _svg(drawing: "Drawing", name: str) -> str:
    """The drawing as an element of a page: own ids, no style for others, no fixed size."""
    out = io.StringIO()
    drawing.savefig(out, format="svg", transparent=True, metadata=NO_METADATA)
    text = out.getvalue()
    text = text[text.index("<svg") :].strip()
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", text, flags=re.DOTALL)
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'href="#', f'href="#{name}-', text)
    text = text.replace("url(#", f"url(#{name}-").replace(INK, "currentColor")
    text = re.sub(r'<svg ([^>]*?)(?:width|height)="[^"]*pt"', r"<svg \1", text)
    text = re.sub(r'<svg ([^>]*?)(?:width|height)="[^"]*pt"', r"<svg \1", text)
    return re.sub(r"font: ([\d.]+)px [^;\"]*", r"font: \1px system-ui, sans-serif", text)


def _png(drawing: "Drawing") -> bytes:
    out = io.BytesIO()
    drawing.savefig(out, format="png", dpi=150, facecolor="white")
    return out.getvalue()


def style_of(at: int) -> dict[str, Any]:
    """Give the colour and mark of a pipeline.

    at (int): Its place among the pipelines.
    RETURNS (Dict[str, Any]): Arguments for matplotlib.
    """
    return {"color": COLOURS[at % len(COLOURS)], "marker": MARKERS[at % len(MARKERS)]}


def reach(value: Estimate, scale: float = 1.0) -> list[list[float]]:
    """Give the two sides of an error bar.

    value (Estimate): The figure.
    scale (float): What it is multiplied by.
    RETURNS (List[List[float]]): Lengths below and above.
    """
    return [
        [max(value.value - value.low, 0) * scale],
        [max(value.high - value.value, 0) * scale],
    ]


def name_rows(axes: "Axes", names: Sequence[str]) -> None:
    """Give each name a row, the first on top.

    axes (Axes): The axes.
    names (Sequence[str]): The names.
    """
    drawing = axes.get_figure(root=True)
    if drawing is not None:
        drawing.set_figheight(max(drawing.get_figheight(), ROW * len(names) + 1))
    axes.set_yticks(range(len(names)), [textwrap.fill(name, ROW_CHARACTERS) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(False, axis="y")


def plain_ticks(axis: Any) -> None:
    """Label a logarithmic axis with plain numbers.

    axis (Any): The axis.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def few_ticks() -> Any:
    """Give a locator of few enough ticks for long numbers.

    RETURNS (Any): The locator.
    """
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(5)


def add_legend(axes: "Axes") -> None:
    """Put the legend under the axes.

    axes (Axes): The axes.
    """
    drawing = axes.get_figure(root=True)
    handles, names = axes.get_legend_handles_labels()
    if drawing is not None and names:
        columns = min(max(CHARACTERS_ACROSS // (max(map(len, names)) + 6), 1), 3)
        # Rows beyond the first would be taken from the axes.
        rows = -(-len(names) // columns)
        drawing.set_figheight(drawing.get_figheight() + LEGEND_ROW * (rows - 1))
        drawing.legend(
            handles,
            names,
            loc="outside lower center",
            ncols=columns,
            fontsize=10,
            columnspacing=1.2,
        )
