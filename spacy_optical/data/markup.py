"""Entities written into a sentence as `[Amina Juma](PER)`."""

import re
from dataclasses import dataclass

from ..errors import Errors, OpticalError

_ENTITY = re.compile(r"\[([^\[\]]*)\]\(([^()\[\]]*)\)")


@dataclass(frozen=True)
class MarkedEntity:
    """An entity's place in the plain text, in characters, and its type."""

    start: int
    end: int
    label: str


@dataclass(frozen=True)
class MarkedText:
    """A sentence without its markup, and the entities that the markup named."""

    text: str
    entities: tuple[MarkedEntity, ...]

    def surface(self, entity: MarkedEntity) -> str:
        """Give the characters that an entity covers."""
        return self.text[entity.start : entity.end]


def parse_markup(marked: str, labels: frozenset[str] | None, *, where: str) -> MarkedText:
    """Read a sentence with marked entities.

    marked (str): The sentence, entities written as `[surface](LABEL)`; brackets mean nothing else.
    labels (Optional[FrozenSet[str]]): The labels that are allowed; None for any.
    where (str): File and line, for the error.
    RETURNS (MarkedText): The plain text with its entities in order.
    RAISES (OpticalError): On a bracket without its partner, an empty or padded surface, or an
        unknown label; the error names the column, counted from 1.
    """
    text, entities, at = "", [], 0
    for match in _ENTITY.finditer(marked):
        text += _plain(marked, at, match.start(), where)
        surface, label = match.groups()
        column = match.start() + 1
        if not surface.strip() or surface != surface.strip():
            raise OpticalError(Errors.E202.format(where=where, column=column, surface=surface))
        if not label or (labels is not None and label not in labels):
            allowed = ", ".join(sorted(labels)) if labels else "a name"
            raise OpticalError(
                Errors.E203.format(where=where, column=column, label=label, allowed=allowed)
            )
        entities.append(MarkedEntity(len(text), len(text) + len(surface), label))
        text += surface
        at = match.end()
    text += _plain(marked, at, len(marked), where)
    return MarkedText(text, tuple(entities))


def _plain(marked: str, start: int, end: int, where: str) -> str:
    piece = marked[start:end]
    stray = re.search(r"[\[\]]", piece)
    if stray is not None:
        column = start + stray.start() + 1
        raise OpticalError(Errors.E201.format(where=where, column=column, bracket=stray[0]))
    return piece
