"""Bitext: sentences with their translations, read one at a time from the usual formats.

JSON lines (`{"id": "7", "en": "…", "sw": "…"}`, or the same under `"translation"`), TSV (source
and target, or id, source and target, or the columns that `keys` names), TMX 1.4, CoNLL-U with its
comments `text` and `text_en`, and two files of one sentence a line (Moses). Each may be gzipped, or
alone in a zip archive. Pairs are read one at a time.
"""

import gzip
import html
import json
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Literal, cast
from xml.etree.ElementTree import Element, ParseError

from ..compat import require
from ..errors import Errors, OpticalError

Format = Literal["jsonl", "tsv", "tmx", "conllu", "moses"]
OnError = Literal["raise", "skip"]
_SUFFIXES: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".json": "jsonl",
    ".tsv": "tsv",
    ".tmx": "tmx",
    ".conllu": "conllu",
}
# Elements of TMX that hold a format's codes; other inline elements hold text.
_CODES = frozenset({"bpt", "ept", "it", "ph", "ut"})
_HEADERS = ({"source", "src"}, {"target", "tgt", "trg"})
_ID = re.compile(r"(?=\D*\d)[\w.:/#-]+")
_ENTITY = re.compile(r"&(?:[A-Za-z][A-Za-z0-9]*|#[0-9]+|#[xX][0-9A-Fa-f]+);")
_DAMAGE = (EOFError, zlib.error, zipfile.BadZipFile, OSError)
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
    target_path: str | Path | None = None,
    *,
    source_lang: str = "en",
    target_lang: str,
    keys: tuple[str, str] | None = None,
    format: Format | None = None,
    unescape: bool = False,
    on_error: OnError = "raise",
    skipped: Counter[str] | None = None,
    escaped: Counter[str] | None = None,
) -> Iterator[BitextPair]:
    """Read pairs from a file, one at a time.

    path (Union[str, Path]): The file, gzipped if its name ends in `.gz`, the one file of an archive
        if it ends in `.zip`; for Moses the two files' common beginning: `corpus` for `corpus.en`
        and `corpus.sw`.
    target_path (Optional[Union[str, Path]]): The target side's file, where `path` is the source
        side's: of Moses, line N belongs to line N; of CoNLL-U, the same `sent_id` to each other.
    source_lang (str): The source language.
    target_lang (str): The target language.
    keys (Optional[Tuple[str, str]]): What the file calls source and target: keys of JSON lines,
        languages of TMX, endings of Moses files; columns of TSV by the names in its first line, or
        by their numbers, counted from 1; comments of CoNLL-U. By default the languages; of
        CoNLL-U `text_en` (for English) and `text`.
    format (Optional[str]): `jsonl`, `tsv`, `tmx`, `conllu` or `moses`; by default told from the
        name.
    unescape (bool): Turn HTML entities (`&amp;`) and the doubled quotes of CSV (`""`) into the
        characters that they stand for.
    on_error (str): `raise`, or `skip` for lines that cannot be used; damage that ends the file
        (a truncated gzip, broken XML) is raised all the same.
    skipped (Optional[Counter]): Counts the skipped lines under the codes of their errors, and the
        first line of a TSV under `header` where it names the columns.
    escaped (Optional[Counter]): Counts the pairs with HTML entities under `html`, and those with
        doubled quotes under `quotes`, whether they are turned into characters or not.
    YIELDS (BitextPair): The pairs in order.
    RAISES (OpticalError): Naming file and line: on a missing file, an unknown format, text that is
        not UTF-8, a line that does not hold both sentences, a damaged file, or XML with entities
        of its own (they can be made to fill the memory).
    """
    path = Path(path)
    langs = (source_lang, target_lang)
    names = keys or langs
    kind = format or _format_of(path, names)
    if kind == "jsonl":
        pairs = _jsonl(path, names)
    elif kind == "tsv":
        pairs = _tsv(path, langs, keys, skipped)
    elif kind == "tmx":
        pairs = _tmx(path, names)
    elif kind == "conllu" and target_path is not None:
        pairs = _conllu_pair((path, Path(target_path)), langs)
    elif kind == "conllu":
        pairs = _conllu(path, keys or (f"text_{source_lang}", "text"))
    elif kind == "moses":
        paths = _moses_paths(path, names) if target_path is None else (path, Path(target_path))
        pairs = _moses(paths, names)
    else:
        raise OpticalError(Errors.E226.format(path=path, allowed="jsonl, tsv, tmx, conllu, moses"))
    for pair in pairs:
        if not isinstance(pair, OpticalError):
            pair = _unescaped(pair, langs, escaped, change=unescape)
        if not isinstance(pair, OpticalError):
            yield pair
        elif on_error == "raise":
            raise pair
        elif skipped is not None:
            skipped[pair.code] += 1


def named_keys(text: str) -> tuple[str, str] | None:
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


_Pairs = Iterator[BitextPair | OpticalError]
_Names = tuple[str, str]


def _format_of(path: Path, names: _Names) -> Format | None:
    if not path.exists() and any(Path(f"{path}.{names[0]}{end}").is_file() for end in ("", ".gz")):
        return "moses"
    if not path.is_file():
        raise OpticalError(Errors.E002.format(what="bitext file", path=path))
    name = _member(path) if path.suffix == ".zip" else path.name.removesuffix(".gz")
    return _SUFFIXES.get(PurePosixPath(name).suffix.lower())


def _unescaped(
    pair: BitextPair, langs: _Names, escaped: Counter[str] | None, *, change: bool
) -> BitextPair | OpticalError:
    """Count a pair's HTML entities and doubled quotes, and turn them into characters."""
    texts = (pair.source, pair.target)
    if escaped is not None:
        escaped["html"] += any(_without_entities(text) != text for text in texts)
        escaped["quotes"] += any('""' in text for text in texts)
    if not change:
        return pair
    source, target = (_without_entities(_without_doubled_quotes(text)) for text in texts)
    return _pair(pair.where, pair.line, pair.id, source, target, langs)


def _without_entities(text: str) -> str:
    while (plain := _ENTITY.sub(lambda match: html.unescape(match[0]), text)) != text:
        text = plain  # what was escaped twice is still escaped
    return plain


def _without_doubled_quotes(text: str) -> str:
    if '""' not in text:
        return text
    inside = text[1:-1]
    if text[0] == text[-1] == '"' and inside and '"' not in inside.replace('""', ""):
        text = inside
    return text.replace('""', '"')


def _open(path: Path) -> BinaryIO:
    if not path.is_file():
        raise OpticalError(Errors.E002.format(what="bitext file", path=path))
    if path.suffix == ".zip":
        try:
            return cast(BinaryIO, zipfile.ZipFile(path).open(_member(path)))
        except (*_DAMAGE, NotImplementedError, RuntimeError) as err:  # other methods, a password
            raise OpticalError(Errors.E223.format(where=path, reason=err)) from err
    return cast(BinaryIO, gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb"))


def _member(path: Path) -> str:
    """Name the one file of an archive, besides those that tell about it."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [info.filename for info in archive.infolist() if not info.is_dir()]
    except (zipfile.BadZipFile, OSError) as err:
        raise OpticalError(Errors.E223.format(where=path, reason=err)) from err
    kept = [name for name in names if not PurePosixPath(name).name.startswith(("_", ".", "README"))]
    kept = [name for name in kept if not name.startswith("__MACOSX/")]
    if len(kept) != 1:
        raise OpticalError(Errors.E247.format(path=path, names=", ".join(kept) or "none"))
    return kept[0]


def _lines(path: Path) -> Iterator[tuple[int, str, str | OpticalError]]:
    """Give number, place and text of each line, or the error that its bytes make."""
    number = 0
    with _open(path) as file:
        while True:
            where = f"{path}, line {number + 1}"
            try:
                raw = file.readline()
            except _DAMAGE as err:
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


def _jsonl(path: Path, names: _Names) -> _Pairs:
    for number, where, text in _lines(path):
        if isinstance(text, OpticalError):
            yield text
        elif text.strip():
            yield _json_pair(text, number, where, names)


def _json_pair(text: str, number: int, where: str, names: _Names) -> BitextPair | OpticalError:
    source, target = names
    reason = "no such keys"
    record: Any = None
    try:
        record = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as err:
        reason = str(err)
    sentences = record.get("translation", record) if isinstance(record, dict) else None
    if not isinstance(sentences, dict) or not all(
        isinstance(sentences.get(name), str) for name in names
    ):
        return OpticalError(
            Errors.E220.format(where=where, source=source, target=target, reason=reason)
        )
    name = str(record.get("id", number))
    return _pair(where, number, name, sentences[source], sentences[target], names)


def _tsv(path: Path, langs: _Names, keys: _Names | None, skipped: Counter[str] | None) -> _Pairs:
    places: tuple[int, ...] | None = None  # of source and target, and of the id where there is one
    first = True
    for number, where, text in _lines(path):
        if isinstance(text, OpticalError):
            yield text
            continue
        if not text.strip():
            continue
        columns = [column.strip() for column in text.split("\t")]
        if first:
            places = _named_places(columns, langs, keys)
            if places is not None:
                if skipped is not None:
                    skipped["header"] += 1
                first = False
                continue
            places = _numbered_places(columns, keys, where)
        found = places or _usual_places(columns)
        if found is None:
            error = _other_columns(columns, where)
            if first:
                raise error  # the file is of another form, not a line of it
            yield error
        elif max(found) >= len(columns):
            yield OpticalError(Errors.E244.format(where=where, found=len(columns)))
        else:
            source, target, *name = (columns[place] for place in found)
            yield _pair(where, number, name[0] if name else str(number), source, target, langs)
        first = False


def _named_places(
    columns: Sequence[str], langs: _Names, keys: _Names | None
) -> tuple[int, ...] | None:
    """Give the columns of source, target and id if a file's first line names the first two."""
    titles = [_code(column) for column in columns]
    if keys is None or _are_numbers(keys):
        known = [{_code(lang), *usual} for lang, usual in zip(langs, _HEADERS, strict=True)]
    else:
        known = [{_code(key)} for key in keys]
    found = [[i for i, title in enumerate(titles) if title in side] for side in known]
    if not (found[0] and found[1]):
        return None
    ids = [titles.index("id")] if "id" in titles else []
    if keys is not None and _are_numbers(keys):
        return tuple(int(key) - 1 for key in keys)
    return (found[0][0], found[1][0], *ids)


def _numbered_places(
    columns: Sequence[str], keys: _Names | None, where: str
) -> tuple[int, ...] | None:
    if keys is None:
        return None
    if not _are_numbers(keys):
        raise OpticalError(
            Errors.E245.format(where=where, names=" and ".join(keys), found=", ".join(columns))
        )
    return tuple(int(key) - 1 for key in keys)


def _usual_places(columns: Sequence[str]) -> tuple[int, ...] | None:
    if len(columns) == 2:
        return 0, 1
    return (1, 2, 0) if len(columns) == 3 and _ID.fullmatch(columns[0]) else None


def _other_columns(columns: Sequence[str], where: str) -> OpticalError:
    if len(columns) == 3:
        return OpticalError(Errors.E243.format(where=where, columns="', '".join(columns)))
    return OpticalError(Errors.E221.format(where=where, found=len(columns)))


def _are_numbers(keys: _Names) -> bool:
    return all(key.isdecimal() and int(key) for key in keys)


def _code(text: str) -> str:
    """Write a language's code as it is compared: sw_KE, SW-ke and sw-KE are the same."""
    return text.strip().lower().replace("_", "-")


def _moses_paths(path: Path, names: _Names) -> tuple[Path, Path]:
    def side(lang: str) -> Path:
        plain, packed = Path(f"{path}.{lang}"), Path(f"{path}.{lang}.gz")
        return packed if packed.is_file() and not plain.is_file() else plain

    return side(names[0]), side(names[1])


def _moses(paths: tuple[Path, Path], names: _Names) -> _Pairs:
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
            yield _pair(where, number, str(number), source, target, names)
    if counts[0] != counts[1]:
        raise OpticalError(
            Errors.E225.format(
                source=paths[0], source_lines=counts[0], target=paths[1], target_lines=counts[1]
            )
        )


def _conllu(path: Path, keys: _Names) -> _Pairs:
    """Read the comments of a treebank that hold a sentence and its translation."""
    for number, where, comments in _conllu_comments(path):
        if isinstance(comments, OpticalError):
            yield comments
            continue
        source, target = (comments.get(key, "") for key in keys)
        name = comments.get("sent_id", str(number))
        yield _pair(where, number, name, source, target, keys)


def _conllu_pair(paths: tuple[Path, Path], langs: _Names) -> _Pairs:
    """Join two treebanks of the same text; the source side is held in memory."""
    sources: dict[str, str] = {}
    for _, _, comments in _conllu_comments(paths[0]):
        if isinstance(comments, OpticalError):
            yield comments
        elif "sent_id" in comments:
            sources[comments["sent_id"]] = comments.get("text", "")
    for number, where, comments in _conllu_comments(paths[1]):
        if isinstance(comments, OpticalError):
            yield comments
            continue
        name = comments.get("sent_id", "")
        yield _pair(where, number, name, sources.get(name, ""), comments.get("text", ""), langs)


def _conllu_comments(path: Path) -> Iterator[tuple[int, str, dict[str, str] | OpticalError]]:
    """Give the comments of each sentence with the line that the sentence begins at."""
    comments: dict[str, str] = {}
    begins, at = 0, ""
    for number, where, text in _lines(path):
        if isinstance(text, OpticalError):
            yield number, where, text
        elif text.startswith("#"):
            if not comments:
                begins, at = number, where
            key, equals, value = text[1:].partition("=")
            if equals:
                comments[key.strip()] = value.strip()
        elif not text.strip() and comments:
            yield begins, at, comments
            comments = {}
    if comments:
        yield begins, at, comments


def _tmx(path: Path, names: _Names) -> _Pairs:
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
                source, target = (_in_language(texts, lang) for lang in names)
                yield _pair(where, number, name, source, target, names)
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
        except _DAMAGE as err:
            raise OpticalError(Errors.E223.format(where=where, reason=err)) from err


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _unit_texts(unit: Element) -> dict[str, str]:
    texts: dict[str, str] = {}
    for variant in unit:
        if _local(variant) != "tuv":
            continue
        lang = _code(variant.get(_XML_LANG) or variant.get("lang") or "")
        segment = next((child for child in variant if _local(child) == "seg"), None)
        if segment is not None:
            texts.setdefault(lang, "".join(_text_of(segment)))
    return texts


def _text_of(element: Element, *, inside_code: bool = False) -> Iterator[str]:
    """Give an element's text without the codes of its format; `sub` is text inside of one."""
    if element.text and not inside_code:
        yield element.text
    for child in element:
        name = _local(child)
        yield from _text_of(child, inside_code=name in _CODES or (inside_code and name != "sub"))
        if child.tail and not inside_code:
            yield child.tail


def _in_language(texts: dict[str, str], lang: str) -> str:
    """Give the text in a language, or in the first of its varieties (`en-GB` for `en`)."""
    lang = _code(lang)
    if lang in texts:
        return texts[lang]
    return next((text for key, text in texts.items() if key.startswith(f"{lang}-")), "")
