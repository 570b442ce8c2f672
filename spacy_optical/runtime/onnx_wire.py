"""A look into an ONNX file before ONNX Runtime parses it.

An ONNX tensor may name another file to read its values from. A bundle carries everything in one
file, so such a tensor is refused. The same means serves for something else: a model whose large
weights name their places in the model's own file is small, and ONNX Runtime maps them into memory
where it would copy them. The base install has no `onnx`; the field numbers below are those
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
MODEL_GRAPH = 7
GRAPH_INITIALIZER = 5
NODE_OP_TYPE = 4
TENSOR_DATA_TYPE = 2
TENSOR_RAW_DATA = 9
TENSOR_EXTERNAL_DATA = 13
TENSOR_DATA_LOCATION = 14
ENTRY_KEY, ENTRY_VALUE = 1, 2
MAX_DEPTH = 64

# Bytes of a number of each type that is mapped: float32, uint8, int8, int32, int64, float16.
NUMBER_SIZES = {1: 4, 2: 1, 3: 1, 6: 4, 7: 8, 10: 2}
LARGE = 2**16


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
        for field, value, _ in _fields(message):
            if kind == "tensor":
                if field == TENSOR_EXTERNAL_DATA or (field == TENSOR_DATA_LOCATION and value == 1):
                    external_data = True
            elif field in NESTED[kind]:
                unread.append((_message(value), NESTED[kind][field], depth + 1))
            elif kind == "node" and field == NODE_OP_TYPE:
                operators.add(str(_message(value), "utf8"))
    return Survey(external_data, frozenset(operators))


def outline(model: bytes, name: str) -> bytes:
    """Take the large weights out of a model; each names its place in the model's file instead.

    model (bytes): A model that `survey` could read.
    name (str): The file's name, as seen from the folder that ONNX Runtime is told.
    RETURNS (bytes): The model without them.
    """
    parts = []
    for field, value, at in _fields(memoryview(model)):
        if field == MODEL_GRAPH:
            inner = [
                _field(part, _elsewhere(_message(tensor), at + within, name))
                if part == GRAPH_INITIALIZER
                else _field(part, tensor)
                for part, tensor, within in _fields(_message(value))
            ]
            value = memoryview(b"".join(inner))
        parts.append(_field(field, value))
    return b"".join(parts)


@dataclass(frozen=True)
class Place:
    """Where the values of a large weight lie in the model's file, in bytes."""

    start: int
    size: int
    number_size: int

    @property
    def mappable(self) -> bool:
        """Whether they lie as memory wants numbers of their size."""
        return self.start % self.number_size == 0


def places(model: bytes) -> dict[int, Place]:
    """Find a graph's large weights.

    model (bytes): A model that `survey` could read.
    RETURNS (Dict[int, Place]): Their places, by the initializer's number, counted from 0.
    """
    found = {}
    for field, value, at in _fields(memoryview(model)):
        if field == MODEL_GRAPH:
            parts = [part for part in _fields(_message(value)) if part[0] == GRAPH_INITIALIZER]
            for index, (_, tensor, within) in enumerate(parts):
                place = _place(_message(tensor), at + within)
                if place is not None:
                    found[index] = place
    return found


def _place(tensor: memoryview, at: int) -> Place | None:
    start = size = number_size = 0
    for field, value, within in _fields(tensor):
        if field == TENSOR_RAW_DATA:
            start, size = at + within, len(_message(value))
        elif field == TENSOR_DATA_TYPE and isinstance(value, int):
            number_size = NUMBER_SIZES.get(value, 0)
    return Place(start, size, number_size) if size >= LARGE and number_size else None


def _elsewhere(tensor: memoryview, at: int, name: str) -> memoryview:
    """A tensor that names where its values are, if they are large and lie as memory wants them."""
    place = _place(tensor, at)
    if place is None or not place.mappable:
        return tensor
    kept = [_field(field, value) for field, value, _ in _fields(tensor) if field != TENSOR_RAW_DATA]
    for key, told in (("location", name), ("offset", place.start), ("length", place.size)):
        entry = _text(ENTRY_KEY, key) + _text(ENTRY_VALUE, str(told))
        kept.append(_field(TENSOR_EXTERNAL_DATA, memoryview(entry)))
    kept.append(_field(TENSOR_DATA_LOCATION, 1))
    return memoryview(b"".join(kept))


def _text(field: int, text: str) -> bytes:
    return _field(field, memoryview(text.encode("utf8")))


def _field(field: int, value: int | memoryview) -> bytes:
    if isinstance(value, int):
        return _number(field << 3) + _number(value)
    return _number(field << 3 | 2) + _number(len(value)) + bytes(value)


def _number(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def _message(value: int | memoryview) -> memoryview:
    if not isinstance(value, memoryview):
        raise ValueError("a number where a message belongs")
    return value


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview, int]]:
    """The fields of a message: number, value, and where in the message the value begins."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        field, wire = key >> 3, key & 7
        if wire == 0:
            start = at
            number, at = _varint(message, at)
            yield field, number, start
            continue
        if wire == 2:
            size, at = _varint(message, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire}")
        if at + size > len(message):
            raise ValueError("cut short")
        yield field, message[at : at + size], at
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
