"""Smaller weights: integers of eight bits and a word table of four; activations stay floats."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from ..compat import require, require_onnxruntime
from ..errors import Errors, OpticalError
from ..files import scratch_folder
from .table import pack_word_table, word_lookup

# Whether integers use seven of their eight bits; None keeps floats. On AVX2 and AVX-512 without
# VNNI, products of unsigned activations and signed weights saturate otherwise (ONNX Runtime,
# "Quantize ONNX Models"). A bundle that may run anywhere has to use seven.
PRESETS: dict[str, bool | None] = {"fp32": None, "int8": True, "int8-vnni": False}
AUTO = "int8"


def preset_named(name: str) -> str:
    """Check the name of a preset; `auto` is the one that is right on every processor.

    RAISES (OpticalError): If there is none of this name.
    """
    name = AUTO if name == "auto" else name
    if name not in PRESETS:
        raise OpticalError(Errors.E502.format(name=name, known=", ".join(["auto", *PRESETS])))
    return name


def quantize(model: bytes, preset: str) -> bytes:
    """Quantise a fused graph.

    model (bytes): The ONNX model, fp32, already optimised: fusing comes first.
    preset (str): One of `PRESETS`.
    RETURNS (bytes): The ONNX model; the same where the preset keeps floats.
    RAISES (OpticalError): If a temporary file cannot be written.
    """
    reduce_range = PRESETS[preset]
    if reduce_range is None:
        return model
    onnx = require("onnx")
    quantization = require_onnxruntime("onnxruntime.quantization")
    with scratch_folder() as folder:
        before, after = folder / "fp32.onnx", folder / "int8.onnx"
        before.write_bytes(model)
        lookup = word_lookup(onnx.load_from_string(model))
        with errors_only():  # it asks for the optimisation that was done already
            quantization.quantize_dynamic(
                str(before),
                str(after),
                per_channel=True,
                reduce_range=reduce_range,
                weight_type=quantization.QuantType.QInt8,
                nodes_to_exclude=[] if lookup is None else [lookup.name],
                # Shapes cannot be inferred through fused operators; all of them give floats.
                extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
            )
        graph = onnx.load(str(after))
        pack_word_table(graph)
        return graph.SerializeToString()


@contextmanager
def errors_only() -> Iterator[None]:
    """Let only errors through to any log while the block runs.

    ONNX Runtime's tools log advice for their authors, under file names that depend on the version.
    """
    before = logging.root.manager.disable
    logging.disable(max(before, logging.WARNING))
    try:
        yield
    finally:
        logging.disable(before)
