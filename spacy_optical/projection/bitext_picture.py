"""Bitext to look at: how alike its pairs are along a file, with blocks marked, as one HTML page."""

from collections.abc import Sequence
from html import escape

import numpy as np

from .bitext_faults import FAULTS, CheckedFile

COLOURS = {"shifted": "#feca74", "scrambled": "#ff9561", "unrelated": "#aa9cfc"}
_WIDTH, _HEIGHT, _POINTS = 1000, 160, 500
_LOW, _HIGH = -8.0, 12.0  # log odds that are drawn

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Bitext</title>
<style>
body {{ font-family: system-ui, sans-serif; margin: 1.5rem; color: #1d2430; background: #fff; }}
figcaption {{ color: #4a5462; font-size: 0.9rem; max-width: 60rem; }}
svg {{ width: 100%; max-width: {width}px; }}
polyline {{ fill: none; stroke-width: 1.2; }}
</style>
</head>
<body>
{figures}
</body>
</html>
"""


def bitext_html(checked: Sequence[CheckedFile]) -> str:
    """Draw how alike the pairs of files are, as an HTML page that needs nothing else.

    The blue line has the log odds of the pairs as they are, the green one those at the offset of
    their block, as means of neighbouring pairs; the grey line is at 0, where both are as likely.

    checked (Sequence[CheckedFile]): What `check_bitext` returned, with an encoder.
    RETURNS (str): The page.
    """
    return _PAGE.format(figures="\n".join(map(_figure, checked)), width=_WIDTH)


def _figure(found: CheckedFile) -> str:
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {_WIDTH} {_HEIGHT}">',
        f"<title>{escape(found.path)}</title>",
    ]
    for block in found.blocks:
        left = (block["start"] - 1) / found.pairs * _WIDTH
        width = (block["end"] - block["start"] + 1) / found.pairs * _WIDTH
        parts.append(
            f'<rect x="{left:.1f}" y="0" width="{width:.1f}" height="{_HEIGHT}" '
            f'fill="{COLOURS[block["kind"]]}" opacity="0.5"><title>{_told(block)}</title></rect>'
        )
    zero = _y(0.0)
    parts.append(f'<line x1="0" x2="{_WIDTH}" y1="{zero}" y2="{zero}" stroke="#98a1ad"/>')
    for values, colour in ((found.best, "#2a9d4a"), (found.similarity, "#3366cc")):
        if values:
            parts.append(f'<polyline points="{_points(values)}" stroke="{colour}"/>')
    parts.append("</svg>")
    faults = [f"{count} {FAULTS[kind]} ({kind})" for kind, count in sorted(found.faults.items())]
    told = [*map(_told, found.blocks), *faults]
    caption = f"{found.path}: {found.pairs} pairs. " + "; ".join(told)
    return f"<figure>\n{''.join(parts)}\n<figcaption>{escape(caption)}</figcaption>\n</figure>"


def _told(block: dict) -> str:
    offset = f" by {block['offset']:+d}" if block["offset"] is not None else ""
    return f"pairs {block['start']} to {block['end']} {block['kind']}{offset}"


def _points(values: Sequence[float]) -> str:
    parts = np.array_split(np.array(values), min(_POINTS, len(values)))
    step = _WIDTH / len(parts)
    return " ".join(
        f"{(at + 0.5) * step:.1f},{_y(float(part.mean()))}" for at, part in enumerate(parts)
    )


def _y(odds: float) -> str:
    share = (min(_HIGH, max(_LOW, odds)) - _LOW) / (_HIGH - _LOW)
    return f"{(1 - share) * _HEIGHT:.1f}"
