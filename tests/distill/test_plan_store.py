import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from safetensors.numpy import save_file

from spacy_optical.distill.plan_store import (
    ArrayStore,
    bytes_of,
    chunk_path,
    dense,
    sparse,
    words_of,
    write_chunk,
)
from spacy_optical.errors import OpticalError

WORDS = [("Bibi", "ALIFIKA", "."), (), ("\u0928\u0947", "\U0001f600")]
VECTORS = [np.ones((2, 3)), np.zeros((0, 3)), np.full((1, 3), 0.25)]
SENTENCES = [
    {"words": bytes_of(words), "last": vectors.astype(np.float16), "none": np.empty((0, 2))}
    for words, vectors in zip(WORDS, VECTORS, strict=True)
]


@pytest.fixture
def store(tmp_path: Path) -> ArrayStore:
    """Two chunks, of three sentences and of six."""
    write_chunk(chunk_path(tmp_path, "sw", 0), SENTENCES)
    write_chunk(chunk_path(tmp_path, "sw", 1), SENTENCES[::-1] * 2)
    return ArrayStore(tmp_path, "sw")


def test_round_trip(store: ArrayStore):
    assert len(store) == 9
    for found, written in zip(store, [*SENTENCES, *SENTENCES[::-1] * 2], strict=True):
        assert set(found) == set(written)
        for name, array in written.items():
            np.testing.assert_array_equal(found[name], array)
    with pytest.raises(IndexError):
        store[9]


def test_words_and_sum(store: ArrayStore):
    assert list(store.words("words")) == [*WORDS, *WORDS[::-1] * 2]
    total, rows = store.sum("last")
    assert rows == 9
    np.testing.assert_allclose(total, np.full(3, 6.75))


def test_the_same_sentences_give_the_same_bytes(tmp_path: Path, store: ArrayStore):
    write_chunk(tmp_path / "again", SENTENCES)
    assert (tmp_path / "again").read_bytes() == chunk_path(tmp_path, "sw", 0).read_bytes()


def test_a_chunk_is_flushed_through_a_file_that_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # A read-only file is flushed on Linux and refused on Windows; writing to it fails on both.
    monkeypatch.setattr("os.fsync", lambda file: os.write(file, b""))
    write_chunk(tmp_path / "chunk", SENTENCES)
    assert (tmp_path / "chunk").is_file()


def test_missing(tmp_path: Path):
    with pytest.raises(OpticalError, match=r"E002.*sw-00000\.safetensors"):
        ArrayStore(tmp_path, "sw")


@pytest.mark.parametrize("kept", [0, 3, -1])
def test_cut_short(tmp_path: Path, store: ArrayStore, kept: int):
    path = chunk_path(tmp_path, "sw", 1)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(OpticalError, match=r"E205.*sw-00001"):
        ArrayStore(tmp_path, "sw")


@given(
    arrays(np.float64, st.tuples(st.integers(1, 40), st.integers(1, 40)), elements=st.floats(0, 1))
)
def test_sparse_plan_is_the_dense_one_in_half_precision(plan: np.ndarray):
    np.testing.assert_array_equal(dense(sparse(plan), plan.shape), plan.astype(np.float16))


def test_a_plan_of_the_longest_window():
    plan = np.zeros((512, 512))
    plan[511, 510] = 0.5
    np.testing.assert_array_equal(dense(sparse(plan), plan.shape), plan)


@given(st.lists(st.text("a\u0928\U0001f600", min_size=1)))
def test_words_round_trip(words: list[str]):
    assert words_of(bytes_of(words)) == tuple(words)


@pytest.mark.parametrize("arrays", [{}, {"last": np.ones((2, 3))}])
def test_files_of_another_program(tmp_path: Path, arrays: dict[str, np.ndarray]):
    save_file(arrays, chunk_path(tmp_path, "sw", 0))
    with pytest.raises(OpticalError, match=r"E205.*sw-00000"):
        ArrayStore(tmp_path, "sw")
