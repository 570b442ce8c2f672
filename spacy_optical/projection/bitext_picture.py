"""Bitext to look at: how alike its pairs are along a file, with blocks marked, as one HTML page."""

from collections.abc import Sequence

import numpy as np

from ..html_page import page_template
from .bitext_faults import FAULTS, CheckedFile

TEMPLATE = "bitext.html.jinja"
_HEIGHT, _POINTS = 160, 500
_LOW, _HIGH = -8.0, 12.0  # log odds that are drawn


def bitext_html(checked: Sequence[CheckedFile]) -> str:
    """Draw how alike the pairs of files are, as an HTML page that needs nothing else.

    The blue line has the log odds of the pairs as they are, the green one those at the offset of
    their block, as means of neighbouring pairs. On the grey line translation and chance are equally
    likely.

    checked (Sequence[CheckedFile]): What `check_bitext` returned, with an encoder.
    RETURNS (str): The page.
    """
    files = [
        {
            "path": found.path,
            "pairs": found.pairs,
            "blocks": found.blocks,
            "faults": sorted(found.faults.items()),
            "lines": [
                (colour, _points(values))
                for colour, values in (("#2a9d4a", found.best_odds), ("#3366cc", found.odds))
                if values
            ],
        }
        for found in checked
    ]
    page: str = page_template(__package__, TEMPLATE).render(
        files=files, meaning=FAULTS, height=_HEIGHT, zero=_y(0.0)
    )
    return page


def _points(values: Sequence[float]) -> str:
    parts = np.array_split(np.array(values), min(_POINTS, len(values)))
    step = 1000 / len(parts)
    means = enumerate(float(part.mean()) for part in parts)
    return " ".join(f"{(at + 0.5) * step:.1f},{_y(mean):.1f}" for at, mean in means)


def _y(odds: float) -> float:
    return _HEIGHT * (_HIGH - min(_HIGH, max(_LOW, odds))) / (_HIGH - _LOW)
