"""Bitext in tables with tab-separated columns."""

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
    skipped (Counter): A first line that names the columns is counted under `header`.
    YIELDS (PairRow): The pairs.
    RAISES (OpticalError): If the first line has other columns.
    """
    places: Sequence[int] | None = None
    names = [{language_code(lang), *usual} for lang, usual in zip(languages, _HEADERS, strict=True)]
    if keys is not None and all(key.isdecimal() and int(key) for key in keys):
        places, keys = [int(key) - 1 for key in keys], None
    elif keys is not None:
        names = [{language_code(key)} for key in keys]
    for at, line in enumerate(read_lines(path, "bitext file", report, skip_blank=True)):
        columns = [column.strip() for column in line.text.split("\t")]
        if at == 0:
            header = _header_places(columns, names)
            places = places or header
            if header:
                skipped["header"] += 1
                continue
            if keys is not None:
                values = {"names": " and ".join(keys), "found": ", ".join(columns)}
                raise OpticalError(Errors.E245.format(where=line.where, **values))
        used = places or _default_places(columns)
        if used is None:
            message = Errors.E221.format(where=line.where, found=len(columns))
            if len(columns) == 3:
                message = Errors.E243.format(where=line.where, columns="', '".join(columns))
            if at == 0:  # the whole file has another form
                raise OpticalError(message)
            report(OpticalError(message))
        elif max(used) >= len(columns):
            report(OpticalError(Errors.E244.format(where=line.where, found=len(columns))))
        else:
            source, target, *name = (columns[place] for place in used)
            yield line.where, name[0] if name else str(line.number), source, target


def _header_places(columns: Sequence[str], names: Sequence[set[str]]) -> Sequence[int] | None:
    """Get the columns of source, target and id from a line that names the first two."""
    titles = [language_code(column) for column in columns]
    places = [[i for i, title in enumerate(titles) if title in side] for side in names]
    if not all(places):
        return None
    return [side[0] for side in places] + ([titles.index("id")] if "id" in titles else [])


def _default_places(columns: Sequence[str]) -> Sequence[int] | None:
    if len(columns) == 2:
        return 0, 1
    return (1, 2, 0) if len(columns) == 3 and _ID.fullmatch(columns[0]) else None
