"""Bitext in TMX; see the TMX 1.4b specification of GALA/LISA OSCAR."""

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from ..compat import require
from ..errors import Errors, OpticalError
from .lines import DAMAGE, PairRow, open_binary

# Elements that hold formatting codes. Other inline elements hold text.
_CODES = frozenset({"bpt", "ept", "it", "ph", "ut"})
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def read_tmx(path: Path, languages: tuple[str, str]) -> Iterator[PairRow]:
    """Read the translation units of a TMX file, one at a time.

    path (Path): The file.
    languages (Tuple[str, str]): The languages of source and target.
    YIELDS (PairRow): The pairs. A side is empty if a unit lacks its language.
    RAISES (OpticalError): If the file is damaged or declares entities, which could be used to fill
        the memory.
    """
    etree = require("defusedxml.ElementTree")
    forbidden = require("defusedxml.common").DefusedXmlException
    number, where = 0, str(path)
    with open_binary(path, "bitext file") as file:
        try:
            elements = etree.iterparse(file, events=("start", "end"))
            _, root = next(elements)
            for event, element in elements:
                if event != "end" or _local(element) != "tu":
                    continue
                number += 1
                where = f"{path}, unit {number}"
                texts = _unit_texts(element)
                source, target = (_in_language(texts, lang) for lang in languages)
                yield where, element.get("tuid", str(number)), source, target
                # Otherwise the tree would keep all units until the end.
                for child in root:
                    child.clear()
        except forbidden as err:
            reason = f"it declares entities: {type(err).__name__}"
            raise OpticalError(Errors.E224.format(where=where, reason=reason)) from err
        # An encoding that expat does not know, or elements in too many others.
        except (ParseError, LookupError, ValueError, RecursionError) as err:
            raise OpticalError(Errors.E224.format(where=where, reason=err)) from err
        except DAMAGE as err:
            raise OpticalError(Errors.E223.format(where=where, reason=err)) from err


def language_code(text: str) -> str:
    """Normalize a language code: sw_KE, SW-ke and sw-KE are the same."""
    return text.strip().lower().replace("_", "-")


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _unit_texts(unit: Element) -> dict[str, str]:
    texts: dict[str, str] = {}
    for variant in unit.iterfind("{*}tuv"):
        lang = language_code(variant.get(_XML_LANG) or variant.get("lang") or "")
        segment = variant.find("{*}seg")
        if segment is not None:
            texts.setdefault(lang, "".join(_text_of(segment)))
    return texts


def _text_of(element: Element, *, inside_code: bool = False) -> Iterator[str]:
    """Get the text of an element without formatting codes. A `sub` in a code is text."""
    if element.text and not inside_code:
        yield element.text
    for child in element:
        name = _local(child)
        yield from _text_of(child, inside_code=name in _CODES or (inside_code and name != "sub"))
        if child.tail and not inside_code:
            yield child.tail


def _in_language(texts: dict[str, str], lang: str) -> str:
    """Get the text in a language, or in its first variety (`en-GB` for `en`)."""
    lang = language_code(lang)
    varieties = (text for key, text in texts.items() if key.startswith(f"{lang}-"))
    return texts.get(lang) or next(varieties, "")
