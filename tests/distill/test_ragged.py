from pathlib import Path

import numpy as np
import pytest

from spacy_optical.distill.ragged import read_ragged, write_ragged
from spacy_optical.errors import OpticalError

ITEMS = [np.ones((2, 3)), np.zeros((0, 3)), np.full((1, 3), 0.25)]


def test_round_trip(tmp_path: Path):
    write_ragged(tmp_path / "sw-plan", ITEMS)
    found = read_ragged(tmp_path / "sw-plan")
    assert len(found) == 3
    assert isinstance(found.values, np.memmap)
    for i, item in enumerate(ITEMS):
        np.testing.assert_array_equal(found[i], item)


def test_missing(tmp_path: Path):
    with pytest.raises(OpticalError, match=r"E002.*sw-plan\.npy"):
        read_ragged(tmp_path / "sw-plan")


@pytest.mark.parametrize("name", ["sw-plan.npy", "sw-plan.offsets.npy"])
@pytest.mark.parametrize("kept", [0, 3, -1])
def test_cut_short(tmp_path: Path, name: str, kept: int):
    write_ragged(tmp_path / "sw-plan", ITEMS)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[:kept])
    with pytest.raises(OpticalError, match="E205"):
        read_ragged(tmp_path / "sw-plan")
