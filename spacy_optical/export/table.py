"""Quantise the word table, the largest part of a multilingual student, to four bits.

Blocks of 32 numbers share a half-precision scale, as in the `Q4_0` layout of GGML: the number with
the largest magnitude becomes -8. Packing an unpacked table again does not change it. Standard ONNX
operators unpack the rows: `GatherBlockQuantized` took three times as long (157 µs for 26 pieces of
384 numbers, ONNX Runtime 1.31).
"""

from typing import TYPE_CHECKING

import numpy as np

from ..compat import require
from ..runtime.bundle import INPUTS

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

BLOCK = 32
LEAST, MOST = -8, 7
FLOAT = 1  # onnx.TensorProto.FLOAT


def word_lookup(model: "ModelProto") -> "NodeProto | None":
    """Find the node that looks up the input pieces.

    None if there is none, or if the width of its table is not a multiple of two blocks.
    """
    widths = {tensor.name: tensor.dims[-1] for tensor in model.graph.initializer if tensor.dims}
    for node in model.graph.node:
        if node.op_type == "Gather" and node.input[1] == INPUTS[0]:
            return None if widths[node.input[0]] % (2 * BLOCK) else node
    return None


def pack_word_table(model: "ModelProto") -> None:
    """Quantise the word table to four bits in place, if the model has a `word_lookup`."""
    if (lookup := word_lookup(model)) is None:
        return
    onnx = require("onnx")
    graph, (name, pieces), out = model.graph, lookup.input, lookup.output[0]
    tensor = next(tensor for tensor in graph.initializer if tensor.name == name)
    numbers, scales = blocks(onnx.numpy_helper.to_array(tensor))
    constants = {
        "packed": packed(numbers),
        "scales": scales[..., None],
        "four": np.array(4, dtype=np.uint8),
        "sixteen": np.array(1 - LEAST + MOST, dtype=np.float32),
        "least": np.array(LEAST, dtype=np.float32),
        "in_blocks": np.array([0, 0, -1, BLOCK]),
        "in_rows": np.array([0, 0, -1]),
    }
    graph.initializer.remove(tensor)
    for key, value in constants.items():
        graph.initializer.append(onnx.numpy_helper.from_array(value, f"{name}/{key}"))
    steps: list[tuple[str, list[str], str, dict]] = [
        ("Gather", ["packed", pieces], "bytes", {}),
        ("BitShift", ["bytes", "four"], "high_bits", {"direction": "RIGHT"}),
        ("Cast", ["bytes"], "both", {"to": FLOAT}),
        ("Cast", ["high_bits"], "high", {"to": FLOAT}),
        ("Mul", ["high", "sixteen"], "above", {}),
        ("Sub", ["both", "above"], "low", {}),
        ("Concat", ["low", "high"], "codes", {"axis": -1}),
        ("Reshape", ["codes", "in_blocks"], "code_blocks", {}),
        ("Add", ["code_blocks", "least"], "numbers", {}),
        ("Gather", ["scales", pieces], "half_scales", {}),
        ("Cast", ["half_scales"], "whole_scales", {"to": FLOAT}),
        ("Mul", ["numbers", "whole_scales"], "blocks", {}),
        ("Reshape", ["blocks", "in_rows"], out, {}),
    ]
    at = list(graph.node).index(lookup)
    graph.node.remove(lookup)
    for offset, (operator, inputs, output, attributes) in enumerate(steps):
        sources = [i if i == pieces else f"{name}/{i}" for i in inputs]
        target = output if output == out else f"{name}/{output}"
        node = onnx.helper.make_node(operator, sources, [target], f"{target}/node", **attributes)
        graph.node.insert(at + offset, node)


def blocks(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Round a table to four bits.

    table (ndarray): The table, float32 [V, d]. d is a multiple of `BLOCK`.
    RETURNS (Tuple[ndarray, ndarray]): Numbers from -8 to 7, int8 [V, d], and the scale of each
        block, float16 [V, d / BLOCK].
    """
    parts = table.reshape(len(table), -1, BLOCK)
    largest = np.take_along_axis(parts, np.abs(parts).argmax(-1, keepdims=True), -1)
    scales = (largest / LEAST).astype(np.float16)
    steps = parts / np.where(scales == 0, 1, scales).astype(np.float32)
    numbers = np.clip(np.rint(steps), LEAST, MOST).astype(np.int8)
    return numbers.reshape(table.shape), scales[..., 0]


def packed(numbers: np.ndarray) -> np.ndarray:
    """Pack numbers from -8 to 7 [V, d] as uint8 [V, d / 2]. High bits have a row's second half."""
    low, high = np.split((numbers - LEAST).astype(np.uint8), 2, axis=1)
    return low | high << 4


def unpacked(bytes_: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Unpack a table: the inverse of `blocks` and `packed`.

    bytes_ (ndarray): The output of `packed`, uint8 [V, d / 2].
    scales (ndarray): The scale of each block, float16 [V, d / BLOCK] or [V, d / BLOCK, 1].
    RETURNS (ndarray): The table, float32 [V, d].
    """
    codes = np.concatenate([bytes_ & 15, bytes_ >> 4], axis=1).astype(np.float32) + LEAST
    numbers = codes.reshape(len(codes), -1, BLOCK) * scales.reshape(len(codes), -1, 1)
    return numbers.reshape(codes.shape).astype(np.float32)
