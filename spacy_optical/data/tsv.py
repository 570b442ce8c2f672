"""Bitext in tables: columns with tabs between."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..errors import Errors, OpticalError
from .lines import PairRow, Report, read_lines
from .tmx import language_code

_HEADERS = ({"source", "src"}, {"target", "tgt", "trg"})
_ID = re.compile(r"(?=\D*\d)[\w.:/#-]+")


def read_tsv(
    path: Path,
    languages: tuple[str, str],
    keys: tuple[str, str] | None,
    report: Report,
    skipped: Counter[str],
) -> Iterator[PairRow]:
    """Read source and target, or id, source and target, or the columns that `keys` names.

    path (Path): The file.
    languages (Tuple[str, str]): The languages of source and target, which may name the columns.
    keys (Optional[Tuple[str, str]]): The names of the columns in the first line, or their numbers,
        counted from 1.
    report (Callable[[OpticalError], object]): Called with the error of a line.
    skipped (Counter): Counts a first line that names the columns under `header`.
    YIELDS (PairRow): The pairs.
    RAISES (OpticalError): If the first line has other columns.
    """
    numbers: Sequence[int] | None = None
    if keys is not None and all(key.isdecimal() and int(key) for key in keys):
        numbers, keys = [int(key) - 1 for key in keys], None
    names = [{language_code(lang), *usual} for lang, usual in zip(languages, _HEADERS, strict=True)]
    if keys is not None:
        names = [{language_code(key)} for key in keys]
    lines = (line for line in read_lines(path, "bitext file", report) if line.text.strip())
    places = numbers
    for at, line in enumerate(lines):
        columns = [column.strip() for column in line.text.split("\t")]
        if at == 0:
            named = _named_places(columns, names)
            if keys is not None and not named:
                what = " and ".join(keys)
                found = ", ".join(columns)
                raise OpticalError(Errors.E245.format(where=line.where, names=what, found=found))
            places = numbers or named
            if named:
                skipped["header"] += 1
                continue
        used = places or _usual_places(columns)
        if used is None:
            if len(columns) == 3:
                message = Errors.E243.format(where=line.where, columns="', '".join(columns))
            else:
                message = Errors.E221.format(where=line.where, found=len(columns))
            error = OpticalError(message)
            if at == 0:
                raise error  # the file is of another form, not a line of it
            report(error)
        elif max(used) >= len(columns):
            report(OpticalError(Errors.E244.format(where=line.where, found=len(columns))))
        else:
            source, target, *name = (columns[place] for place in used)
            yield line, name[0] if name else str(line.number), source, target


def _named_places(columns: Sequence[str], names: Sequence[set[str]]) -> Sequence[int] | None:
    """Give the columns of source, target and id if a first line names the first two."""
    titles = [language_code(column) for column in columns]
    places = [[i for i, title in enumerate(titles) if title in side] for side in names]
    if not all(places):
        return None
    return [side[0] for side in places] + ([titles.index("id")] if "id" in titles else [])


def _usual_places(columns: Sequence[str]) -> Sequence[int] | None:
    if len(columns) == 2:
        return 0, 1
    return (1, 2, 0) if len(columns) == 3 and _ID.fullmatch(columns[0]) else None
