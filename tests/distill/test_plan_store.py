from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spacy_optical.distill.plan_store import (
    CELL,
    RaggedWriter,
    Words,
    dense,
    read_ragged,
    sparse,
    words_as_bytes,
    write_ragged,
)
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


@pytest.mark.parametrize("behind", [b"", b"left by a killed run"])
def test_continued_equals_written_at_once(tmp_path: Path, behind: bytes):
    write_ragged(tmp_path / "whole", ITEMS * 40)
    writer = RaggedWriter(tmp_path / "parts", shape=(3,))
    for part in range(40):
        writer.append(ITEMS)
        if part % 7 == 3:
            writer.flush()
            items, rows = writer.items, writer.rows
            writer.append(ITEMS[:part])
            writer.close()
            for end in (".npy", ".offsets.npy"):
                path = tmp_path / f"parts{end}"
                path.write_bytes(path.read_bytes() + behind)
            writer = RaggedWriter(tmp_path / "parts", shape=(3,), items=items, rows=rows)
    writer.flush()
    writer.close()
    for end in (".npy", ".offsets.npy"):
        assert (tmp_path / f"parts{end}").read_bytes() == (tmp_path / f"whole{end}").read_bytes()


def test_less_than_there_should_be(tmp_path: Path):
    write_ragged(tmp_path / "sw-plan", ITEMS)
    with pytest.raises(OpticalError, match=r"E205.*sw-plan\.npy.*less than"):
        RaggedWriter(tmp_path / "sw-plan", shape=(3,), items=3, rows=4)


def test_offsets_of_other_rows(tmp_path: Path):
    write_ragged(tmp_path / "sw-plan", ITEMS)
    np.save(tmp_path / "sw-plan.npy", np.zeros((4, 3)))
    with pytest.raises(OpticalError, match=r"E205.*do not belong together"):
        read_ragged(tmp_path / "sw-plan")


def test_sum(tmp_path: Path):
    write_ragged(tmp_path / "sw-source", ITEMS * 30_000)  # more than one block
    np.testing.assert_allclose(read_ragged(tmp_path / "sw-source").sum(), np.full(3, 67_500.0))


@given(
    arrays(np.float64, st.tuples(st.integers(1, 40), st.integers(1, 40)), elements=st.floats(0, 1))
)
def test_sparse_plan_is_the_dense_one_in_half_precision(plan: np.ndarray):
    np.testing.assert_array_equal(dense(sparse(plan), plan.shape), plan.astype(np.float16))


def test_sparse_plan_on_disk(tmp_path: Path):
    plans = [np.eye(3) / 3, np.zeros((2, 5)), np.full((1, 2), 0.5)]
    writer = RaggedWriter(tmp_path / "sw-plan", CELL)
    writer.append(map(sparse, plans))
    writer.flush()
    writer.close()
    found = read_ragged(tmp_path / "sw-plan")
    assert len(found.values) == 5
    for plan, cells in zip(plans, found, strict=True):
        np.testing.assert_array_equal(dense(cells, plan.shape), plan.astype(np.float16))


def test_words_round_trip(tmp_path: Path):
    sentences = [("Bibi", "ALIFIKA", "."), ("\u0928\u0947",), ("a", "\U0001f600")]
    writer = RaggedWriter(tmp_path / "sw-words", np.uint8)
    writer.append(map(words_as_bytes, sentences))
    writer.flush()
    writer.close()
    found = Words(read_ragged(tmp_path / "sw-words"))
    assert list(found) == sentences
    assert found[-1] == sentences[-1]
    assert found[1:] == sentences[1:]
