"""XLM-R's kind of tokenizer, read by SentencePiece; docs/performance.md has what that saves."""

import base64
import json
import re
import struct
import unicodedata
from typing import Any

# What an added piece may not ask for: to count after normalizing, or to take spaces with it.
REFUSED = ("normalized", "single_word", "lstrip", "rstrip")
# Two or more spaces become one.
ONE_SPACE = {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}
SPACE = "▁"
VOCABULARY = re.compile(rb'"vocab"\s*:\s*\[')
# Pieces and scores, up to so many of them: whole lists of Python objects take several times the
# memory, not all of which is given back.
ENTRY = rb'\s*\[\s*"[^"\\]*(?:\\.[^"\\]*)*"\s*,[^]["]*\]\s*'
ENTRIES = re.compile(rb"%b(?:,%b){,255}" % (ENTRY, ENTRY))
# What joins the character before it, as marks do: joiners, vowels, Hangul letters, Katakana signs.
JOINING = re.compile(
    "[\u200c\u200d\u0e33\u0eb3\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff\uff9e\uff9f]"
)
# What the two libraries normalize otherwise even so: a joiner that has nothing to join.
CONTROLS = "\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
ALONE = re.compile(f"\r\n|(^|[{CONTROLS}])[\u200c\u200d]")
# Fields of sentencepiece_model.proto as they are encoded: a piece of type UNKNOWN, and a
# NormalizerSpec that adds no prefix and leaves white space as it is.
UNKNOWN = b"\x18\x02"
KEEPS_SPACES = b"\x18\x00\x20\x00\x28\x00"
# What stands before the text and score of an ordinary piece of 0, 1, 2 … bytes. A vocabulary has
# tens of thousands, and to encode each one field by field takes a third of the time of loading.
HEADS = [bytes((0x0A, size + 7, 0x0A, size)) for size in range(0x79)]


class Unigram:
    """Cuts a text into the pieces whose scores have the largest sum.

    SentencePiece takes less memory and time than the `tokenizers` library. The pieces are those of
    that library, which treats marks otherwise when it normalizes: it reads a text that is not
    normalized and has some.

    content (bytes): A tokenizer.json.
    RAISES (ValueError): If it is of another kind, or has a setting that is not supported here. Use
        the library for it.
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
        """Give a piece's id; None for what is no piece."""
        index: int = self._search.piece_to_id(piece)
        return index if self._search.id_to_piece(index) == piece else None

    def ids(self, text: str) -> list[int]:
        """Cut a text.

        text (str): The text, without lone surrogates.
        RETURNS (List[int]): The ids of its pieces.
        """
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
    """Whether a text has characters that join others, and may be written with fewer of them."""
    if unicodedata.is_normalized("NFKC", text):
        return bool(ALONE.search(text))
    return bool(JOINING.search(text)) or any(unicodedata.category(sign)[0] == "M" for sign in text)


def _model_proto(content: bytes) -> tuple[dict[str, Any], bytes]:
    """Give a tokenizer without its vocabulary, and that one as SentencePiece's ModelProto."""
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
        # SentencePiece does not find the unknown piece in a text.
        or unknown not in [piece["id"] for piece in added]
        or any(piece[setting] for piece in added for setting in REFUSED)
    ):
        raise ValueError("not a plain Unigram tokenizer")
    proto, count = bytearray(), 0
    for part in parts:
        for piece, score in json.loads(b"[%b]" % part):
            if "\0" in piece:  # SentencePiece takes it for the end
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
    """Give SentencePiece's table of characters, and whether spaces in a row become one."""
    steps = [] if setup is None else setup.get("normalizers", [setup])
    one_space = steps[-1:] == [ONE_SPACE]
    tables = steps[:-1] if one_space else steps
    if [step["type"] for step in tables] not in ([], ["Precompiled"]):
        raise ValueError("normalizers that are not SentencePiece's")
    return b"".join(base64.b64decode(step["precompiled_charsmap"]) for step in tables), one_space


def _frame(setup: dict[str, Any]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The special pieces before and after a sequence."""
    ids: list[list[int]] = [[]]
    for part in setup["single"]:
        if "Sequence" in part:
            ids.append([])
        else:
            ids[-1] += setup["special_tokens"][part["SpecialToken"]["id"]]["ids"]
    prefix, suffix = map(tuple, ids)
    return prefix, suffix


def _field(number: int, content: bytes) -> bytes:
    """Encode a field of a protocol buffer: its key, the content's size as a varint, the content."""
    size, encoded = len(content), bytearray([number << 3 | 2])
    while size > 0x7F:
        encoded.append(size & 0x7F | 0x80)
        size >>= 7
    encoded.append(size)
    return bytes(encoded) + content
