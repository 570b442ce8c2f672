"""Arrays of many sentences in chunks on disk. Each chunk is a memory-mapped safetensors file.

In `NAME-00012.safetensors`, an array has the rows of all sentences of the chunk, and `ARRAY.ends`
has the end of each sentence's rows.
"""

import os
from bisect import bisect_right
from collections.abc import Iterator, Sequence
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
    """Get the path of a chunk, counted from 0."""
    return folder / f"{name}-{number:05}.safetensors"


def write_chunk(path: Path, sentences: Sequence[Arrays]) -> None:
    """Write a chunk and flush it to disk.

    path (Path): The file; see `chunk_path`.
    sentences (Sequence[Dict[str, ndarray]]): At least one sentence. All have the same arrays, which
        can differ in their number of rows.
    RAISES (OpticalError): If it cannot be written.
    """
    tensors = {}
    for name in sentences[0]:
        items = [sentence[name] for sentence in sentences]
        tensors[name] = np.concatenate(items)
        tensors[name + ENDS] = np.cumsum([len(item) for item in items], dtype=np.int32)
    with written_whole(path) as temporary:
        try:
            save_file(tensors, temporary)
        except SafetensorError as err:  # safetensors hides the system's error
            raise OSError(str(err)) from err
        with temporary.open("rb+") as file:  # Windows flushes only writable files
            os.fsync(file.fileno())


class ArrayStore(Sequence[Arrays]):
    """The sentences of all chunks with a name. The arrays are read on access.

    folder (Path): The folder of the chunks.
    name (str): Their name, such as the code of a language.
    RAISES (OpticalError): If there is no chunk, or one is damaged.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._files: list[Any] = []
        self._ends: list[Arrays] = []
        self._starts = [0]
        while (path := chunk_path(folder, name, len(self._files))).is_file():
            try:
                file = safe_open(path, framework="np")
                arrays = [key for key in file.keys() if not key.endswith(ENDS)]  # noqa: SIM118
                ends = {key: np.append(0, file.get_tensor(key + ENDS)) for key in arrays}
                count = len(ends[arrays[0]]) - 1
            except (SafetensorError, OSError, IndexError) as err:
                raise OpticalError(Errors.E205.format(path=path, reason=err)) from err
            self._files.append(file)
            self._ends.append(ends)
            self._starts.append(self._starts[-1] + count)
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
            # safetensors cannot slice an array without rows.
            empty = np.empty((0, *values.get_shape()[1:]), np.float16)
            arrays[name] = values[start:end] if start < end else empty
        return arrays

    def words(self, name: str) -> Iterator[tuple[str, ...]]:
        """Read the words of each sentence, one chunk at a time. The array is as from `bytes_of`."""
        for file, ends in zip(self._files, self._ends, strict=True):
            for text in np.split(file.get_tensor(name), ends[name][1:-1]):
                yield words_of(text)

    def sum(self, name: str) -> tuple[np.ndarray, int]:
        """Compute the sum of all rows of an array in float64, and their number."""
        sums = [file.get_tensor(name).sum(axis=0, dtype=np.float64) for file in self._files]
        return np.sum(sums, axis=0), sum(int(ends[name][-1]) for ends in self._ends)


def bytes_of(words: Sequence[str]) -> np.ndarray:
    """Encode words as UTF-8, separated by line feeds; no word has whitespace."""
    return np.frombuffer("\n".join(words).encode("utf8"), dtype=np.uint8)


def words_of(text: np.ndarray) -> tuple[str, ...]:
    """Decode the words from `bytes_of`."""
    return tuple(text.tobytes().decode("utf8").split("\n")) if len(text) else ()


def sparse(matrix: np.ndarray) -> np.ndarray:
    """Get the cells of a plan that are not 0 in float16.

    matrix (ndarray): The plan, [m, n], with at most 512 rows and columns.
    RETURNS (ndarray): Row, column and mass of each cell, [cells, 3], float16.
    """
    half = matrix.astype(np.float16)
    rows, columns = np.nonzero(half)
    return np.column_stack((rows, columns, half[rows, columns])).astype(np.float16)


def dense(cells: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Make the plan [m, n], float32, from the cells of `sparse`."""
    matrix = np.zeros(shape, dtype=np.float32)
    matrix[cells[:, 0].astype(int), cells[:, 1].astype(int)] = cells[:, 2]
    return matrix
