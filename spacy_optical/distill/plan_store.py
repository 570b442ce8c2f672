"""Arrays of many sentences on disk, memory-mapped, in a file of safetensors for each chunk of them.

In `NAME-00012.safetensors`, an array has the rows of its sentences one after the other, and
`ARRAY.ends` says where each sentence's rows end. A file is written whole or not at all, so that a
run that was killed continues with the next one.
"""

import os
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from ..errors import Errors, OpticalError
from ..files import written_whole

ENDS = ".ends"
Arrays = dict[str, np.ndarray]


def chunk_path(folder: Path, name: str, number: int) -> Path:
    """Give the path of a chunk, counted from 0."""
    return folder / f"{name}-{number:05}.safetensors"


def write_chunk(path: Path, sentences: Sequence[Arrays]) -> None:
    """Write a chunk, and return when it is on the disk.

    path (Path): The file; see `chunk_path`.
    sentences (Sequence[Dict[str, ndarray]]): At least one sentence. All have the same arrays, which
        differ only in their number of rows.
    """
    tensors = {}
    for name in sentences[0]:
        items = [sentence[name] for sentence in sentences]
        tensors[name] = np.concatenate(items)
        tensors[name + ENDS] = np.cumsum([len(item) for item in items], dtype=np.int32)
    with written_whole(path) as temporary:
        try:
            save_file(tensors, temporary)
        except SafetensorError as err:  # what the library makes of the system's refusal
            raise OSError(str(err)) from err
        with temporary.open("rb+") as file:  # Windows flushes no file that is open only for reading
            os.fsync(file.fileno())


class ArrayStore(Sequence[Arrays]):
    """The sentences of all chunks of a name; their arrays are read when they are asked for.

    folder (Path): The folder of the chunks.
    name (str): Their name.
    RAISES (OpticalError): If there is no chunk, or one is damaged.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._files: list[Any] = []
        self._ends: list[Arrays] = []
        self._starts = [0]
        for number in count():
            path = chunk_path(folder, name, number)
            if not path.is_file():
                break
            try:
                file = safe_open(path, framework="np")
            except (SafetensorError, OSError) as err:
                raise OpticalError(Errors.E205.format(path=path, reason=err)) from err
            arrays = [key for key in file.keys() if not key.endswith(ENDS)]  # noqa: SIM118
            ends = {key: np.append(0, file.get_tensor(key + ENDS)) for key in arrays}
            self._files.append(file)
            self._ends.append(ends)
            self._starts.append(self._starts[-1] + len(ends[arrays[0]]) - 1)
        if not self._files:
            raise OpticalError(Errors.E002.format(what="plans file", path=path))

    def __len__(self) -> int:
        return self._starts[-1]

    def __getitem__(self, index: Any) -> Any:
        if not 0 <= index < len(self):
            raise IndexError(index)
        chunk = bisect_right(self._starts, index) - 1
        row, arrays = index - self._starts[chunk], {}
        for name, ends in self._ends[chunk].items():
            values = self._files[chunk].get_slice(name)
            start, end = ends[row : row + 2].tolist()
            # safetensors cannot slice an array that has no rows at all.
            empty = np.empty((0, *values.get_shape()[1:]), np.float16)
            arrays[name] = values[start:end] if start < end else empty
        return arrays

    def words(self, name: str) -> Iterator[tuple[str, ...]]:
        """Read the words of every sentence, a chunk at a time; see `bytes_of`."""
        for file, ends in zip(self._files, self._ends, strict=True):
            for text in np.split(file.get_tensor(name), ends[name][1:-1]):
                yield words_of(text)

    def sum(self, name: str) -> tuple[np.ndarray, int]:
        """Add up all rows of an array in double precision, and count them."""
        sums = [file.get_tensor(name).sum(axis=0, dtype=np.float64) for file in self._files]
        return np.sum(sums, axis=0), sum(int(ends[name][-1]) for ends in self._ends)


def bytes_of(words: Sequence[str]) -> np.ndarray:
    """Give words as UTF-8, with line feeds between them: spaCy's words hold no white space."""
    return np.frombuffer("\n".join(words).encode("utf8"), dtype=np.uint8)


def words_of(text: np.ndarray) -> tuple[str, ...]:
    """Give the words that `bytes_of` wrote."""
    return tuple(text.tobytes().decode("utf8").split("\n")) if len(text) else ()


def sparse(matrix: np.ndarray) -> np.ndarray:
    """Give the cells of a plan that hold something in half precision.

    matrix (ndarray): [m, n], no longer than a window (512).
    RETURNS (ndarray): Row, column and mass, [cells, 3], float16, row by row.
    """
    half = matrix.astype(np.float16)
    rows, columns = np.nonzero(half)
    return np.column_stack((rows, columns, half[rows, columns])).astype(np.float16)


def dense(cells: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Give the plan that `sparse` took apart: [m, n], float32."""
    matrix = np.zeros(shape, dtype=np.float32)
    matrix[cells[:, 0].astype(int), cells[:, 1].astype(int)] = cells[:, 2]
    return matrix
