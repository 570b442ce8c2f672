"""Unigram tokenizers in a fraction of the memory: the pieces in one table, not a tree of tables.

The `tokenizers` library keeps a Unigram vocabulary as a tree with a hash table in each node, about
0.8 kB a piece; a `PieceTable` takes a twentieth. Here normalising and splitting stay with that
library, and the search for the best pieces is done again, to the same result: Viterbi (Kudo 2018,
https://arxiv.org/abs/1804.10959), where a character that is no piece costs more than any piece, and
neighbours of this kind are one.
"""

import json
import math
import re
from array import array
from collections.abc import Iterable, Iterator
from typing import Any

from .piece_table import ENDING, PieceTable
from .vocabulary import taken_apart

# `K_UNK_PENALTY` of tokenizers/src/models/unigram/model.rs.
UNKNOWN_PENALTY = 10.0
# What an added piece may not ask for: to count after normalising, or to take spaces with it.
REFUSED = ("normalized", "single_word", "lstrip", "rstrip")
WORST = -math.inf
# The lengths of pieces that the table does not tell by their ending.
SHORT = tuple(range(ENDING - 1, 0, -1))


class Unigram:
    """Cuts a text into the pieces whose scores have the largest sum.

    content (bytes): A tokenizer.json.
    RAISES (ValueError): If it is of another kind, or has a setting that is not known here; the
        library itself has to be used then.
    """

    def __init__(self, content: bytes) -> None:
        from tokenizers import Tokenizer

        self._scores = array("d")
        try:
            setup, vocabulary = taken_apart(content)
            if not _known(setup):
                raise ValueError("not a plain Unigram tokenizer")
            self._unknown = setup["model"]["unk_id"]
            self._added = {piece["content"]: piece["id"] for piece in setup["added_tokens"]}
            self.special = frozenset(p["id"] for p in setup["added_tokens"] if p["special"])
            self._table = PieceTable(self._without_scores(vocabulary))
        except (ArithmeticError, AttributeError, KeyError, TypeError) as err:
            raise ValueError("not a plain Unigram tokenizer") from err
        if not all(map(math.isfinite, self._scores)):
            raise ValueError("a score is not a number")
        if not 0 <= self._unknown < len(self._table):
            raise ValueError("the unknown piece is not listed")
        if any(self.id_of(name) != index for name, index in self._added.items()):
            raise ValueError("an added piece is not in the vocabulary")
        self._unknown_score = min(self._scores) - UNKNOWN_PENALTY
        self._apart = re.compile(f"({'|'.join(sorted(map(re.escape, self._added), reverse=True))})")
        setup.update(added_tokens=[], truncation=None, padding=None)
        unknown = self._table[self._unknown]
        setup["model"] = {"type": "Unigram", "unk_id": 0, "vocab": [[unknown, 0.0]]}
        try:
            self.tokenizer = Tokenizer.from_str(json.dumps(setup))
        except Exception as err:  # the library raises no narrower class
            raise ValueError(str(err)) from err
        self._normalizer = self.tokenizer.normalizer
        self._splitter = self.tokenizer.pre_tokenizer

    def _without_scores(self, vocabulary: Iterable[tuple[str, float]]) -> Iterator[str]:
        for piece, score in vocabulary:
            self._scores.append(score)
            yield piece

    def id_of(self, piece: str) -> int | None:
        """Give a piece's id; None for what is no piece."""
        return self._table.get(piece)

    def ids(self, text: str) -> list[int]:
        """Cut a text.

        text (str): The text, without lone surrogates.
        RETURNS (List[int]): The ids of its pieces.
        """
        found: list[int] = []
        for part in self._apart.split(text) if self._added else [text]:
            if part in self._added:
                found.append(self._added[part])
                continue
            if self._normalizer is not None:
                part = self._normalizer.normalize_str(part)
            for run, _ in self._splitter.pre_tokenize_str(part):
                found += self._best(run)
        return found

    def _best(self, text: str) -> list[int]:
        find, lengths = self._table.get, self._table.lengths
        scores, unknown = self._scores, self._unknown
        # For each place the best score up to it, and the piece that ends there.
        best, begins, pieces = [0.0], [0], [unknown]
        for end in range(1, len(text) + 1):
            top, begin, chosen = WORST, end - 1, unknown
            piece = None
            long = lengths(text[end - ENDING : end]) if end >= ENDING else ()
            for length in (*long, *SHORT):
                start = end - length
                if start < 0:
                    continue
                piece = find(text[start:end])
                if piece is not None:
                    score = scores[piece] + best[start]
                    if score > top:
                        top, begin, chosen = score, start, piece
            if piece is None:  # the last character is no piece
                score = self._unknown_score + best[end - 1]
                if score > top:
                    top, begin, chosen = score, end - 1, unknown
            best.append(top)
            begins.append(begin)
            pieces.append(chosen)
        found: list[int] = []
        end = len(text)
        while end:
            piece = pieces[end]
            if piece != unknown or not found or found[-1] != unknown:
                found.append(piece)
            end = begins[end]
        found.reverse()
        return found


def _known(setup: dict[str, Any]) -> bool:
    """Whether a tokenizer has no setting that is not followed here."""
    model, splitter = setup["model"], setup["pre_tokenizer"]
    return (
        model["type"] == "Unigram"
        and isinstance(model["unk_id"], int)
        and not model.get("byte_fallback")
        and splitter["type"] == "Metaspace"
        # "first" means something else behind an added piece
        and splitter.get("prepend_scheme", "always") != "first"
        and not any(piece[setting] for piece in setup["added_tokens"] for setting in REFUSED)
    )
