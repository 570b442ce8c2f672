"""Run the tokenizers of XLM-R and similar models with SentencePiece, see docs/performance.md."""

import base64
import json
import re
import struct
import unicodedata
from typing import Any

# Settings of added pieces that are not supported.
REFUSED = ("normalized", "single_word", "lstrip", "rstrip")
# A normalizer that replaces several spaces by one.
ONE_SPACE = {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}
SPACE = "▁"  # SentencePiece's character for a space
VOCABULARY = re.compile(rb'"vocab"\s*:\s*\[')
# Up to 256 pieces with their scores. The whole list as Python objects takes several times the
# memory, and not all of it is returned to the system.
ENTRY = rb'\s*\[\s*"[^"\\]*(?:\\.[^"\\]*)*"\s*,[^]["]*\]\s*'
ENTRIES = re.compile(rb"%b(?:,%b){,255}" % (ENTRY, ENTRY))
# Characters that combine with the character before them, as marks do: joiners, vowels, Hangul
# letters, Katakana signs.
JOINING = re.compile(
    "[\u200c\u200d\u0e33\u0eb3\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff\uff9e\uff9f]"
)
# The libraries also differ for a joiner that has nothing to join.
CONTROLS = "\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
ALONE = re.compile(f"\r\n|(^|[{CONTROLS}])[\u200c\u200d]")
# Encoded fields of sentencepiece_model.proto: a piece of type UNKNOWN, and a NormalizerSpec that
# adds no prefix and does not change white space.
UNKNOWN = b"\x18\x02"
KEEPS_SPACES = b"\x18\x00\x20\x00\x28\x00"
# The bytes before the text of an ordinary piece of 0, 1, 2 … bytes. A vocabulary has tens of
# thousands of pieces, and encoding their fields one by one takes a third of the loading time.
HEADS = [bytes((0x0A, size + 7, 0x0A, size)) for size in range(0x79)]


class Unigram:
    """Splits a text into the pieces with the highest sum of scores.

    SentencePiece takes less memory and time than the `tokenizers` library, and returns the same
    pieces. The libraries normalize marks differently, so a text with marks that is not normalized
    yet is normalized by `tokenizers`.

    content (bytes): The content of a tokenizer.json.
    RAISES (ValueError): If the tokenizer is of another type or has a setting that is not supported.
    """

    def __init__(self, content: bytes) -> None:
        from sentencepiece import SentencePieceNormalizer, SentencePieceProcessor

        try:
            setup, pieces = _model_proto(content)
            self._charsmap, self._one_space = _normalizer(setup["normalizer"])
            self.prefix, self.suffix = _frame(setup["post_processor"])
            added = setup["added_tokens"]
            unknown = _field(1, _field(1, b"?") + UNKNOWN)
            spec = _field(2, self._charsmap) + KEEPS_SPACES
            self._search = SentencePieceProcessor(model_proto=pieces)
            self._normalize = SentencePieceNormalizer(model_proto=unknown + _field(3, spec))
        except Exception as err:  # the library raises no narrower class
            raise ValueError(str(err)) from err
        self._added = {piece["content"]: piece["id"] for piece in added}
        if any(self.id_of(name) != index for name, index in self._added.items()):
            raise ValueError("an added piece is not in the vocabulary")
        self.special = frozenset(piece["id"] for piece in added if piece["special"])
        self._apart = re.compile(f"({'|'.join(sorted(map(re.escape, self._added), reverse=True))})")

    def id_of(self, piece: str) -> int | None:
        """Get the id of a piece. None if there is no such piece."""
        index: int = self._search.piece_to_id(piece)
        return index if self._search.id_to_piece(index) == piece else None

    def ids(self, text: str) -> list[int]:
        """Split a text without lone surrogates into pieces, and get their ids."""
        found: list[int] = []
        for part in self._apart.split(text):
            if part in self._added:
                found.append(self._added[part])
                continue
            for run in self._runs(part):
                found += self._search.encode(run)
        return found

    def _runs(self, text: str) -> list[str]:
        """Normalize a text and split it before each space."""
        if self._charsmap and _has_marks(text):
            from tokenizers.normalizers import Precompiled

            text = Precompiled(self._charsmap).normalize_str(text)
        else:
            text = self._normalize.normalize(text)
        if self._one_space:
            text = re.sub(" +", " ", text)
        text = text.replace(" ", SPACE)
        if text and not text.startswith(SPACE):
            text = SPACE + text
        return re.findall(f"{SPACE}[^{SPACE}]*", text)


def _has_marks(text: str) -> bool:
    """Whether a text has marks and is not normalized, so that the libraries may differ."""
    if unicodedata.is_normalized("NFKC", text):
        return bool(ALONE.search(text))
    marks = any(unicodedata.category(sign)[0] == "M" for sign in text)
    return marks or bool(JOINING.search(text) or ALONE.search(text))


def _model_proto(content: bytes) -> tuple[dict[str, Any], bytes]:
    """Get the tokenizer's JSON without the vocabulary, and the vocabulary as a ModelProto."""
    begin = VOCABULARY.search(content)
    if begin is None:
        raise ValueError("no list of pieces")
    end = begin.end()
    parts: list[bytes] = []
    while found := ENTRIES.match(content, end + bool(parts)):
        parts.append(found.group())
        end = found.end()
        if content[end : end + 1] != b",":
            break
    setup = json.loads(content[: begin.end()] + content[end:])
    model, splitter, added = setup["model"], setup["pre_tokenizer"], setup["added_tokens"]
    unknown = model["unk_id"]
    if (
        model["type"] != "Unigram"
        or model["vocab"] != []
        or model.get("byte_fallback")
        or (splitter["type"], splitter["replacement"]) != ("Metaspace", SPACE)
        or splitter.get("prepend_scheme", "always") != "always"
        or not splitter.get("add_prefix_space", True)
        or not splitter.get("split", True)
        # SentencePiece does not find the unknown piece in a text, so it must be an added piece.
        or unknown not in [piece["id"] for piece in added]
        or any(piece[setting] for piece in added for setting in REFUSED)
    ):
        raise ValueError("not a plain Unigram tokenizer")
    proto, count = bytearray(), 0
    for part in parts:
        for piece, score in json.loads(b"[%b]" % part):
            if "\0" in piece:  # SentencePiece ends the piece there
                raise ValueError("a piece holds a null character")
            text, number = piece.encode(), struct.pack("<Bf", 0x15, score)
            if len(text) < len(HEADS) and count != unknown:
                proto += HEADS[len(text)] + text + number
            else:
                kind = UNKNOWN if count == unknown else b""
                proto += _field(1, _field(1, text) + number + kind)
            count += 1
    return setup, bytes(proto + _field(3, KEEPS_SPACES))


def _normalizer(setup: dict[str, Any] | None) -> tuple[bytes, bool]:
    """Get SentencePiece's table of characters, and whether several spaces become one."""
    steps = [] if setup is None else setup.get("normalizers", [setup])
    one_space = steps[-1:] == [ONE_SPACE]
    tables = steps[:-1] if one_space else steps
    if [step["type"] for step in tables] not in ([], ["Precompiled"]):
        raise ValueError("normalizers that are not SentencePiece's")
    return b"".join(base64.b64decode(step["precompiled_charsmap"]) for step in tables), one_space


def _frame(setup: dict[str, Any]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Get the special pieces before and after a sequence."""
    ids: list[list[int]] = [[]]
    for part in setup["single"]:
        if "Sequence" in part:
            ids.append([])
        else:
            ids[-1] += setup["special_tokens"][part["SpecialToken"]["id"]]["ids"]
    prefix, suffix = map(tuple, ids)
    return prefix, suffix


def _field(number: int, content: bytes) -> bytes:
    """Encode a field of a protocol buffer: key, size as a varint, content."""
    size, encoded = len(content), bytearray([number << 3 | 2])
    while size > 0x7F:
        encoded.append(size & 0x7F | 0x80)
        size >>= 7
    encoded.append(size)
    return bytes(encoded) + content
