"""Show a transport plan as an HTML page or a table."""

import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np
from spacy.displacy.render import DEFAULT_ENTITY_COLOR, DEFAULT_LABEL_COLORS

from ..align import Plan, ProjectedSpan
from ..html_page import page_template

COLOURS = {**DEFAULT_LABEL_COLORS, "PER": DEFAULT_LABEL_COLORS["PERSON"]}
PLAIN_LINK = "#7a8594"
NULL_SHARE = 0.25
LEAST_LINK = 0.05
_LINE, _PAD, _LETTER = 30, 12, 9.2
TEMPLATE = "plan.html.jinja"


def plan_html(
    plan: Plan,
    source_words: Sequence[str],
    target_words: Sequence[str],
    source_spans: Sequence[tuple[int, int, str]] = (),
    target_spans: Sequence[ProjectedSpan] = (),
) -> str:
    """Draw a plan as an HTML page that loads no other files.

    The sentence is above its translation. The width of a link is the share of mass that moved, of
    the word with less mass. Entities and their links have the colours of displaCy. Words with
    little moved mass have a dashed outline.

    plan (Plan): The plan.
    source_words (Sequence[str]): The m words.
    target_words (Sequence[str]): The n words.
    source_spans (Sequence[Tuple[int, int, str]]): Start, end (excluded) and label, in words.
    target_spans (Sequence[ProjectedSpan]): The projected spans.
    RETURNS (str): The page.
    """
    colours = {i: _colour(label) for start, end, label in source_spans for i in range(start, end)}
    least = np.minimum.outer(plan.source_mass, plan.target_mass)
    shares = np.divide(plan.matrix, least, out=np.zeros_like(plan.matrix), where=least > 0)
    links = [
        {"i": i, "j": j, "share": min(1.0, shares[i, j]), "colour": colours.get(i, PLAIN_LINK)}
        for i, j in np.argwhere(shares >= LEAST_LINK).tolist()
    ]
    widths = [np.array([_width(word) for word in words]) for words in (source_words, target_words)]
    width = max(6 * len(line) + line.sum() for line in widths) - 6 + 2 * _PAD
    upper = [(start, end, label, label) for start, end, label in source_spans]
    lower = [(s, e, label, f"{label} {sure:.2f}") for s, e, label, sure in target_spans]
    page: str = page_template(__package__, TEMPLATE).render(
        width=round(width),
        height_of_line=_LINE,
        source=_line(source_words, widths[0], width, plan.sent, upper),
        target=_line(target_words, widths[1], width, plan.received, lower),
        links=sorted(links, key=lambda link: link["share"]),
        caption=f"{plan.moved / plan.source_mass.sum():.0%} of the mass moved. The similarity of "
        f"the pair is {plan.similarity:.2f}. Words with a dashed outline have no counterpart. The "
        "number next to a label is its confidence.",
    )
    return page


def plan_table(
    plan: Plan, source_words: Sequence[str], target_words: Sequence[str]
) -> list[tuple[str, str, str]]:
    """Show a plan as rows of target word, source words with their shares, and received mass.

    plan (Plan): The plan.
    source_words (Sequence[str]): The m words.
    target_words (Sequence[str]): The n words.
    RETURNS (List[Tuple[str, str, str]]): A row for each target word.
    """
    shares = plan.matrix / np.maximum(plan.matrix.sum(axis=0), np.finfo(float).tiny)
    rows = []
    for word, column, received in zip(target_words, shares.T, plan.received, strict=True):
        best = [i for i in (-column).argsort(kind="stable") if column[i] >= LEAST_LINK]
        origins = ", ".join(f"{source_words[i]} {column[i]:.0%}" for i in best)
        rows.append((word, "–" if received < NULL_SHARE else origins, f"{received:.0%}"))
    return rows


def _line(
    words: Sequence[str],
    widths: np.ndarray,
    width: float,
    shares: np.ndarray,
    spans: Sequence[tuple[int, int, str, str]],
) -> dict[str, Any]:
    """Compute the positions of the words and spans of a line, which is centred."""
    ends = np.cumsum(widths + 6) - 6
    ends += (width - ends[-1]) / 2
    starts = ends - widths
    boxes = [
        (starts[start], ends[end - 1] - starts[start], _colour(label), text)
        for start, end, label, text in spans
    ]
    layout = list(zip(words, (starts + ends) / 2, widths, shares < NULL_SHARE, strict=True))
    return {"text": " ".join(words), "spans": boxes, "words": layout}


def _width(word: str) -> float:
    """Estimate the width of a word in pixels."""
    cells = 0.0
    for char in word:
        if unicodedata.category(char) not in ("Mn", "Me", "Cf"):
            cells += 1.8 if unicodedata.east_asian_width(char) in "WF" else 1.0
    return max(1.0, cells) * _LETTER + 14


def _colour(label: str) -> str:
    return COLOURS.get(label, DEFAULT_ENTITY_COLOR)
