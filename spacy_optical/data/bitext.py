"""Bitext: sentences with their translations, read one at a time from the usual formats.

JSON lines (`{"id": "7", "en": "…", "sw": "…"}`, or the same under `"translation"`), TSV (source
and target, or id, source and target), TMX 1.4, and Moses (two files, one sentence a line, named by
their languages). Each may be gzipped. Nothing is held in memory beyond one sentence.
"""

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast
from xml.etree.ElementTree import Element, ParseError

from ..compat import require
from ..errors import Errors, OpticalError

Format = Literal["jsonl", "tsv", "tmx", "moses"]
OnError = Literal["raise", "skip"]
_SUFFIXES: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".json": "jsonl",
    ".tsv": "tsv",
    ".tmx": "tmx",
}
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


@dataclass(frozen=True)
class BitextPair:
    """A sentence and its translation.

    id (str): The file's own id, or the line number where it has none.
    source (str): The sentence, without spaces at its edges.
    target (str): Its translation.
    line (int): The line in the file, from 1; in TMX the number of the translation unit.
    where (str): File and line or unit, as errors name them.
    """

    id: str
    source: str
    target: str
    line: int
    where: str = field(default="", compare=False)


def read_bitext(
    path: str | Path,
    *,
    source_lang: str = "en",
    target_lang: str,
    format: Format | None = None,
    on_error: OnError = "raise",
    skipped: Counter[str] | None = None,
) -> Iterator[BitextPair]:
    """Read pairs from a file, one at a time.

    path (Union[str, Path]): The file, gzipped if its name ends in `.gz`; for Moses the two files'
        common beginning: `corpus` for `corpus.en` and `corpus.sw`.
    source_lang (str): The source language, as the file names it.
    target_lang (str): The target language, as the file names it.
    format (Optional[str]): `jsonl`, `tsv`, `tmx` or `moses`; by default told from the name.
    on_error (str): `raise`, or `skip` for lines that cannot be used; damage that ends the file
        (a truncated gzip, broken XML) is raised all the same.
    skipped (Optional[Counter]): Counts the skipped lines under the codes of their errors.
    YIELDS (BitextPair): The pairs in order.
    RAISES (OpticalError): Naming file and line: on a missing file, an unknown format, text that is
        not UTF-8, a line that does not hold both sentences, a damaged file, or XML with entities
        of its own (they can be made to fill the memory).
    """
    path = Path(path)
    kind = format or _format_of(path, source_lang, target_lang)
    if kind == "jsonl":
        pairs = _jsonl(path, source_lang, target_lang)
    elif kind == "tsv":
        pairs = _tsv(path, source_lang, target_lang)
    elif kind == "tmx":
        pairs = _tmx(path, source_lang, target_lang)
    elif kind == "moses":
        pairs = _moses(path, source_lang, target_lang)
    else:
        raise OpticalError(Errors.E226.format(path=path, allowed="jsonl, tsv, tmx, moses"))
    for pair in pairs:
        if not isinstance(pair, OpticalError):
            yield pair
        elif on_error == "raise":
            raise pair
        elif skipped is not None:
            skipped[str(pair)[1:5]] += 1


_Pairs = Iterator[BitextPair | OpticalError]


def _format_of(path: Path, source_lang: str, target_lang: str) -> Format | None:
    name = path.with_suffix("") if path.suffix == ".gz" else path
    if not path.exists() and any(
        Path(f"{path}.{source_lang}{end}").is_file() for end in ("", ".gz")
    ):
        return "moses"
    if not path.is_file():
        raise OpticalError(Errors.E002.format(what="bitext file", path=path))
    return _SUFFIXES.get(name.suffix.lower())


def _open(path: Path) -> BinaryIO:
    if not path.is_file():
        raise OpticalError(Errors.E002.format(what="bitext file", path=path))
    return cast(BinaryIO, gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb"))


def _lines(path: Path) -> Iterator[tuple[int, str, str | OpticalError]]:
    """Give number, place and text of each line, or the error that its bytes make."""
    number = 0
    with _open(path) as file:
        while True:
            where = f"{path}, line {number + 1}"
            try:
                raw = file.readline()
            except (EOFError, zlib.error, OSError) as err:
                raise OpticalError(Errors.E223.format(where=where, reason=err)) from err
            if not raw:
                return
            number += 1
            try:
                text = raw.decode("utf-8-sig" if number == 1 else "utf8")
            except UnicodeDecodeError as err:
                yield number, where, OpticalError(Errors.E222.format(where=where, reason=err))
            else:
                yield number, where, text.rstrip("\r\n")


def _pair(
    where: str, line: int, name: str, source: str, target: str, langs: tuple[str, str]
) -> BitextPair | OpticalError:
    source, target = source.strip(), target.strip()
    for lang, text in zip(langs, (source, target), strict=True):
        if not text:
            return OpticalError(Errors.E208.format(where=where, lang=lang))
    return BitextPair(name, source, target, line, where)


def _jsonl(path: Path, source_lang: str, target_lang: str) -> _Pairs:
    for number, where, text in _lines(path):
        if isinstance(text, OpticalError):
            yield text
        elif text.strip():
            yield _json_pair(text, number, where, source_lang, target_lang)


def _json_pair(
    text: str, number: int, where: str, source_lang: str, target_lang: str
) -> BitextPair | OpticalError:
    reason = "no such keys"
    record: Any = None
    try:
        record = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as err:
        reason = str(err)
    sentences = record.get("translation", record) if isinstance(record, dict) else None
    if not isinstance(sentences, dict) or not all(
        isinstance(sentences.get(lang), str) for lang in (source_lang, target_lang)
    ):
        return OpticalError(
            Errors.E220.format(where=where, source=source_lang, target=target_lang, reason=reason)
        )
    return _pair(
        where,
        number,
        str(record.get("id", number)),
        sentences[source_lang],
        sentences[target_lang],
        (source_lang, target_lang),
    )


def _tsv(path: Path, source_lang: str, target_lang: str) -> _Pairs:
    for number, where, text in _lines(path):
        if isinstance(text, OpticalError):
            yield text
            continue
        if not text.strip():
            continue
        columns = text.split("\t")
        if len(columns) not in (2, 3):
            yield OpticalError(Errors.E221.format(where=where, found=len(columns)))
            continue
        name = columns[0].strip() if len(columns) == 3 else str(number)
        yield _pair(where, number, name, columns[-2], columns[-1], (source_lang, target_lang))


def _moses(path: Path, source_lang: str, target_lang: str) -> _Pairs:
    paths = []
    for lang in (source_lang, target_lang):
        plain, packed = Path(f"{path}.{lang}"), Path(f"{path}.{lang}.gz")
        paths.append(packed if packed.is_file() and not plain.is_file() else plain)
    for file in paths:
        if not file.is_file():
            raise OpticalError(Errors.E002.format(what="bitext file", path=file))
    counts = [0, 0]
    for left, right in zip_longest(_lines(paths[0]), _lines(paths[1])):
        counts = [n + (side is not None) for n, side in zip(counts, (left, right), strict=True)]
        if left is None or right is None:
            continue  # The rest is counted, so that the error can say how long both are.
        number, where, source = left
        target = right[2]
        if isinstance(source, OpticalError):
            yield source
        elif isinstance(target, OpticalError):
            yield target
        else:
            yield _pair(where, number, str(number), source, target, (source_lang, target_lang))
    if counts[0] != counts[1]:
        raise OpticalError(
            Errors.E225.format(
                source=paths[0], source_lines=counts[0], target=paths[1], target_lines=counts[1]
            )
        )


def _tmx(path: Path, source_lang: str, target_lang: str) -> _Pairs:
    """Read translation units; see the TMX 1.4b specification of GALA/LISA OSCAR."""
    etree = require("defusedxml.ElementTree")
    forbidden = require("defusedxml.common").DefusedXmlException
    number = 0
    where = str(path)
    with _open(path) as file:
        try:
            root: Element | None = None
            for event, element in etree.iterparse(file, events=("start", "end")):
                if root is None:
                    root = element
                if event != "end" or _local(element) != "tu":
                    continue
                number += 1
                where = f"{path}, unit {number}"
                texts = _unit_texts(element)
                name = element.get("tuid", str(number))
                langs = (source_lang, target_lang)
                source, target = (_in_language(texts, lang) for lang in langs)
                yield _pair(where, number, name, source, target, langs)
                # Units that were read would otherwise stay in the tree until the end.
                for child in root:
                    child.clear()
                body = next((child for child in root if _local(child) == "body"), root)
                body.clear()
        except forbidden as err:
            reason = f"it declares entities: {type(err).__name__}"
            raise OpticalError(Errors.E224.format(where=where, reason=reason)) from err
        except ParseError as err:
            raise OpticalError(Errors.E224.format(where=where, reason=err)) from err
        except (EOFError, zlib.error, OSError) as err:
            raise OpticalError(Errors.E223.format(where=where, reason=err)) from err


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _unit_texts(unit: Element) -> dict[str, str]:
    texts: dict[str, str] = {}
    for variant in unit:
        if _local(variant) != "tuv":
            continue
        lang = (variant.get(_XML_LANG) or variant.get("lang") or "").lower().replace("_", "-")
        segment = next((child for child in variant if _local(child) == "seg"), None)
        if segment is not None:
            texts.setdefault(lang, "".join(segment.itertext()))
    return texts


def _in_language(texts: dict[str, str], lang: str) -> str:
    """Give the text in a language, or in the first of its varieties (`en-GB` for `en`)."""
    lang = lang.lower()
    if lang in texts:
        return texts[lang]
    return next((text for key, text in texts.items() if key.partition("-")[0] == lang), "")
