"""Looking into an ONNX file without its library."""

from collections.abc import Callable

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from spacy_optical.runtime.onnx_wire import LARGE, outline, survey

from ..util import toy_bundle


def external() -> TensorProto:
    tensor = numpy_helper.from_array(np.ones(2, dtype=np.float32), "outside")
    onnx.external_data_helper.set_external_data(tensor, location="weights.bin")
    return tensor


def in_initializer(graph: onnx.GraphProto) -> None:
    graph.initializer.append(external())


def in_constant(graph: onnx.GraphProto) -> None:
    graph.node.append(helper.make_node("Constant", [], ["c"], value=external()))


def in_branch(graph: onnx.GraphProto) -> None:
    branch = helper.make_graph([], "branch", [], [], [external()])
    graph.node.append(helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch))


def in_sparse_tensor(graph: onnx.GraphProto) -> None:
    indices = numpy_helper.from_array(np.asarray([0, 1]), "indices")
    graph.sparse_initializer.append(helper.make_sparse_tensor(external(), indices, [4]))


def test_operators_are_those_of_the_graph() -> None:
    model = toy_bundle().model
    found = survey(model)
    assert found.operators == {node.op_type for node in onnx.load_from_string(model).graph.node}
    assert not found.external_data


@pytest.mark.parametrize("place", [in_initializer, in_constant, in_branch, in_sparse_tensor])
def test_external_data_is_found(place: Callable[[onnx.GraphProto], None]) -> None:
    model = onnx.load_from_string(toy_bundle().model)
    place(model.graph)
    assert survey(model.SerializeToString()).external_data


def test_external_data_in_a_function_is_found() -> None:
    model = onnx.load_from_string(toy_bundle().model)
    node = helper.make_node("Constant", [], ["c"], value=external())
    opset = [helper.make_opsetid("", 17)]
    model.functions.append(helper.make_function("own", "f", [], ["c"], [node], opset))
    assert survey(model.SerializeToString()).external_data


def test_nesting_is_bounded() -> None:
    def message(field: int, content: bytes) -> bytes:
        size = len(content)
        return (
            bytes([field << 3 | 2, size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14])
            + content
        )

    graph = b""
    for _ in range(30):  # a graph in an attribute of a node of a graph
        graph = message(1, message(5, message(6, graph)))
    with pytest.raises(ValueError, match="deep"):
        survey(message(7, graph))


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        survey(data)
    except ValueError:
        return


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_damaged_models_are_read_or_refused(at: int, change: int) -> None:
    model = bytearray(toy_bundle().model)
    model[at % len(model)] ^= change
    try:
        survey(bytes(model))
    except ValueError:
        return


def test_outline_names_the_places_of_large_weights() -> None:
    rng = np.random.default_rng(0)
    model = onnx.load_from_string(toy_bundle().model)
    weights = {
        "small": rng.normal(size=8).astype(np.float32),
        "int8": rng.integers(-99, 99, size=(2, LARGE)).astype(np.int8),
        "float": rng.normal(size=LARGE).astype(np.float32),
        "double": rng.normal(size=LARGE),
    }
    model.graph.initializer.extend(numpy_helper.from_array(v, k) for k, v in weights.items())
    content = model.SerializeToString()
    small = outline(content, "model.onnx")
    assert survey(small).external_data
    found = onnx.load_from_string(small)
    moved = []
    for tensor in found.graph.initializer:
        if tensor.data_location == TensorProto.EXTERNAL:
            told = {entry.key: entry.value for entry in tensor.external_data}
            start, size = int(told["offset"]), int(told["length"])
            assert told["location"] == "model.onnx"
            assert content[start : start + size] == weights[tensor.name].tobytes()
            assert start % weights[tensor.name].itemsize == 0
            tensor.raw_data = weights[tensor.name].tobytes()
            tensor.ClearField("external_data")
            tensor.ClearField("data_location")
            moved.append(tensor.name)
    # A type that is not known stays where it is, as does one that does not lie on its boundary.
    assert {"int8"} <= set(moved) <= {"int8", "float"}
    assert found == model


def test_outline_of_a_model_without_large_weights_is_the_model() -> None:
    content = toy_bundle().model
    assert onnx.load_from_string(outline(content, "x")) == onnx.load_from_string(content)
