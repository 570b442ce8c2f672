"""A vocabulary as one string and a few arrays: a tenth of the memory of a dictionary of strings."""

from array import array
from collections.abc import Iterable
from itertools import accumulate

FREE = -1
# Of the slots at most half are taken, so that a search ends after one or two of them.
SLOTS_PER_PIECE = 2
# How many of a piece's last characters tell how long it can be.
ENDING = 3


class PieceTable:
    """Finds a piece's number by its text: a hash table with open addressing and linear probing
    (Knuth, The Art of Computer Programming 3, 6.4, algorithm L).

    text (str): All pieces, one behind the other; the first has the number 0.
    sizes (Iterable[int]): How many characters each has.
    RAISES (ValueError): If a piece is there twice.
    """

    def __init__(self, text: str, sizes: Iterable[int]) -> None:
        self._text = text
        self._starts = array("i", accumulate(sizes, initial=0))
        size = 1 << (SLOTS_PER_PIECE * len(self)).bit_length()
        self._mask = size - 1
        self._slots = array("i", [FREE]) * size
        # Which lengths an ending has; there are few different sets of them.
        self._lengths: list[tuple[int, ...]] = [()]
        self._which = array("H", [0]) * size
        numbers: dict[tuple[int, ...], int] = {(): 0}
        for number in range(len(self)):
            piece = self[number]
            if self.get(piece) is not None:
                raise ValueError("a piece is listed twice")
            slot = hash(piece) & self._mask
            while self._slots[slot] != FREE:
                slot = slot + 1 & self._mask
            self._slots[slot] = number
            if len(piece) >= ENDING:
                slot = hash(piece[-ENDING:]) & self._mask
                known = {*self._lengths[self._which[slot]], len(piece)}
                lengths = tuple(sorted(known, reverse=True))
                self._which[slot] = numbers.setdefault(lengths, len(numbers))
                if len(numbers) > len(self._lengths):
                    self._lengths.append(lengths)

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
            slot = slot + 1 & self._mask
        return None

    def lengths(self, ending: str) -> tuple[int, ...]:
        """Give the lengths that pieces of at least three characters may have, by how they end.

        ending (str): The last three characters.
        RETURNS (Tuple[int, ...]): The longest first. Other endings may share the answer, so not
            every length has a piece; but no piece has another.
        """
        return self._lengths[self._which[hash(ending) & self._mask]]
