"""The word table in four bits."""

import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from onnx import TensorProto, helper, numpy_helper

from spacy_optical.export.table import BLOCK, blocks, pack_word_table, packed, word_lookup


def graph_of(table: np.ndarray):
    """A graph that does nothing but look pieces up."""
    ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "pieces"])
    out = helper.make_tensor_value_info("vectors", TensorProto.FLOAT, None)
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "input_ids"], ["vectors"], name="words")],
        "lookup",
        [ids],
        [out],
        [numpy_helper.from_array(table, "table")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def looked_up(model, ids: np.ndarray) -> np.ndarray:
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"input_ids": ids})[0]


def test_a_block_by_hand():
    row = np.zeros(BLOCK, dtype=np.float32)
    row[:4] = [4.0, -1.0, 0.2, 1.1]  # the largest, 4, becomes -8: a step is -0.5
    numbers, scales = blocks(row[None])
    assert scales.tolist() == [[-0.5]]
    assert numbers[0, :4].tolist() == [-8, 2, 0, -2]


def test_a_table_that_was_in_blocks_comes_through_unchanged():
    rng = np.random.default_rng(0)
    numbers = rng.integers(-8, 8, (50, 2, BLOCK))
    numbers[:, :, 0] = -8  # each block has its largest number, as the layout asks
    scales = rng.uniform(0.001, 0.1, (50, 2, 1)).astype(np.float16).astype(np.float32)
    table = (numbers * scales).astype(np.float32).reshape(50, 2 * BLOCK)
    model = graph_of(table)
    pack_word_table(model)
    ids = np.arange(50).reshape(5, 10)
    assert np.array_equal(looked_up(model, ids), table[ids])


@given(
    arrays(
        np.float32, (7, 4 * BLOCK), elements=st.floats(-100, 100, width=32, allow_subnormal=False)
    )
)
@settings(max_examples=30, deadline=None)
def test_no_number_moves_by_more_than_a_step(table):
    model = graph_of(table)
    pack_word_table(model)
    ids = np.array([[0, 6], [3, 3]])
    step = np.abs(table.reshape(7, -1, BLOCK)).max(-1).repeat(BLOCK, axis=1) / 8
    moved = np.abs(looked_up(model, ids) - table[ids])
    # A whole step at the positive end, which has one number less; half a step elsewhere.
    assert (moved <= step[ids] * 1.01 + 1e-5).all()


def test_halves_share_bytes():
    numbers = np.array([[-8, 7, 0, -1]], dtype=np.int8)
    assert packed(numbers).tolist() == [[0x08 * 16 + 0, 0x7 * 16 + 15]]


@pytest.mark.parametrize("width", [BLOCK, 3 * BLOCK, 100])
def test_odd_widths_stay_as_they_are(width: int):
    table = np.ones((4, width), dtype=np.float32)
    model = graph_of(table)
    assert word_lookup(model) is None
    before = model.SerializeToString()
    pack_word_table(model)
    assert model.SerializeToString() == before


def test_the_table_takes_an_eighth_and_its_scales():
    table = np.random.default_rng(0).normal(size=(1000, 6 * 2 * BLOCK)).astype(np.float32)
    model = graph_of(table)
    whole = len(model.SerializeToString())
    pack_word_table(model)
    assert len(model.SerializeToString()) < whole * (1 / 8 + 1 / 64) + 2000
