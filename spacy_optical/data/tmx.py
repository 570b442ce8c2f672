"""Bitext in TMX; see the TMX 1.4b specification of GALA/LISA OSCAR."""

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from ..compat import require
from ..errors import Errors, OpticalError
from .lines import DAMAGE, Line, PairRow, open_binary

# Elements that hold a format's codes; other inline elements hold text.
_CODES = frozenset({"bpt", "ept", "it", "ph", "ut"})
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def read_tmx(path: Path, languages: tuple[str, str]) -> Iterator[PairRow]:
    """Read the translation units of a TMX file, one at a time.

    path (Path): The file.
    languages (Tuple[str, str]): The languages of source and target.
    YIELDS (PairRow): The pairs; a side is empty where a unit lacks its language.
    RAISES (OpticalError): If the file is damaged or declares entities (they can be made to fill the
        memory).
    """
    etree = require("defusedxml.ElementTree")
    forbidden = require("defusedxml.common").DefusedXmlException
    line = Line(0, str(path))
    with open_binary(path, "bitext file") as file:
        try:
            root: Element | None = None
            for event, element in etree.iterparse(file, events=("start", "end")):
                if root is None:
                    root = element
                if event != "end" or _local(element) != "tu":
                    continue
                line = Line(line.number + 1, f"{path}, unit {line.number + 1}")
                texts = _unit_texts(element)
                source, target = (_in_language(texts, lang) for lang in languages)
                yield line, element.get("tuid", str(line.number)), source, target
                # Units that were read would otherwise stay in the tree until the end.
                for child in root:
                    child.clear()
        except forbidden as err:
            reason = f"it declares entities: {type(err).__name__}"
            raise OpticalError(Errors.E224.format(where=line.where, reason=reason)) from err
        except ParseError as err:
            raise OpticalError(Errors.E224.format(where=line.where, reason=err)) from err
        except DAMAGE as err:
            raise OpticalError(Errors.E223.format(where=line.where, reason=err)) from err


def language_code(text: str) -> str:
    """Write a language's code as it is compared: sw_KE, SW-ke and sw-KE are the same."""
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
    lang = language_code(lang)
    varieties = (text for key, text in texts.items() if key.startswith(f"{lang}-"))
    return texts.get(lang) or next(varieties, "")
