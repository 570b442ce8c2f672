"""Entities written into a sentence as `[Amina Juma](PER)`."""

import re
from dataclasses import dataclass

from ..errors import Errors, OpticalError

_ENTITY = re.compile(r"\[([^\[\]]*)\]\(([^()\[\]]*)\)")


@dataclass(frozen=True)
class MarkedEntity:
    """An entity: its start and end in the plain text, in characters, and its type."""

    start: int
    end: int
    label: str


@dataclass(frozen=True)
class MarkedText:
    """A sentence without markup, and its entities."""

    text: str
    entities: tuple[MarkedEntity, ...]

    def surface(self, entity: MarkedEntity) -> str:
        """Get the text of an entity."""
        return self.text[entity.start : entity.end]


def parse_markup(marked: str, labels: frozenset[str] | None, *, where: str) -> MarkedText:
    """Read a sentence with marked entities.

    marked (str): The sentence, with entities as `[surface](LABEL)`. It cannot have other square
        brackets.
    labels (Optional[FrozenSet[str]]): The allowed labels. None allows any label.
    where (str): File and line, for the error.
    RETURNS (MarkedText): The plain text and its entities in order.
    RAISES (OpticalError): On an unmatched bracket, an entity that is empty or has white space
        around it, or an unknown label. The error names the column, counted from 1.
    """
    text, entities, at = "", [], 0
    if stray := re.search(r"[\[\]]", _ENTITY.sub(lambda match: " " * len(match[0]), marked)):
        values = {"column": stray.start() + 1, "bracket": stray[0]}
        raise OpticalError(Errors.E201.format(where=where, **values))
    for match in _ENTITY.finditer(marked):
        surface, label = match.groups()
        column = match.start() + 1
        if not surface or surface != surface.strip():
            raise OpticalError(Errors.E202.format(where=where, column=column, surface=surface))
        if not label or (labels is not None and label not in labels):
            values = {"label": label, "allowed": ", ".join(sorted(labels or ())) or "a name"}
            raise OpticalError(Errors.E203.format(where=where, column=column, **values))
        text += marked[at : match.start()]
        entities.append(MarkedEntity(len(text), len(text) + len(surface), label))
        text += surface
        at = match.end()
    return MarkedText(text + marked[at:], tuple(entities))
