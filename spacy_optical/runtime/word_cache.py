"""A memory of words that were met lately, of bounded size."""

from array import array


class WordCache:
    """Remembers the pieces of words in two generations: what is asked for again outlives the rest.

    The young generation becomes the old one when it is full, and the old one is forgotten; a word
    that is found in the old one is young again. This keeps what is used often, as counting uses
    would, at the price of a dictionary. Pieces are held as bytes: a tuple and its numbers take
    three times the room. Threads may share one: at worst a word is cut twice.

    size (int): Words of a generation; twice as many are remembered at the most.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._young: dict[str, bytes] = {}
        self._old: dict[str, bytes] = {}

    def __len__(self) -> int:
        """How many words there are, those of both generations twice."""
        return len(self._young) + len(self._old)

    def get(self, word: str) -> tuple[int, ...] | None:
        """Give a word's pieces; None if it is not remembered."""
        held = self._young.get(word)
        if held is None:
            held = self._old.get(word)
            if held is None:
                return None
            self._hold(word, held)
        return tuple(memoryview(held).cast("I"))

    def put(self, word: str, pieces: tuple[int, ...]) -> None:
        """Remember a word.

        word (str): The word.
        pieces (Tuple[int, ...]): Its pieces.
        """
        self._hold(word, array("I", pieces).tobytes())

    def _hold(self, word: str, held: bytes) -> None:
        young = self._young  # another thread may begin a new generation meanwhile
        if len(young) >= self.size:
            self._old, self._young = young, {}
            young = self._young
        young[word] = held
