"""Long texts to windows, windows to padded batches of bounded size."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import Errors, OpticalError
from .pieces import WordPieces

# Rows are padded to a multiple of this, never to their neighbours' length: a row's padded shape
# then depends on the row alone, and so do its floating-point sums. It also bounds the number of
# shapes that ONNX Runtime meets.
MULTIPLE = 8

# The pieces of each word of a window.
Row = Sequence[tuple[int, ...]]


class Window(NamedTuple):
    """A run of words that the model reads at once, and the part of it whose scores count.

    start (int): First word read.
    end (int): One past the last word read.
    keep_start (int): First word whose scores are kept.
    keep_end (int): One past the last word whose scores are kept.
    """

    start: int
    end: int
    keep_start: int
    keep_end: int


class Packed(NamedTuple):
    """The three inputs of the graph.

    input_ids (NDArray[int64]): Piece ids, [batch, pieces].
    attention_mask (NDArray[int64]): 1 for a piece, 0 for padding, [batch, pieces].
    first_pieces (NDArray[int64]): Where each word's first piece is in its row, [batch, words];
        0 is padding.
    """

    input_ids: NDArray[np.int64]
    attention_mask: NDArray[np.int64]
    first_pieces: NDArray[np.int64]


def windows(piece_counts: Sequence[int], max_pieces: int, overlap: int) -> list[Window]:
    """Cut a text into overlapping windows of whole words.

    Neighbours share up to `overlap` pieces; each keeps its half of what they share, so that a kept
    word has context on both sides. Every word is kept by exactly one window.

    piece_counts (Sequence[int]): Pieces of each word, at least 1; a count above `max_pieces` is
        taken as that.
    max_pieces (int): The most pieces of one window, special pieces not included; at least 1.
    overlap (int): Pieces that neighbours may share; at most half of `max_pieces` is used.
    RETURNS (List[Window]): Windows in order; none for a text without words.
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
        # The next window must hold the word at `end` beside what it shares with this one.
        shared = min(overlap, max_pieces - int(counts[end]))
        following = int(np.searchsorted(before, before[end] - shared, side="left"))
        middle = (int(before[following]) + int(before[end])) // 2
        seam = int(np.searchsorted(before, middle, side="left"))
        found.append(Window(start, end, keep_start, seam))
        start, keep_start = following, seam


def padded_length(n_pieces: int, max_pieces: int) -> int:
    """The length that a row is padded to.

    n_pieces (int): Pieces of the row, special pieces included.
    max_pieces (int): The most that the model takes.
    RETURNS (int): The next multiple of `MULTIPLE`, at most `max_pieces`.
    """
    return min(-(-n_pieces // MULTIPLE) * MULTIPLE, max_pieces)


def batches(lengths: Sequence[int], max_batch_pieces: int) -> Iterator[list[int]]:
    """Group rows of equal padded length, shortest first.

    lengths (Sequence[int]): The padded length of each row.
    max_batch_pieces (int): The most pieces of a batch, padding included; a single row may pass it.
    YIELDS (List[int]): Indices of rows of one length.
    """
    order = np.argsort(np.asarray(lengths, dtype=np.int64), kind="stable")
    batch: list[int] = []
    for row in order.tolist():
        if batch and (
            lengths[row] != lengths[batch[0]] or (len(batch) + 1) * lengths[row] > max_batch_pieces
        ):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


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
    """Read texts of any length with a model that reads windows, in batches of equal length.

    texts (Sequence[Row]): The pieces of each text's words. A word longer than a window is cut.
    read (Callable): Takes rows and the length to pad them to, special pieces included. Returns an
        array [words, width] for each row.
    width (int): Numbers that `read` returns for each word.
    max_pieces (int): The largest number of pieces of a row, special pieces included.
    special (int): Special pieces of each row.
    overlap (int): Pieces that neighbouring windows share, see `windows`.
    max_batch_pieces (int): The largest number of pieces of a batch, see `batches`.
    alone (bool): Read each row alone and without padding.
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
            lengths.append(length if alone else padded_length(length, max_pieces))
    for batch in batches(lengths, 1 if alone else max_batch_pieces):
        arrays = read([rows[at] for at in batch], lengths[batch[0]])
        for at, array in zip(batch, arrays, strict=True):
            index, window = places[at]
            kept = array[window.keep_start - window.start : window.keep_end - window.start]
            found[index][window.keep_start : window.keep_end] = kept
    return found


def pack(rows: Sequence[Row], cutter: WordPieces, length: int) -> Packed:
    """Put rows of words into the arrays that the graph takes.

    rows (Sequence[Row]): For each row the pieces of its words.
    cutter (WordPieces): The tokenizer, for its special pieces. At least one has to stand before a
        row, because position 0 marks padding in `first_pieces`.
    length (int): Pieces to pad to.
    RETURNS (Packed): The arrays; the number of words is padded to a multiple of `MULTIPLE`.
    RAISES (OpticalError): If the tokenizer has no prefix.
    """
    prefix, suffix = cutter.prefix, cutter.suffix
    if not prefix:
        raise OpticalError(Errors.E113.format(path="tokenizer.json", reason="it has no prefix"))
    n_words = max(map(len, rows), default=0)
    n_words = max(-(-n_words // MULTIPLE) * MULTIPLE, MULTIPLE)
    input_ids = np.full((len(rows), length), cutter.pad_id, dtype=np.int64)
    attention_mask = np.zeros((len(rows), length), dtype=np.int64)
    first_pieces = np.zeros((len(rows), n_words), dtype=np.int64)
    for index, row in enumerate(rows):
        ids = [*prefix, *chain.from_iterable(row), *suffix]
        input_ids[index, : len(ids)] = ids
        attention_mask[index, : len(ids)] = 1
        ends = np.cumsum([len(prefix), *map(len, row)])
        first_pieces[index, : len(row)] = ends[:-1]
    return Packed(input_ids, attention_mask, first_pieces)
