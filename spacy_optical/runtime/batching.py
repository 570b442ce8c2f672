"""Divide long texts into windows, and windows into padded batches of limited size."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import Errors, OpticalError
from .pieces import WordPieces

# Rows are padded to a multiple of this, not to the length of the longest row in the batch. The
# shape of a row, and with it the rounding of its sums, then does not depend on other rows. It also
# limits the number of shapes that ONNX Runtime sees.
MULTIPLE = 8

# The pieces of each word of a window.
Row = Sequence[tuple[int, ...]]


class Window(NamedTuple):
    """A range of words that the model gets at once, and the part of it whose scores are kept.

    start, end (int): The words of the window.
    keep_start, keep_end (int): The words whose scores are kept.
    """

    start: int
    end: int
    keep_start: int
    keep_end: int


class Packed(NamedTuple):
    """The three inputs of the graph.

    input_ids (NDArray[int64]): Piece ids, [batch, pieces].
    attention_mask (NDArray[int64]): 1 for a piece, 0 for padding, [batch, pieces].
    first_pieces (NDArray[int64]): The position of each word's first piece in its row,
        [batch, words]; 0 is padding.
    """

    input_ids: NDArray[np.int64]
    attention_mask: NDArray[np.int64]
    first_pieces: NDArray[np.int64]


def windows(piece_counts: Sequence[int], max_pieces: int, overlap: int) -> list[Window]:
    """Divide a text into overlapping windows of whole words.

    Two consecutive windows share up to `overlap` pieces, and each keeps half of them, so that a
    kept word has context on both sides. Every word is kept by exactly one window.

    piece_counts (Sequence[int]): The number of pieces of each word, at least 1. A count above
        `max_pieces` counts as `max_pieces`.
    max_pieces (int): The maximum number of pieces in a window, without special pieces; at least 1.
    overlap (int): The maximum number of shared pieces. At most half of `max_pieces` is used.
    RETURNS (List[Window]): The windows in order; empty for a text without words.
    RAISES (OpticalError): If `max_pieces` or `overlap` is too small.
    """
    if max_pieces < 1:
        raise OpticalError(Errors.E114.format(name="max_pieces", value=max_pieces, expected="≥ 1"))
    if overlap < 0:
        raise OpticalError(Errors.E114.format(name="overlap", value=overlap, expected="≥ 0"))
    n_words = len(piece_counts)
    if sum(piece_counts) <= max_pieces:
        return [Window(0, n_words, 0, n_words)] if n_words else []
    overlap = min(overlap, max_pieces // 2)
    counts = np.clip(np.asarray(piece_counts, dtype=np.int64), 1, max_pieces)
    # before[i]: pieces before word i
    before = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(counts)))
    found: list[Window] = []
    start = keep_start = 0
    while True:
        end = int(np.searchsorted(before, before[start] + max_pieces, side="right")) - 1
        if end == n_words:
            found.append(Window(start, end, keep_start, end))
            return found
        # The next window must have room for the word at `end` after the shared pieces.
        shared = min(overlap, max_pieces - int(counts[end]))
        next_start = int(np.searchsorted(before, before[end] - shared, side="left"))
        middle = (int(before[next_start]) + int(before[end])) // 2
        keep_end = int(np.searchsorted(before, middle, side="left"))
        found.append(Window(start, end, keep_start, keep_end))
        start, keep_start = next_start, keep_end


def padded_length(count: int) -> int:
    """Round a number of pieces or words up to a multiple of `MULTIPLE`."""
    return -(-count // MULTIPLE) * MULTIPLE


def batches(lengths: Sequence[int], max_batch_pieces: int) -> Iterator[list[int]]:
    """Group rows of equal padded length, shortest first.

    lengths (Sequence[int]): The padded length of each row.
    max_batch_pieces (int): The maximum number of pieces in a batch, padding included. A batch of
        one row may be larger.
    YIELDS (List[int]): Indices of rows of the same length.
    """
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    for length, group in groupby(order, key=lengths.__getitem__):
        rows = list(group)
        size = max(max_batch_pieces // length, 1)
        for start in range(0, len(rows), size):
            yield rows[start : start + size]


def read_windows(
    texts: Sequence[Row],
    read: Callable[[list[Row], int], Iterable[NDArray[np.float32]]],
    width: int,
    *,
    max_pieces: int,
    special: int,
    overlap: int,
    max_batch_pieces: int,
    alone: bool = False,
) -> list[NDArray[np.float32]]:
    """Run a model on texts of any length, in windows and in batches of equal length.

    texts (Sequence[Row]): The pieces of each text's words. A word that is longer than a window is
        truncated.
    read (Callable): Runs the model on rows, padded to a length with special pieces included.
        Returns an array [words, width] for each row.
    width (int): The number of values that `read` returns for each word.
    max_pieces (int): The maximum number of pieces of a row, special pieces included.
    special (int): The number of special pieces of each row.
    overlap (int): The number of pieces that two consecutive windows share, see `windows`.
    max_batch_pieces (int): The maximum number of pieces in a batch, see `batches`.
    alone (bool): Whether each row is a batch of its own, without padding.
    RETURNS (List[ndarray]): For each text an array [words, width], float32.
    """
    found = [np.zeros((len(words), width), dtype=np.float32) for words in texts]
    most = max_pieces - special
    rows: list[Row] = []
    places: list[tuple[int, Window]] = []
    lengths: list[int] = []
    for index, words in enumerate(texts):
        cut = [pieces[:most] for pieces in words]
        counts = list(map(len, cut))
        for window in windows(counts, most, overlap):
            rows.append(cut[window.start : window.end])
            places.append((index, window))
            length = sum(counts[window.start : window.end]) + special
            lengths.append(length if alone else min(padded_length(length), max_pieces))
    for batch in batches(lengths, 1 if alone else max_batch_pieces):
        arrays = read([rows[at] for at in batch], lengths[batch[0]])
        for at, array in zip(batch, arrays, strict=True):
            index, window = places[at]
            kept = array[window.keep_start - window.start : window.keep_end - window.start]
            found[index][window.keep_start : window.keep_end] = kept
    return found


def pack(rows: Sequence[Row], tokenizer: WordPieces, length: int) -> Packed:
    """Make the input arrays of the graph from rows of words.

    rows (Sequence[Row]): For each row the pieces of its words.
    tokenizer (WordPieces): The tokenizer, for its special pieces. It needs one at the start of a
        row, because position 0 marks padding in `first_pieces`.
    length (int): The number of pieces to pad to.
    RETURNS (Packed): The arrays. The number of words is padded to a multiple of `MULTIPLE`.
    RAISES (OpticalError): If the tokenizer has no special piece at the start.
    """
    prefix, suffix = tokenizer.prefix, tokenizer.suffix
    if not prefix:
        raise OpticalError(Errors.E113.format(path="tokenizer.json", reason="it has no prefix"))
    n_words = padded_length(max([1, *map(len, rows)]))
    input_ids = np.full((len(rows), length), tokenizer.pad_id, dtype=np.int64)
    attention_mask = np.zeros((len(rows), length), dtype=np.int64)
    first_pieces = np.zeros((len(rows), n_words), dtype=np.int64)
    for index, row in enumerate(rows):
        ids = [*prefix, *chain.from_iterable(row), *suffix]
        input_ids[index, : len(ids)] = ids
        attention_mask[index, : len(ids)] = 1
        ends = np.cumsum([len(prefix), *map(len, row)])
        first_pieces[index, : len(row)] = ends[:-1]
    return Packed(input_ids, attention_mask, first_pieces)
