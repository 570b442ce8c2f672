"""Show the log odds of the pairs of bitext and its blocks as an HTML page."""

from collections.abc import Sequence

import numpy as np

from ..html_page import page_template
from .bitext_faults import FAULTS, CheckedFile

TEMPLATE = "bitext.html.jinja"
_HEIGHT, _POINTS = 160, 500
_LOW, _HIGH = -8.0, 12.0  # the range of log odds


def bitext_html(checked: Sequence[CheckedFile]) -> str:
    """Draw the log odds of the pairs of files as an HTML page that loads no other files.

    The blue line shows the pairs as they are, the green line the pairs at the offset of their
    block, both as means of consecutive pairs. The grey line is at log odds of 0.

    checked (Sequence[CheckedFile]): The reports of `check_bitext`, with an encoder.
    RETURNS (str): The page.
    """
    template = page_template(__package__, TEMPLATE, points=_points)
    page: str = template.render(files=checked, meaning=FAULTS, height=_HEIGHT, zero=_y(0.0))
    return page


def _points(values: Sequence[float]) -> str:
    parts = np.array_split(np.array(values), min(_POINTS, len(values)))
    step = 1000 / len(parts)
    means = enumerate(float(part.mean()) for part in parts)
    return " ".join(f"{(at + 0.5) * step:.1f},{_y(mean):.1f}" for at, mean in means)


def _y(odds: float) -> float:
    return _HEIGHT * (_HIGH - min(_HIGH, max(_LOW, odds))) / (_HIGH - _LOW)
