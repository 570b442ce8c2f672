"""Windows, batches and the arrays that the graph takes."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from spacy_optical.errors import OpticalError
from spacy_optical.runtime.batching import (
    MULTIPLE,
    Window,
    batches,
    pack,
    padded_length,
    read_windows,
    windows,
)
from spacy_optical.runtime.pieces import WordPieces

from ..util import toy_tokenizer

CUTTER = WordPieces(toy_tokenizer())  # <s> is 0, </s> 2, <pad> 1
COUNTS = st.lists(st.integers(1, 12), max_size=80)


@given(COUNTS, st.integers(1, 30), st.integers(0, 40))
def test_every_word_is_kept_once_and_no_window_is_too_long(
    counts: list[int], max_pieces: int, overlap: int
) -> None:
    found = windows(counts, max_pieces, overlap)
    kept = [at for window in found for at in range(window.keep_start, window.keep_end)]
    assert kept == list(range(len(counts)))
    for window in found:
        assert 0 <= window.start <= window.keep_start <= window.keep_end <= window.end
        assert window.end <= len(counts)
        read = [min(count, max_pieces) for count in counts[window.start : window.end]]
        assert 0 < sum(read) <= max_pieces


@given(st.lists(st.integers(1, 3), min_size=1, max_size=200), st.integers(20, 40))
@example([1, 1, 1, 3, 3, 3, 1, 2, 3, 1, 1, 1], 20)
def test_kept_words_have_context_on_both_sides(counts: list[int], max_pieces: int) -> None:
    overlap = 12
    for window in windows(counts, max_pieces, overlap):
        # Half of what neighbours may share, which is at most half a window, less what rounding to
        # words of up to 3 pieces can cost.
        least = min(overlap, max_pieces // 2) // 2 - 3
        if window.start > 0:
            assert sum(counts[window.start : window.keep_start]) >= least
        if window.end < len(counts):
            assert sum(counts[window.keep_end : window.end]) >= least


def test_windows_by_hand() -> None:
    assert windows([], 10, 4) == []
    assert windows([1] * 10, 10, 4) == [Window(0, 10, 0, 10)]
    assert windows([1] * 14, 10, 4) == [Window(0, 10, 0, 8), Window(6, 14, 8, 14)]
    assert windows([1] * 20, 10, 0) == [Window(0, 10, 0, 10), Window(10, 20, 10, 20)]
    assert windows([99], 10, 4) == [Window(0, 1, 0, 1)]


@pytest.mark.parametrize(("max_pieces", "overlap"), [(0, 0), (-3, 1), (5, -1)])
def test_windows_refuse_impossible_sizes(max_pieces: int, overlap: int) -> None:
    with pytest.raises(OpticalError):
        windows([1, 2], max_pieces, overlap)


@given(st.lists(st.integers(1, 64), max_size=60), st.integers(1, 512))
def test_batches_hold_every_row_once_and_stay_small(lengths: list[int], most: int) -> None:
    lengths = [min(padded_length(length), 60) for length in lengths]
    found = list(batches(lengths, most))
    assert sorted(row for batch in found for row in batch) == list(range(len(lengths)))
    for batch in found:
        assert len({lengths[row] for row in batch}) == 1
        assert len(batch) == 1 or len(batch) * lengths[batch[0]] <= most


@given(st.integers(1, 512))
def test_padded_length(n_pieces: int) -> None:
    padded = padded_length(n_pieces)
    assert padded % MULTIPLE == 0
    assert 0 <= padded - n_pieces < MULTIPLE


def test_pack_by_hand() -> None:
    packed = pack([[(7,), (8, 9), (10,)], [(11, 12)]], CUTTER, 8)
    assert packed.input_ids.tolist() == [[0, 7, 8, 9, 10, 2, 1, 1], [0, 11, 12, 2, 1, 1, 1, 1]]
    assert packed.attention_mask.tolist() == [[1] * 6 + [0] * 2, [1] * 4 + [0] * 4]
    assert packed.first_pieces.tolist() == [[1, 2, 4] + [0] * 5, [1] + [0] * 7]


@given(st.lists(st.lists(st.lists(st.integers(5, 99), min_size=1, max_size=4).map(tuple))))
def test_pack_keeps_what_it_is_given(rows: list[list[tuple[int, ...]]]) -> None:
    packed = pack(rows, CUTTER, max((sum(map(len, row)) for row in rows), default=0) + 2)
    assert packed.first_pieces.shape[1] % MULTIPLE == 0
    for at, row in enumerate(rows):
        size = packed.attention_mask[at].sum()
        ids = packed.input_ids[at]
        assert ids[:size].tolist() == [0, *(piece for word in row for piece in word), 2]
        assert (ids[size:] == 1).all()
        assert not packed.attention_mask[at, size:].any()
        places = packed.first_pieces[at]
        assert ids[places[: len(row)]].tolist() == [word[0] for word in row]
        assert not places[len(row) :].any()


def test_pack_needs_a_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CUTTER, "prefix", ())
    with pytest.raises(OpticalError, match="prefix"):
        pack([[(5,)]], CUTTER, 2)


def test_pack_types() -> None:
    packed = pack([], CUTTER, 2)
    for array in (packed.input_ids, packed.attention_mask, packed.first_pieces):
        assert array.dtype == np.int64
        assert array.shape[0] == 0


@given(
    st.lists(st.lists(st.integers(1, 20), max_size=40), max_size=5),
    st.booleans(),
    st.integers(1, 9),
)
def test_every_word_is_read_once_in_rows_that_fit(
    lengths: list[list[int]], alone: bool, overlap: int
) -> None:
    """The reader tells words apart by their first piece."""
    names = iter(range(1, 1000))
    texts = [[(next(names),) + (0,) * (n - 1) for n in text] for text in lengths]
    most = 12

    def read(rows: list, length: int):
        assert (len(rows) == 1) if alone else (len(rows) * length <= 48 or len(rows) == 1)
        for row in rows:
            read_pieces = sum(map(len, row)) + 2
            assert length == (read_pieces if alone else min(padded_length(read_pieces), most))
            assert length <= most
            yield np.array([[pieces[0], len(pieces)] for pieces in row], dtype=np.float32)

    found = read_windows(
        texts,
        read,
        2,
        max_pieces=most,
        special=2,
        overlap=overlap,
        max_batch_pieces=48,
        alone=alone,
    )
    assert [array.tolist() for array in found] == [
        [[word[0], min(len(word), most - 2)] for word in text] for text in texts
    ]
