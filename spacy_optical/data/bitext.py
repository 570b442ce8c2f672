"""Bitext: sentences with their translations, read one at a time from the usual formats."""

import html
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from ..errors import Errors, OpticalError
from .lines import Line, PairRow, Report, archived_name, raise_error, read_lines
from .markup import MarkedText
from .tmx import read_tmx
from .tsv import read_tsv

Format = Literal["jsonl", "tsv", "tmx", "conllu", "moses"]
OnError = Literal["raise", "skip"]
_SUFFIXES: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".json": "jsonl",
    ".tsv": "tsv",
    ".tmx": "tmx",
    ".conllu": "conllu",
}
_ENTITY = re.compile(r"&(?:[A-Za-z][A-Za-z0-9]*|#[0-9]+|#[xX][0-9A-Fa-f]+);")
_Names = tuple[str, str]


@dataclass(frozen=True)
class BitextPair:
    """A sentence and its translation.

    id (str): The file's own id, or the line number where it has none.
    source (str): The sentence, without spaces at its edges.
    target (str): Its translation.
    line (int): The line in the file, from 1; in TMX the number of the translation unit.
    where (str): File and line or unit, as errors name them.
    marked (Optional[MarkedText]): The sentence with its entities, where the file has them.
    """

    id: str
    source: str
    target: str
    line: int = 0
    where: str = field(default="", compare=False)
    marked: MarkedText | None = None


def read_bitext(
    path: str | Path,
    target_path: str | Path | None = None,
    *,
    source_lang: str = "en",
    target_lang: str,
    keys: _Names | None = None,
    format: Format | None = None,
    unescape: bool = False,
    on_error: OnError = "raise",
    skipped: Counter[str] | None = None,
    escaped: Counter[str] | None = None,
) -> Iterator[BitextPair]:
    """Read pairs from a file, one at a time.

    path (Union[str, Path]): The file, which may be gzipped or in a zip archive, see `read_lines`;
        for Moses the two files' common beginning: `corpus` for `corpus.en` and `corpus.sw`.
    target_path (Optional[Union[str, Path]]): The target side's file, where `path` is the source
        side's: of Moses, line N belongs to line N; of CoNLL-U, the same `sent_id` to each other.
    source_lang (str): The source language.
    target_lang (str): The target language.
    keys (Optional[Tuple[str, str]]): What the file calls source and target: keys of JSON lines,
        languages of TMX, endings of Moses files, comments of CoNLL-U, columns of TSV (see
        `read_tsv`). By default the languages; of CoNLL-U `text_en` (for English) and `text`.
    format (Optional[str]): `jsonl`, `tsv`, `tmx`, `conllu` or `moses`; by default from the name.
    unescape (bool): Turn HTML entities (`&amp;`) and the doubled quotes of CSV (`""`) into the
        characters that they stand for.
    on_error (str): `raise`, or `skip` for lines that cannot be used; damage that ends the file
        (a truncated gzip, broken XML) is raised all the same.
    skipped (Optional[Counter]): Counts the skipped lines under the codes of their errors, and the
        first line of a TSV under `header` where it names the columns.
    escaped (Optional[Counter]): Counts the pairs with HTML entities under `html`, and those with
        doubled quotes under `quotes`, whether they are turned into characters or not.
    YIELDS (BitextPair): The pairs in order.
    RAISES (OpticalError): Naming file and line: on a missing or damaged file, an unknown format,
        text that is not UTF-8, or a line that does not hold both sentences.
    """
    path = Path(path)
    langs = (source_lang, target_lang)
    names = keys or langs
    counts = Counter[str]() if skipped is None else skipped

    def count(err: OpticalError) -> None:
        counts[err.code] += 1

    report: Report = raise_error if on_error == "raise" else count
    kind = format or _format_of(path, names)
    if kind == "jsonl":
        pairs = _jsonl(path, names, report)
    elif kind == "tsv":
        pairs = read_tsv(path, langs, keys, report, counts)
    elif kind == "tmx":
        pairs = read_tmx(path, names)
    elif kind == "conllu" and target_path is not None:
        pairs = _conllu_pair(path, Path(target_path), report)
    elif kind == "conllu":
        pairs = _conllu(path, keys or (f"text_{source_lang}", "text"), report)
    elif kind == "moses":
        source_path, default = (_moses_path(path, name) for name in names)
        sides = (source_path, default) if target_path is None else (path, Path(target_path))
        pairs = _moses(*sides, report)
    else:
        raise OpticalError(Errors.E226.format(path=path, allowed="jsonl, tsv, tmx, conllu, moses"))
    for line, name, *texts in pairs:
        source, target = (text.strip() for text in texts)
        if escaped is not None and source and target:
            escaped["html"] += any(_without_entities(text) != text for text in (source, target))
            escaped["quotes"] += '""' in source or '""' in target
        if unescape:
            source, target = _unescaped(source), _unescaped(target)
        if source and target:
            yield BitextPair(name, source, target, line.number, line.where)
        else:
            lang = langs[bool(source)]
            report(OpticalError(Errors.E208.format(where=line.where, lang=lang)))


def named_keys(text: str) -> _Names | None:
    """Read the keys of source and target from an option.

    text (str): The two with a comma between; nothing for the languages themselves.
    RETURNS (Optional[Tuple[str, str]]): The keys, see `read_bitext`.
    RAISES (OpticalError): If there are not two.

    >>> named_keys("question,translated_question")
    ('question', 'translated_question')
    """
    if not text:
        return None
    parts = tuple(part.strip() for part in text.split(","))
    if len(parts) != 2 or not all(parts):
        raise OpticalError(Errors.E246.format(text=text))
    return parts


def _format_of(path: Path, names: _Names) -> Format | None:
    if not path.exists() and _moses_path(path, names[0]).is_file():
        return "moses"
    if not path.is_file():
        raise OpticalError(Errors.E002.format(what="bitext file", path=path))
    name = archived_name(path) if path.suffix == ".zip" else path.name.removesuffix(".gz")
    return _SUFFIXES.get(PurePosixPath(name).suffix.lower())


def _unescaped(text: str) -> str:
    if '""' in text:
        inside = text[1:-1]
        if text[0] == text[-1] == '"' and inside and '"' not in inside.replace('""', ""):
            text = inside
        text = text.replace('""', '"')
    return _without_entities(text).strip()


def _without_entities(text: str) -> str:
    while (plain := _ENTITY.sub(lambda match: html.unescape(match[0]), text)) != text:
        text = plain  # what was escaped twice is still escaped
    return plain


def _jsonl(path: Path, names: _Names, report: Report) -> Iterator[PairRow]:
    for line in read_lines(path, "bitext file", report):
        if not line.text.strip():
            continue
        record: Any = None
        reason = "no such keys"
        try:
            record = json.loads(line.text)
        except (json.JSONDecodeError, RecursionError) as err:
            reason = str(err)
        row = record.get("translation", record) if isinstance(record, dict) else None
        sides = [row.get(name) for name in names] if isinstance(row, dict) else [None]
        if all(isinstance(side, str) for side in sides):
            yield line, str(record.get("id", line.number)), *sides
        else:
            source, target = names
            values = {"where": line.where, "source": source, "target": target, "reason": reason}
            report(OpticalError(Errors.E220.format(**values)))


def _moses_path(path: Path, name: str) -> Path:
    plain, packed = Path(f"{path}.{name}"), Path(f"{path}.{name}.gz")
    return packed if packed.is_file() and not plain.is_file() else plain


def _moses(source: Path, target: Path, report: Report) -> Iterator[PairRow]:
    bad: list[OpticalError] = []
    sides = [read_lines(path, "bitext file", bad.append) for path in (source, target)]
    lines = [0, 0]
    for left, right in zip_longest(*sides):
        lines = [line.number if line else n for n, line in zip(lines, (left, right), strict=True)]
        if left and right and bad:
            report(bad[0])
        elif left and right:
            yield left, str(left.number), left.text, right.text
        bad.clear()
    if lines[0] != lines[1]:
        values = {"source": source, "source_lines": lines[0], "target_lines": lines[1]}
        raise OpticalError(Errors.E225.format(target=target, **values))


def _conllu(path: Path, keys: _Names, report: Report) -> Iterator[PairRow]:
    """Read the comments of a treebank that hold a sentence and its translation."""
    for line, comments in _comments(path, report):
        source, target = (comments.get(key, "") for key in keys)
        yield line, comments.get("sent_id", str(line.number)), source, target


def _conllu_pair(source: Path, target: Path, report: Report) -> Iterator[PairRow]:
    """Join two treebanks of the same text; the source side is held in memory."""
    texts = {
        c["sent_id"]: c.get("text", "") for _, c in _comments(source, report) if "sent_id" in c
    }
    for line, comments in _comments(target, report):
        name = comments.get("sent_id", "")
        yield line, name, texts.get(name, ""), comments.get("text", "")


def _comments(path: Path, report: Report) -> Iterator[tuple[Line, dict[str, str]]]:
    """Give the comments of each sentence with the line that the sentence begins at."""
    begins, comments = Line(0, ""), dict[str, str]()
    for line in read_lines(path, "bitext file", report):
        if line.text.startswith("#"):
            begins = begins if comments else line
            key, equals, value = line.text[1:].partition("=")
            if equals:
                comments[key.strip()] = value.strip()
        elif not line.text.strip() and comments:
            yield begins, comments
            comments = {}
    if comments:
        yield begins, comments
