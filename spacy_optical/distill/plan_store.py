"""Arrays of different lengths in one memory-mapped file, read without loading the rest.

A stem has two files in NumPy's format: `.npy` with the rows of all items, one after the other, and
`.offsets.npy` with where each begins. They are written item by item; NumPy leaves room in a header
for the number of rows to grow, so a file can be continued where it was cut.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import DTypeLike

from ..errors import Errors, OpticalError

# A cell of a plan; no window is longer than 32,767 words.
CELL = np.dtype([("row", "<i2"), ("column", "<i2"), ("mass", "<f2")])
_BLOCK = 1 << 16


class Ragged:
    """Rows of several items, one after the other: item i is `values[offsets[i]:offsets[i + 1]]`."""

    def __init__(self, values: np.ndarray, offsets: np.ndarray) -> None:
        self.values = values
        self.offsets = offsets

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> np.ndarray:
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self.values[self.offsets[index] : self.offsets[index + 1]]

    def sum(self) -> np.ndarray:
        """Add all rows up in double precision, a block at a time."""
        starts = range(0, len(self.values), _BLOCK)
        blocks = (self.values[at : at + _BLOCK].sum(axis=0, dtype=np.float64) for at in starts)
        return sum(blocks, np.zeros(self.values.shape[1:]))


class Words(Sequence[tuple[str, ...]]):
    """Sentences as words, decoded from a `Ragged` of UTF-8 bytes when they are asked for."""

    def __init__(self, text: Ragged) -> None:
        self._text = text

    def __len__(self) -> int:
        return len(self._text)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        text = self._text[index].tobytes().decode("utf8")
        return tuple(text.split("\n")) if text else ()


def words_as_bytes(words: Sequence[str]) -> np.ndarray:
    """Give the bytes that `Words` reads; spaCy's words hold no white space, so lines part them."""
    return np.frombuffer("\n".join(words).encode("utf8"), dtype=np.uint8)


def sparse(matrix: np.ndarray) -> np.ndarray:
    """Give the cells of a plan that hold something in half precision.

    matrix (ndarray): [m, n].
    RETURNS (ndarray): [cells], of dtype `CELL`, row by row.
    """
    half = matrix.astype(np.float16)
    rows, columns = np.nonzero(half)
    cells = np.empty(len(rows), dtype=CELL)
    cells["row"], cells["column"], cells["mass"] = rows, columns, half[rows, columns]
    return cells


def dense(cells: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Give the plan that `sparse` took apart: [m, n], float32."""
    matrix = np.zeros(shape, dtype=np.float32)
    matrix[cells["row"], cells["column"]] = cells["mass"]
    return matrix


class RaggedWriter:
    """Writes arrays that differ only in their first dimension.

    stem (Path): The path without ending; `.npy` and `.offsets.npy` are written.
    dtype (DTypeLike): What the rows are kept in.
    shape (Tuple[int, ...]): A row's shape.
    items (int): Continue behind this many items and this many rows; what follows is cut off.
    rows (int): See `items`.
    RAISES (OpticalError): If there is less to continue than `items` and `rows` say.
    """

    def __init__(
        self,
        stem: Path,
        dtype: DTypeLike = np.float16,
        shape: tuple[int, ...] = (),
        *,
        items: int = 0,
        rows: int = 0,
    ) -> None:
        self.dtype, self.shape = np.dtype(dtype), shape
        self.items, self.rows = items, rows
        self._values = _continued(stem.with_suffix(".npy"), self.dtype, shape, rows)
        self._offsets = _continued(
            stem.with_suffix(".offsets.npy"), np.dtype(np.int64), (), items + 1 if items else 0
        )
        if not items:
            self._offsets.write(np.int64(0).tobytes())

    def append(self, items: Iterable[np.ndarray]) -> None:
        """Write items behind the others."""
        ends = []
        for item in items:
            self._values.write(np.ascontiguousarray(item, dtype=self.dtype).tobytes())
            self.rows += len(item)
            ends.append(self.rows)
        self._offsets.write(np.array(ends, dtype=np.int64).tobytes())
        self.items += len(ends)

    def flush(self) -> None:
        """Return when what was appended is on the disk."""
        _write_header(self._values, self.dtype, (self.rows, *self.shape))
        _write_header(self._offsets, np.dtype(np.int64), (self.items + 1,))
        for file in (self._values, self._offsets):
            file.flush()
            os.fsync(file.fileno())

    def close(self) -> None:
        """Close both files."""
        self._values.close()
        self._offsets.close()


def write_ragged(stem: Path, items: Sequence[np.ndarray]) -> None:
    """Write arrays that differ only in their first dimension, in half precision.

    stem (Path): The path without ending; `.npy` and `.offsets.npy` are written.
    items (Sequence[ndarray]): Arrays [n_i, ...], at least one.
    """
    writer = RaggedWriter(stem, shape=items[0].shape[1:])
    writer.append(items)
    writer.flush()
    writer.close()


def read_ragged(stem: Path) -> Ragged:
    """Open what a `RaggedWriter` wrote, memory-mapped.

    stem (Path): The path without ending.
    RETURNS (Ragged): The items.
    RAISES (OpticalError): If a file is missing or cut short.
    """
    try:
        values = np.load(stem.with_suffix(".npy"), mmap_mode="r")
        offsets = np.load(stem.with_suffix(".offsets.npy"), mmap_mode="r")
    except FileNotFoundError as err:
        raise OpticalError(Errors.E002.format(what="plans file", path=err.filename)) from err
    except (ValueError, EOFError, OSError) as err:
        raise OpticalError(Errors.E205.format(path=stem, reason=err)) from err
    if not len(offsets) or offsets[-1] != len(values):
        reason = "its rows and offsets do not belong together"
        raise OpticalError(Errors.E205.format(path=stem, reason=reason))
    return Ragged(values, offsets)


def _continued(path: Path, dtype: np.dtype, shape: tuple[int, ...], rows: int) -> BinaryIO:
    """Open a file for writing behind its header and this many rows."""
    file = path.open("r+b" if rows else "wb")
    start = _write_header(file, dtype, (rows, *shape))
    end = start + rows * dtype.itemsize * int(np.prod(shape, dtype=np.int64))
    if file.seek(0, os.SEEK_END) < end:
        file.close()
        raise OpticalError(Errors.E205.format(path=path, reason=f"it has less than {end} bytes"))
    file.seek(end)
    file.truncate()
    return file


def _write_header(file: BinaryIO, dtype: np.dtype, shape: tuple[int, ...]) -> int:
    """Write a header, whose length does not depend on the number of rows, and go to the end."""
    file.seek(0)
    header = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    npy.write_array_header_1_0(file, header)
    start = file.tell()
    file.seek(0, os.SEEK_END)
    return start
