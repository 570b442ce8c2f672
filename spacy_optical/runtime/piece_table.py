"""A vocabulary as one string and a few arrays: a tenth of the memory of a dictionary of strings."""

from array import array
from collections.abc import Iterable
from io import StringIO
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

FREE = -1
# Of the slots at most half are taken, so that a search ends after one or two of them.
SLOTS_PER_PIECE = 2
# How many of a piece's last characters tell how long it can be.
ENDING = 3
LONGEST = 63


class PieceTable:
    """Finds a piece's number by its text: a hash table with open addressing and linear probing
    (Knuth, The Art of Computer Programming 3, 6.4, algorithm L).

    pieces (Iterable[str]): The pieces, each once; the first has the number 0. They are gone through
        once, and none is kept as it comes.
    RAISES (ValueError): If a piece is there twice, or has more than `LONGEST` characters.
    """

    def __init__(self, pieces: Iterable[str]) -> None:
        text, sizes, hashed, ends = StringIO(), array("i"), array("q"), array("q")
        for piece in pieces:
            text.write(piece)
            sizes.append(len(piece))
            hashed.append(hash(piece))
            ends.append(hash(piece[-ENDING:]))
        self._text = text.getvalue()
        self._starts = array("i", accumulate(sizes, initial=0))
        lengths, hashes, endings = (np.array(found) for found in (sizes, hashed, ends))
        if lengths.max(initial=0) > LONGEST:
            raise ValueError("a piece is too long")
        if self._is_twice(hashes):
            raise ValueError("a piece is listed twice")
        self._mask = (1 << (SLOTS_PER_PIECE * len(self)).bit_length()) - 1
        # In the order of the slots that they want, each takes its own or the one behind the last
        # that was taken; behind all of them is a free one, where a search ends.
        wanted = hashes & self._mask
        order = np.argsort(wanted, kind="stable")
        nth = np.arange(len(self))
        taken = nth + np.maximum.accumulate(wanted[order] - nth)
        slots = np.full(max(self._mask, taken.max(initial=0)) + 2, FREE, dtype=np.int32)
        slots[taken] = order
        self._slots = array("i", slots.tobytes())
        # A bit for each length that pieces of an ending have; there are few different sets of them.
        long = lengths >= ENDING
        bits = np.zeros(self._mask + 1, dtype=np.uint64)
        one = np.uint64(1) << lengths[long].astype(np.uint64)
        np.bitwise_or.at(bits, endings[long] & self._mask, one)
        sets, which = np.unique(bits, return_inverse=True)
        self._which = array("i", which.astype(np.int32).tobytes())
        self._lengths = [
            tuple(length for length in range(LONGEST, 0, -1) if found >> length & 1)
            for found in sets.tolist()
        ]

    def _is_twice(self, hashes: NDArray[np.int64]) -> bool:
        _, which, counts = np.unique(hashes, return_inverse=True, return_counts=True)
        alike = np.flatnonzero(counts[which] > 1).tolist()
        return len({self[number] for number in alike}) < len(alike)

    def __len__(self) -> int:
        """How many pieces there are."""
        return len(self._starts) - 1

    def __getitem__(self, number: int) -> str:
        """Give the piece of a number, from 0 to below the table's length."""
        return self._text[self._starts[number] : self._starts[number + 1]]

    def get(self, piece: str) -> int | None:
        """Give a piece's number; None for what is no piece."""
        slot = hash(piece) & self._mask
        while (number := self._slots[slot]) != FREE:
            if self._text[self._starts[number] : self._starts[number + 1]] == piece:
                return number
            slot += 1
        return None

    def lengths(self, ending: str) -> tuple[int, ...]:
        """Give the lengths that pieces of at least three characters may have, by how they end.

        ending (str): The last three characters.
        RETURNS (Tuple[int, ...]): The longest first. Other endings may share the answer, so not
            every length has a piece; but no piece has another.
        """
        return self._lengths[self._which[hash(ending) & self._mask]]
