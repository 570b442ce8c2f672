"""A look into an ONNX file before ONNX Runtime parses it.

An ONNX tensor may name another file to read its values from. A bundle carries everything in one
file, so such a tensor is refused. The base install has no `onnx`; the field numbers below are those
of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, the encoding is
https://protobuf.dev/programming-guides/encoding.
"""

from collections.abc import Iterator
from dataclasses import dataclass

# Which fields of which message lead to a tensor.
NESTED: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {
        **{5: "tensor", 6: "graph", 10: "tensor", 11: "graph"},
        **{22: "sparse", 23: "sparse"},
    },
    "sparse": {1: "tensor", 2: "tensor"},
    "function": {7: "node", 11: "attribute"},
    "training": {1: "graph", 2: "graph"},
}
NODE_OP_TYPE = 4
TENSOR_EXTERNAL_DATA = 13
TENSOR_DATA_LOCATION = 14
MAX_DEPTH = 64


@dataclass(frozen=True)
class Survey:
    """What a model is made of.

    external_data (bool): Whether a tensor names another file.
    operators (FrozenSet[str]): The kinds of its nodes, e.g. "MatMul".
    """

    external_data: bool
    operators: frozenset[str]


def survey(model: bytes) -> Survey:
    """Look through an ONNX model, subgraphs and functions included.

    model (bytes): The model, as in a .onnx file.
    RETURNS (Survey): What was found.
    RAISES (ValueError): If the bytes are not a protobuf message of this kind.
    """
    operators: set[str] = set()
    external_data = False
    unread: list[tuple[memoryview, str, int]] = [(memoryview(model), "model", 0)]
    while unread:
        message, kind, depth = unread.pop()
        if depth > MAX_DEPTH:
            raise ValueError("nested too deeply")
        for field, value in _fields(message):
            if kind == "tensor":
                if field == TENSOR_EXTERNAL_DATA or (field == TENSOR_DATA_LOCATION and value == 1):
                    external_data = True
            elif field in NESTED[kind]:
                unread.append((_message(value), NESTED[kind][field], depth + 1))
            elif kind == "node" and field == NODE_OP_TYPE:
                operators.add(str(_message(value), "utf8"))
    return Survey(external_data, frozenset(operators))


def _message(value: int | memoryview) -> memoryview:
    if not isinstance(value, memoryview):
        raise ValueError("a number where a message belongs")
    return value


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        field, wire = key >> 3, key & 7
        if wire == 0:
            number, at = _varint(message, at)
            yield field, number
            continue
        if wire == 2:
            size, at = _varint(message, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire}")
        if at + size > len(message):
            raise ValueError("cut short")
        yield field, message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            raise ValueError("cut short")
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a number of more than ten bytes")
