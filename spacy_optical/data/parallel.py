"""Parallel sentences with marked entities: one group per line, in several languages."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import Errors, OpticalError
from .lines import json_object, read_lines
from .markup import MarkedText, parse_markup

LABELS = frozenset({"PER", "ORG", "LOC", "DATE"})


@dataclass(frozen=True)
class Group:
    """The same sentence in one or more languages."""

    id: str
    sentences: dict[str, MarkedText]
    where: str


def read_groups(path: Path, languages: Iterable[str], *, compare: str = "") -> list[Group]:
    """Read and check a file of groups.

    path (Path): JSON lines with the keys `id`, `genre`, a key for each language, and optionally
        `differs`, a list of languages whose sentence has other entities.
    languages (Iterable[str]): The languages that every group must have, the source first.
    compare (str): A language whose entity types the others must have, if a group has it.
    RETURNS (List[Group]): The groups in order.
    RAISES (OpticalError): On a line that is not JSON, a missing language, wrong markup, entity
        types that differ within a group, or a repeated sentence.
    """
    path, languages = Path(path), tuple(languages)
    groups = []
    seen: dict[tuple[str, str], str] = {}
    for where, record in _records(path):
        sentences = {}
        for language in languages:
            if not isinstance(record.get(language), str) or not record[language].strip():
                raise OpticalError(Errors.E208.format(where=where, lang=language))
            marked = parse_markup(record[language], None, where=f"{where} ({language})")
            key = (language, marked.text.casefold())
            if key in seen:
                raise OpticalError(Errors.E209.format(where=where, lang=language, other=seen[key]))
            seen[key] = where
            sentences[language] = marked
        checked = dict(sentences)
        if compare not in checked and isinstance(record.get(compare), str):
            checked = {compare: parse_markup(record[compare], None, where=where), **checked}
        _check_types(checked, set(map(str, record.get("differs", ()))), where)
        groups.append(Group(str(record["id"]), sentences, where))
    if not groups:
        raise OpticalError(Errors.E206.format(path=path))
    return groups


def _records(path: Path) -> Iterator[tuple[str, dict]]:
    for _, where, text in read_lines(path, "corpus file", skip_blank=True):
        try:
            record = json_object(text)
            if "id" not in record:
                raise ValueError("no id")
            if not isinstance(record.get("differs", []), list):
                raise ValueError('"differs" is not a list')
        except ValueError as err:
            values = {"column": getattr(err, "colno", 1), "reason": getattr(err, "msg", err)}
            raise OpticalError(Errors.E210.format(where=where, **values)) from err
        yield where, record


def _check_types(sentences: dict[str, MarkedText], differs: set[str], where: str) -> None:
    """Compare the entity types of all languages with those of the first."""
    types = {}
    for lang, marked in sentences.items():
        counts = Counter(entity.label for entity in marked.entities)
        types[lang] = ", ".join(f"{n} {label}" for label, n in sorted(counts.items())) or "none"
    source, expected = next(iter(types.items()))
    for lang, found in types.items():
        if found != expected and lang not in differs:
            values = {"found": found, "expected": expected, "source": source}
            raise OpticalError(Errors.E211.format(where=where, lang=lang, **values))
