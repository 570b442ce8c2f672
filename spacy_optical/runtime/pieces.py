"""Split words into subword pieces, in training and at run time."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache, partial
from typing import Any

from ..errors import Errors, OpticalError
from .unigram import Unigram

UNKNOWN_PIECES = ("<unk>", "[UNK]")
PADDING_PIECES = ("<pad>", "[PAD]")

# Pieces of common vocabularies are at most 16 characters long. A longer word is truncated before it
# is tokenized, which takes no longer for a word of a million characters.
CHARACTERS_PER_PIECE = 16
LONGEST_CACHED_WORD = 64

# Soft hyphen, zero-width space, word joiner, byte order mark. They have no meaning in a word, and
# models have not seen them in training. The zero-width joiner and non-joiner (U+200C, U+200D) are
# kept, because they are part of the spelling in Persian, Marathi and other languages.
INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]")


class WordPieces:
    """Splits words into the pieces of a Unigram, WordPiece or BPE tokenizer.

    Each word is tokenized alone, without the characters in `INVISIBLE`. It gets at least one piece
    (the unknown one if the tokenizer returns none) and at most `max_word_pieces`. Text that looks
    like a special piece, such as "</s>", becomes the unknown piece. Threads may share an instance.

    tokenizer_json (bytes): The content of a tokenizer.json.
    max_word_pieces (int): The maximum number of pieces of a word.
    cache_size (int): The number of recent words whose pieces are cached.
    RAISES (OpticalError): If the tokenizer cannot be read or has no unknown or padding piece.
    """

    def __init__(
        self, tokenizer_json: bytes, *, max_word_pieces: int = 32, cache_size: int = 4096
    ) -> None:
        self._tokenizer: Unigram | _Library
        try:
            self._tokenizer = Unigram(tokenizer_json)
        except ValueError:
            self._tokenizer = _Library(tokenizer_json)
        self.unk_id = self._id_of(UNKNOWN_PIECES)
        self.pad_id = self._id_of(PADDING_PIECES)
        self.prefix, self.suffix = self._tokenizer.prefix, self._tokenizer.suffix
        # A cached method would refer to this object, and the object to it: a cycle stays in memory.
        self._split = partial(_split, self._tokenizer, self.unk_id, max_word_pieces)
        self._cached = lru_cache(cache_size)(self._split)

    @property
    def frame(self) -> int:
        """The number of special pieces around a sequence."""
        return len(self.prefix) + len(self.suffix)

    def pieces(self, words: Iterable[str]) -> list[tuple[int, ...]]:
        """Split words into pieces.

        words (Iterable[str]): The words, in any script and of any length.
        RETURNS (List[Tuple[int, ...]]): For each word the ids of its pieces, at least one.
        """
        cached, split = self._cached, self._split
        return [(cached if len(word) <= LONGEST_CACHED_WORD else split)(word) for word in words]

    def _id_of(self, names: Sequence[str]) -> int:
        for name in names:
            index = self._tokenizer.id_of(name)
            if index is not None:
                return index
        reason = f"it has no piece {' or '.join(names)}"
        raise OpticalError(Errors.E113.format(path="tokenizer.json", reason=reason))


def _split(tokenizer: "Unigram | _Library", unknown: int, most: int, word: str) -> tuple[int, ...]:
    text = word
    if not word.isascii():
        text = INVISIBLE.sub("", word)
        # A lone surrogate has no UTF-8 form.
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    found = tokenizer.ids(text[: most * CHARACTERS_PER_PIECE])
    ids = tuple(unknown if index in tokenizer.special else index for index in found)
    return ids[:most] or (unknown,)


class _Library:
    """A tokenizer of any type, run by the `tokenizers` library."""

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
        # If "a" has no piece, half of the special pieces are on each side.
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
