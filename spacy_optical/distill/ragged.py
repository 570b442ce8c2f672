"""Arrays of different lengths in one memory-mapped file, read without loading the rest."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..errors import Errors, OpticalError


class Ragged:
    """Rows of several items, one after the other: item i is `values[offsets[i]:offsets[i + 1]]`."""

    def __init__(self, values: np.ndarray, offsets: np.ndarray) -> None:
        self.values = values
        self.offsets = offsets

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> np.ndarray:
        return self.values[self.offsets[index] : self.offsets[index + 1]]


def write_ragged(stem: Path, items: Sequence[np.ndarray]) -> None:
    """Write arrays that differ only in their first dimension, in half precision.

    stem (Path): The path without ending; `.npy` and `.offsets.npy` are written.
    items (Sequence[ndarray]): Arrays [n_i, ...].
    """
    offsets = np.cumsum([0, *(len(item) for item in items)], dtype=np.int64)
    np.save(stem.with_suffix(".npy"), np.concatenate(items).astype(np.float16))
    np.save(stem.with_suffix(".offsets.npy"), offsets)


def read_ragged(stem: Path) -> Ragged:
    """Open what `write_ragged` wrote, memory-mapped.

    stem (Path): The path without ending.
    RETURNS (Ragged): The items.
    RAISES (OpticalError): If a file is missing or cut short.
    """
    try:
        values = np.load(stem.with_suffix(".npy"), mmap_mode="r")
        offsets = np.load(stem.with_suffix(".offsets.npy"))
    except FileNotFoundError as err:
        raise OpticalError(Errors.E002.format(what="plans file", path=err.filename)) from err
    except (ValueError, EOFError, OSError) as err:
        raise OpticalError(Errors.E205.format(path=stem, reason=err)) from err
    return Ragged(values, offsets)
