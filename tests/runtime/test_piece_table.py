"""The table of pieces, against a dictionary."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_optical.runtime.piece_table import ENDING, LONGEST, PieceTable

PIECES = st.lists(st.text(st.characters(), max_size=4), unique=True, max_size=40)


@given(PIECES, st.lists(st.text(st.characters(), max_size=4), max_size=20))
def test_finds_what_a_dictionary_finds(pieces: list[str], others: list[str]) -> None:
    table = PieceTable(pieces)
    expected = {piece: number for number, piece in enumerate(pieces)}
    assert len(table) == len(pieces)
    assert [table[number] for number in range(len(table))] == pieces
    for text in [*pieces, *others, *(a + b for a, b in pairwise(pieces))]:
        assert table.get(text) == expected.get(text)


@given(PIECES)
def test_every_long_piece_has_a_length_that_its_ending_may_have(pieces: list[str]) -> None:
    table = PieceTable(pieces)
    for piece in pieces:
        if len(piece) >= ENDING:
            found = table.lengths(piece[-ENDING:])
            assert len(piece) in found
            assert list(found) == sorted(set(found), reverse=True)


def test_lengths_by_hand() -> None:
    table = PieceTable(["ing", "king", "making", "ed", "x"])
    assert table.lengths("ing") == (6, 4, 3)


def test_texts_that_share_a_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces of one hash are told apart by their text."""
    monkeypatch.setattr("spacy_optical.runtime.piece_table.hash", lambda text: 7, raising=False)
    pieces = ["a", "ab", "b", "", "\U0001f600", "\ud800"]
    table = PieceTable(pieces)
    assert [table.get(piece) for piece in pieces] == [0, 1, 2, 3, 4, 5]
    assert table.get("c") is None


@pytest.mark.parametrize("pieces", [["a", "b", "a"], ["", ""], ["x" * (LONGEST + 1)]])
def test_refused(pieces: list[str]) -> None:
    with pytest.raises(ValueError, match="a piece is"):
        PieceTable(pieces)


def test_the_longest_that_is_allowed() -> None:
    assert PieceTable(["x" * LONGEST]).lengths("xxx") == (LONGEST,)
