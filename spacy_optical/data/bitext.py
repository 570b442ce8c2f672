"""Bitext: sentences with their translations, in the usual formats, read one at a time."""

import html
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby, zip_longest
from pathlib import Path, PurePosixPath
from typing import Literal

from ..errors import Errors, OpticalError
from .lines import Line, PairRow, Report, archived_name, json_object, read_lines
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

    id (str): The id in the file, or the number of the line or unit if the file has no ids.
    source (str): The sentence, without white space around it.
    target (str): Its translation.
    where (str): File and line or unit, for errors.
    marked (Optional[MarkedText]): The sentence with its entities, if the file has them.
    """

    id: str
    source: str
    target: str
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

    path (Union[str, Path]): The file, which may be gzipped or in a zip archive, see `read_lines`.
        For Moses, the common stem of the two files: `corpus` for `corpus.en` and `corpus.sw`.
    target_path (Optional[Union[str, Path]]): The file of the target side, if `path` is only the
        source side. Moses files are paired by line, CoNLL-U files by `sent_id`.
    source_lang (str): The source language.
    target_lang (str): The target language.
    keys (Optional[Tuple[str, str]]): The names of source and target in the file: keys of JSON
        lines, languages of TMX, suffixes of Moses files, comments of CoNLL-U, columns of TSV (see
        `read_tsv`). The default is the languages, and `text_en` (for English) and `text` for
        CoNLL-U.
    format (Optional[str]): `jsonl`, `tsv`, `tmx`, `conllu` or `moses`. The default is taken from
        the file name.
    unescape (bool): Replace HTML entities (`&amp;`) and the doubled quotes of CSV (`""`) with the
        characters that they stand for.
    on_error (str): `raise`, or `skip` to skip lines that cannot be used. Damage that ends the file
        (a truncated gzip, broken XML) is always raised.
    skipped (Optional[Counter]): Counts the skipped lines by the code of their error, and the
        first line of a TSV under `header` if it names the columns.
    escaped (Optional[Counter]): Counts the pairs with HTML entities under `html`, and those with
        doubled quotes under `quotes`, with and without `unescape`.
    YIELDS (BitextPair): The pairs in order.
    RAISES (OpticalError): On a missing or damaged file, an unknown format, text that is not UTF-8,
        or a line without both sentences. The error names file and line.
    """
    path = Path(path)
    langs = (source_lang, target_lang)
    names = keys or langs
    counts = Counter[str]() if skipped is None else skipped

    def report(err: OpticalError) -> None:
        if on_error == "raise":
            raise err
        counts[err.code] += 1

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
    elif kind == "moses" and target_path is not None:
        pairs = _moses(path, Path(target_path), report)
    elif kind == "moses":
        pairs = _moses(_moses_path(path, names[0]), _moses_path(path, names[1]), report)
    else:
        raise OpticalError(Errors.E226.format(path=path, allowed="jsonl, tsv, tmx, conllu, moses"))
    for where, name, *texts in pairs:
        source, target = (text.strip() for text in texts)
        if escaped is not None and source and target:
            escaped["html"] += any(_without_entities(text) != text for text in (source, target))
            escaped["quotes"] += '""' in source or '""' in target
        if unescape:
            source, target = _unescaped(source), _unescaped(target)
        if source and target:
            yield BitextPair(name, source, target, where)
        else:
            report(OpticalError(Errors.E208.format(where=where, lang=langs[bool(source)])))


def named_keys(text: str) -> _Names | None:
    """Read the keys of source and target from an option.

    text (str): The two keys with a comma between them, or an empty string.
    RETURNS (Optional[Tuple[str, str]]): The keys, see `read_bitext`. None for an empty string.
    RAISES (OpticalError): If there are not two keys.

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
    if not path.is_file() and _moses_path(path, names[0]).is_file():
        return "moses"
    if not path.is_file():
        raise OpticalError(Errors.E002.format(what="bitext file", path=path))
    packed = path.suffix.lower()
    name = archived_name(path) if packed == ".zip" else path.stem if packed == ".gz" else path.name
    return _SUFFIXES.get(PurePosixPath(name).suffix.lower())


def _unescaped(text: str) -> str:
    if '""' in text:
        inside = text[1:-1]
        if text[0] == text[-1] == '"' and '"' not in inside.replace('""', ""):
            text = inside
        text = text.replace('""', '"')
    return _without_entities(text).strip()


def _without_entities(text: str) -> str:
    while (plain := _ENTITY.sub(lambda match: html.unescape(match[0]), text)) != text:
        text = plain  # the text may be escaped twice
    return plain


def _jsonl(path: Path, names: _Names, report: Report) -> Iterator[PairRow]:
    for line in read_lines(path, "bitext file", report, skip_blank=True):
        reason = "a key is missing, or its value is not a string"
        try:
            record = json_object(line.text)
        except ValueError as err:
            record, reason = {}, str(err)
        row = record.get("translation", record)
        source, target = (row.get(name) if isinstance(row, dict) else None for name in names)
        if isinstance(source, str) and isinstance(target, str):
            yield line.where, str(record.get("id", line.number)), source, target
        else:
            values = {"source": names[0], "target": names[1], "reason": reason}
            report(OpticalError(Errors.E220.format(where=line.where, **values)))


def _moses_path(path: Path, name: str) -> Path:
    plain, packed = Path(f"{path}.{name}"), Path(f"{path}.{name}.gz")
    return packed if packed.is_file() and not plain.is_file() else plain


def _moses(source: Path, target: Path, report: Report) -> Iterator[PairRow]:
    bad: list[OpticalError] = []

    def lines(path: Path) -> Iterator[Line]:
        return read_lines(path, "bitext file", bad.append)

    for left, right in zip_longest(lines(source), lines(target)):
        if left is None or right is None:
            counts = [sum(1 for _ in lines(path)) for path in (source, target)]
            values = {"source": source, "source_lines": counts[0], "target_lines": counts[1]}
            raise OpticalError(Errors.E225.format(target=target, **values))
        if bad:
            report(bad[0])
            bad.clear()
        else:
            yield left.where, str(left.number), left.text, right.text


def _conllu(path: Path, keys: _Names, report: Report) -> Iterator[PairRow]:
    for line, comments in _comments(path, report):
        source, target = (comments.get(key, "") for key in keys)
        yield line.where, comments.get("sent_id", str(line.number)), source, target


def _conllu_pair(source: Path, target: Path, report: Report) -> Iterator[PairRow]:
    """Join two treebanks of the same text. The source side is kept in memory."""
    texts = {
        c["sent_id"]: c.get("text", "") for _, c in _comments(source, report) if "sent_id" in c
    }
    for line, comments in _comments(target, report):
        name = comments.get("sent_id", "")
        yield line.where, name, texts.get(name, ""), comments.get("text", "")


def _comments(path: Path, report: Report) -> Iterator[tuple[Line, dict[str, str]]]:
    """Get the comments `key = value` of each sentence, and the line of the first."""
    lines = read_lines(path, "bitext file", report)
    for _, sentence in groupby(lines, key=lambda line: bool(line.text.strip())):
        comments = [line for line in sentence if line.text.startswith("#") and "=" in line.text]
        if comments:
            parts = (line.text[1:].split("=", 1) for line in comments)
            yield comments[0], {key.strip(): value.strip() for key, value in parts}
