"""The parallel corpus: one group a line, the same sentence in several languages, marked up."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import Errors, OpticalError
from .lines import read_lines
from .markup import MarkedText, parse_markup

LABELS = frozenset({"PER", "ORG", "LOC", "DATE"})


@dataclass(frozen=True)
class Group:
    """One sentence in one or more languages."""

    id: str
    sentences: dict[str, MarkedText]
    where: str


def read_groups(path: Path, languages: Iterable[str], *, compare: str = "") -> list[Group]:
    """Read and check a file of groups.

    path (Path): JSON lines with the keys `id`, `genre`, one key a language, and optionally
        `differs`, a list of the languages whose sentence cannot name the same entities.
    languages (Iterable[str]): The languages that every group must have, the source first.
    compare (str): A language whose entity types the others must have, where a group has it.
    RETURNS (List[Group]): The groups in order.
    RAISES (OpticalError): On a line that is not JSON, a missing language, broken markup, entity
        types that differ across a group, or a sentence that occurs twice.
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
        _check_types(checked, frozenset(map(str, record.get("differs", ()))), where)
        groups.append(Group(str(record["id"]), sentences, where))
    if not groups:
        raise OpticalError(Errors.E206.format(path=path))
    return groups


def _records(path: Path) -> Iterator[tuple[str, dict]]:
    for _, where, text in read_lines(path, "corpus file"):
        if not text.strip():
            continue
        column, reason = 1, ""
        try:
            record = json.loads(text)
            if not isinstance(record, dict) or "id" not in record:
                reason = "no id"
            elif not isinstance(record.get("differs", []), list):
                reason = '"differs" is not a list'
        except json.JSONDecodeError as err:
            column, reason = err.colno, err.msg
        if reason:
            raise OpticalError(Errors.E210.format(where=where, column=column, reason=reason))
        yield where, record


def _check_types(sentences: dict[str, MarkedText], differs: frozenset[str], where: str) -> None:
    """Compare the entity types of all languages with those of the first."""
    types = {lang: Counter(e.label for e in text.entities) for lang, text in sentences.items()}
    source = next(iter(types))
    for lang, counts in types.items():
        if counts != types[source] and lang not in differs:
            found, expected = _counts_text(counts), _counts_text(types[source])
            values = {"found": found, "expected": expected, "source": source}
            raise OpticalError(Errors.E211.format(where=where, lang=lang, **values))


def _counts_text(counts: Counter[str]) -> str:
    return ", ".join(f"{n} {label}" for label, n in sorted(counts.items())) or "none"
