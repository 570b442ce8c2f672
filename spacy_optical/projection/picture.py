"""A plan to look at: two lines of words, links drawn by mass, as one HTML page or as a table."""

import unicodedata
from collections.abc import Sequence
from html import escape

from ..align import Plan, ProjectedSpan, SourceSpan

# displaCy's own colours (spacy.displacy.render), under both schemes' names.
COLOURS = {
    "PER": "#aa9cfc",
    "PERSON": "#aa9cfc",
    "ORG": "#7aecec",
    "LOC": "#ff9561",
    "GPE": "#feca74",
    "DATE": "#bfe1d9",
}
OTHER_COLOUR = "#ddd"
PLAIN_LINK = "#7a8594"
NULL_SHARE = 0.25
LEAST_LINK = 0.05
_LINE, _GAP, _TOP, _PAD, _LETTER = 30, 150, 34, 12, 9.2

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ font-family: system-ui, "Noto Sans", "Noto Sans Devanagari", sans-serif; margin: 1.5rem;
  color: #1d2430; background: #fff; }}
figure {{ margin: 0; overflow-x: auto; }}
figcaption, p {{ color: #4a5462; font-size: 0.9rem; max-width: 60rem; }}
text {{ font-size: 16px; text-anchor: middle; fill: #1d2430; }}
text.label {{ font-size: 10px; font-weight: 700; }}
text.null {{ fill: #98a1ad; }}
rect.null {{ fill: none; stroke: #98a1ad; stroke-dasharray: 3 3; }}
path {{ fill: none; }}
path:hover {{ stroke: #000; opacity: 1; }}
</style>
</head>
<body>
<figure>
{picture}
<figcaption>{caption}</figcaption>
</figure>
</body>
</html>
"""


def plan_html(
    plan: Plan,
    source_words: Sequence[str],
    target_words: Sequence[str],
    source_spans: Sequence[SourceSpan] = (),
    target_spans: Sequence[ProjectedSpan] = (),
) -> str:
    """Draw a plan as an HTML page that needs nothing else.

    The source sentence is above, its translation below. A link is as wide as the share of the
    lighter word's mass that it carries; words of entities and their links have displaCy's colours;
    words of which little moved are outlined with dashes.

    plan (Plan): The plan.
    source_words (Sequence[str]): The m words.
    target_words (Sequence[str]): The n words.
    source_spans (Sequence[SourceSpan]): The labelled source spans.
    target_spans (Sequence[ProjectedSpan]): What became of them.
    RETURNS (str): The page.
    """
    above, upper = _laid_out(source_words)
    below, lower = _laid_out(target_words)
    width = max(upper, lower) + 2 * _PAD
    above = [x + (width - upper) / 2 for x in above]
    below = [x + (width - lower) / 2 for x in below]
    bottom = _TOP + _LINE + _GAP
    height = bottom + _LINE + _TOP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width:.0f}" '
        f'height="{height}" viewBox="0 0 {width:.0f} {height}">',
        f"<title>{escape(' '.join(source_words))} / {escape(' '.join(target_words))}</title>",
    ]
    colour_of = {i: _colour(label) for start, end, label in source_spans for i in range(start, end)}
    for i, j, share in _links(plan):
        colour = colour_of.get(i, PLAIN_LINK)
        middle = _TOP + _LINE + _GAP / 2
        title = f"{source_words[i]} → {target_words[j]}: {share:.0%}"
        parts.append(
            f'<path d="M{above[i]:.1f} {_TOP + _LINE} C{above[i]:.1f} {middle} {below[j]:.1f} '
            f'{middle} {below[j]:.1f} {bottom}" stroke="{colour}" '
            f'stroke-width="{0.6 + 4 * share:.2f}" opacity="{0.25 + 0.7 * share:.2f}">'
            f"<title>{escape(title)}</title></path>"
        )
    upper_spans = [(start, end, label, label) for start, end, label in source_spans]
    lower_spans = [(s, e, label, f"{label} {sure:.2f}") for s, e, label, sure in target_spans]
    parts += _words(source_words, above, _TOP, plan.sent.tolist(), upper_spans, _TOP - 8)
    parts += _words(
        target_words, below, bottom, plan.received.tolist(), lower_spans, bottom + _LINE + 16
    )
    parts.append("</svg>")
    caption = (
        f"{plan.moved / plan.source_mass.sum():.0%} of the mass moved; similarity of the pair "
        f"{plan.similarity:.2f}. Dashed words have no counterpart; the figure beside a label is "
        "its confidence."
    )
    title = escape(" ".join(source_words))
    return _PAGE.format(title=title, picture="\n".join(parts), caption=escape(caption))


def plan_table(
    plan: Plan, source_words: Sequence[str], target_words: Sequence[str]
) -> list[tuple[str, str, str]]:
    """Give a plan as rows: target word, where it came from with shares, and the mass received.

    plan (Plan): The plan.
    source_words (Sequence[str]): The m words.
    target_words (Sequence[str]): The n words.
    RETURNS (List[Tuple[str, str, str]]): One row a target word, in order.
    """
    arrived = plan.matrix.sum(axis=0)
    rows = []
    for j, word in enumerate(target_words):
        found = []
        for i in (-plan.matrix[:, j]).argsort(kind="stable"):
            share = plan.matrix[i, j] / arrived[j] if arrived[j] > 0 else 0.0
            if share < LEAST_LINK:
                break
            found.append(f"{source_words[i]} {share:.0%}")
        null = plan.received[j] < NULL_SHARE
        rows.append((word, "–" if null else ", ".join(found), f"{plan.received[j]:.0%}"))
    return rows


def _links(plan: Plan) -> list[tuple[int, int, float]]:
    found = []
    for i, row in enumerate(plan.matrix.tolist()):
        for j, mass in enumerate(row):
            share = mass / min(plan.source_mass[i], plan.target_mass[j])
            if share >= LEAST_LINK:
                found.append((i, j, min(1.0, float(share))))
    # The faint ones first, so that the strong ones are drawn over them.
    return sorted(found, key=lambda link: link[2])


def _words(
    words: Sequence[str],
    centres: Sequence[float],
    top: float,
    shares: Sequence[float],
    spans: Sequence[tuple[int, int, str, str]],
    label_at: float,
) -> list[str]:
    parts = []
    for start, end, label, told in spans:
        left = centres[start] - _width(words[start]) / 2
        right = centres[end - 1] + _width(words[end - 1]) / 2
        parts.append(
            f'<rect x="{left:.1f}" y="{top}" width="{right - left:.1f}" height="{_LINE}" rx="5" '
            f'fill="{_colour(label)}"/><text class="label" x="{(left + right) / 2:.1f}" '
            f'y="{label_at}">{escape(told)}</text>'
        )
    for word, x, share in zip(words, centres, shares, strict=True):
        css = ""
        if share < NULL_SHARE:
            css = ' class="null"'
            width = _width(word) - 2
            parts.append(
                f'<rect class="null" x="{x - width / 2:.1f}" y="{top + 1}" width="{width:.1f}" '
                f'height="{_LINE - 2}" rx="5"/>'
            )
        parts.append(f'<text{css} x="{x:.1f}" y="{top + 20}">{escape(word)}</text>')
    return parts


def _laid_out(words: Sequence[str]) -> tuple[list[float], float]:
    """Give each word's centre, and where the line ends."""
    centres, at = [], 0.0
    for word in words:
        width = _width(word)
        centres.append(at + width / 2)
        at += width + 6
    return centres, max(at - 6, 1.0)


def _width(word: str) -> float:
    """Estimate a word's width in pixels: marks take none of their own, wide letters take two."""
    cells = 0.0
    for char in word:
        if unicodedata.category(char) not in ("Mn", "Me", "Cf"):
            cells += 1.8 if unicodedata.east_asian_width(char) in "WF" else 1.0
    return max(1.0, cells) * _LETTER + 14


def _colour(label: str) -> str:
    return COLOURS.get(label, OTHER_COLOUR)
