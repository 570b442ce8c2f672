"""Unigram tokenizers in a fraction of the memory: the pieces in one table, not a tree of tables.

The `tokenizers` library keeps a Unigram vocabulary as a tree with a hash table in each node, about
0.8 kB a piece. Here normalising and splitting stay with that library, and the search for the best
pieces is done again, to the same result: Viterbi (Kudo 2018, https://arxiv.org/abs/1804.10959),
where a character that is no piece costs more than any piece, and neighbours of this kind are one.
"""

import json
import math
import re
from array import array
from typing import Any

# `K_UNK_PENALTY` of tokenizers/src/models/unigram/model.rs.
UNKNOWN_PENALTY = 10.0
# What an added piece may not ask for: to count after normalising, or to take spaces with it.
REFUSED = ("normalized", "single_word", "lstrip", "rstrip")
WORST = -math.inf


class Unigram:
    """Cuts a text into the pieces whose scores have the largest sum.

    content (bytes): A tokenizer.json.
    RAISES (ValueError): If it is of another kind, or has a setting that is not known here; the
        library itself has to be used then.
    """

    def __init__(self, content: bytes) -> None:
        from tokenizers import Tokenizer

        try:
            setup = json.loads(content)
            model, added = setup["model"], setup["added_tokens"]
            if not _known(setup):
                raise ValueError("not a plain Unigram tokenizer")
            # Made anew, the strings lie side by side; what they came with is freed.
            names = "\0".join(piece for piece, _ in model["vocab"]).split("\0")
            self._scores = array("d", (score for _, score in model["vocab"]))
            self._unknown = model["unk_id"]
        except (ArithmeticError, AttributeError, KeyError, TypeError) as err:
            raise ValueError("not a plain Unigram tokenizer") from err
        self._ids = {name: index for index, name in enumerate(names)}
        self._added = {piece["content"]: piece["id"] for piece in added}
        n_pieces = len(self._scores)
        if not all(map(math.isfinite, self._scores)):
            raise ValueError("a score is not a number")
        if len(self._ids) != n_pieces or not 0 <= self._unknown < n_pieces:
            raise ValueError("a piece is listed twice, or the unknown one is not listed")
        if any(self._ids.get(name) != index for name, index in self._added.items()):
            raise ValueError("an added piece is not in the vocabulary")
        self._unknown_score = min(self._scores) - UNKNOWN_PENALTY
        # The longest piece that ends with a character and the one before it.
        self._longest = {name[-2:]: len(name) for name in sorted(names, key=len)}
        self._apart = re.compile(f"({'|'.join(sorted(map(re.escape, self._added), reverse=True))})")
        self.special = frozenset(piece["id"] for piece in added if piece["special"])
        setup.update(added_tokens=[], truncation=None, padding=None)
        setup["model"] = {"type": "Unigram", "unk_id": 0, "vocab": [[names[self._unknown], 0.0]]}
        try:
            self.tokenizer = Tokenizer.from_str(json.dumps(setup))
        except Exception as err:  # the library raises no narrower class
            raise ValueError(str(err)) from err
        self._normalizer = self.tokenizer.normalizer
        self._splitter = self.tokenizer.pre_tokenizer

    def id_of(self, piece: str) -> int | None:
        """Give a piece's id; None for what is no piece."""
        return self._ids.get(piece)

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
        ids, scores, longest, unknown = self._ids, self._scores, self._longest, self._unknown
        # For each place the best score up to it, and the piece that ends there.
        best, begins, pieces = [0.0], [0], [unknown]
        for end in range(1, len(text) + 1):
            most = longest.get(text[end - 2 if end > 1 else 0 : end], 1)
            top, begin, chosen = WORST, end - 1, unknown
            piece = None
            for start in range(end - most if end > most else 0, end):
                piece = ids.get(text[start:end])
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
