"""Words to subword pieces, the same way in training and at run time."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache, partial
from typing import Any

from ..errors import Errors, OpticalError
from .unigram import Unigram

UNKNOWN_PIECES = ("<unk>", "[UNK]")
PADDING_PIECES = ("<pad>", "[PAD]")

# No piece of the usual vocabularies is longer than 16 characters, so a cut word still fills its
# pieces, and a word of a million characters costs no more than one of this length.
CHARACTERS_PER_PIECE = 16
LONGEST_CACHED_WORD = 64

# Soft hyphen, zero-width space, word joiner, byte order mark: they say where a line may break, or
# nothing, and a model that never met them reads the word wrongly. The zero-width joiner and
# non-joiner (U+200C, U+200D) stay: Persian, Marathi and others spell with them.
INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]")


class WordPieces:
    """Cuts words into the pieces of a Unigram, WordPiece or BPE tokenizer.

    Each word is cut alone, so its pieces depend on nothing around it, and without the characters in
    `INVISIBLE`. A word gets at least one piece (the unknown one if the tokenizer gives none) and at
    most `max_word_pieces`. Text that spells a special piece, such as "</s>", counts as unknown and
    cannot end a sequence. Instances may be shared by threads.

    tokenizer_json (Union[bytes, str]): The content of a tokenizer.json.
    max_word_pieces (int): Pieces kept of one word.
    cache_size (int): Words whose pieces are remembered, those used last.
    RAISES (OpticalError): If the tokenizer cannot be read or has no unknown or padding piece.
    """

    prefix: tuple[int, ...]
    suffix: tuple[int, ...]
    pad_id: int
    unk_id: int

    def __init__(
        self,
        tokenizer_json: bytes | str,
        *,
        max_word_pieces: int = 32,
        cache_size: int = 4096,
    ) -> None:
        if isinstance(tokenizer_json, str):
            tokenizer_json = tokenizer_json.encode("utf8")
        self._cutter: Unigram | _Library
        try:
            self._cutter = Unigram(tokenizer_json)
        except ValueError:
            self._cutter = _Library(tokenizer_json)
        self.unk_id = self._id_of(UNKNOWN_PIECES)
        self.pad_id = self._id_of(PADDING_PIECES)
        self.prefix, self.suffix = self._cutter.prefix, self._cutter.suffix
        # Not a method: that would tie the cache and this object in a circle, which stays in memory.
        self._cut = partial(_cut, self._cutter, self.unk_id, max_word_pieces)
        self._cached = lru_cache(cache_size)(self._cut)

    @property
    def frame(self) -> int:
        """The number of special pieces around a sequence."""
        return len(self.prefix) + len(self.suffix)

    def pieces(self, words: Iterable[str]) -> list[tuple[int, ...]]:
        """Cut words into pieces.

        words (Iterable[str]): The words, in any script and of any length.
        RETURNS (List[Tuple[int, ...]]): For each word its piece ids, at least one.
        """
        cached, cut = self._cached, self._cut
        return [(cached if len(word) <= LONGEST_CACHED_WORD else cut)(word) for word in words]

    def _id_of(self, names: Sequence[str]) -> int:
        for name in names:
            index = self._cutter.id_of(name)
            if index is not None:
                return index
        reason = f"it has no piece {' or '.join(names)}"
        raise OpticalError(Errors.E113.format(path="tokenizer.json", reason=reason))


def _cut(cutter: "Unigram | _Library", unknown: int, most: int, word: str) -> tuple[int, ...]:
    text = word
    if not word.isascii():
        text = INVISIBLE.sub("", word)
        # A lone surrogate has no UTF-8 form.
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    found = cutter.ids(text[: most * CHARACTERS_PER_PIECE])
    ids = tuple(unknown if index in cutter.special else index for index in found)
    return ids[:most] or (unknown,)


class _Library:
    """A tokenizer of any kind, cut by the `tokenizers` library."""

    def __init__(self, content: bytes) -> None:
        from tokenizers import Tokenizer

        try:
            self.tokenizer = Tokenizer.from_buffer(content)
        except Exception as err:  # the library raises no narrower class for damaged JSON
            raise OpticalError(Errors.E113.format(path="tokenizer.json", reason=err)) from err
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        added = self.tokenizer.get_added_tokens_decoder()
        self.special = frozenset(index for index, piece in added.items() if piece.special)
        encoding = self._encoded("a", add_special_tokens=True)
        inner = [at for at, frames in enumerate(encoding.special_tokens_mask) if not frames]
        # If nothing stands for "a", half of the frame is on either side.
        begin, *_, end = [*inner, inner[-1] + 1] if inner else [len(encoding.ids) // 2] * 2
        self.prefix, self.suffix = tuple(encoding.ids[:begin]), tuple(encoding.ids[end:])

    def id_of(self, piece: str) -> int | None:
        return self.tokenizer.token_to_id(piece)

    def ids(self, text: str) -> list[int]:
        return self._encoded(text, add_special_tokens=False).ids

    def _encoded(self, text: str, *, add_special_tokens: bool) -> Any:
        try:
            return self.tokenizer.encode(text, add_special_tokens=add_special_tokens)
        except Exception as err:  # the library raises no narrower class
            raise OpticalError(Errors.E113.format(path="tokenizer.json", reason=err)) from err
