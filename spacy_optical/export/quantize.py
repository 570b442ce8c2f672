"""Quantise matrices to eight bits and the word table to four. All else stays floats."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from ..compat import require, require_onnxruntime
from ..errors import Errors, OpticalError
from ..files import scratch_folder
from .table import pack_word_table

# Whether integers use only seven of their eight bits. None keeps floats. With eight bits, products
# of unsigned activations and signed weights saturate on AVX2 and on AVX-512 without VNNI (ONNX
# Runtime, "Quantize ONNX Models"), so a bundle for all processors must use seven.
PRESETS: dict[str, bool | None] = {"fp32": None, "int8": True, "int8-vnni": False}


def preset_named(name: str) -> str:
    """Check the name of a preset. `auto` becomes the one that works on every processor.

    RAISES (OpticalError): If there is no such preset.
    """
    name = "int8" if name == "auto" else name
    if name not in PRESETS:
        raise OpticalError(Errors.E502.format(name=name, known=", ".join(["auto", *PRESETS])))
    return name


def quantize(model: bytes, preset: str) -> bytes:
    """Quantise a fused graph.

    model (bytes): The fused ONNX model in fp32.
    preset (str): A name in `PRESETS`.
    RETURNS (bytes): The ONNX model. With `fp32`, the same model.
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
        with errors_only():  # it recommends the optimisation that is already done
            quantization.quantize_dynamic(
                str(before),
                str(after),
                # Not Gather: the word table gets four bits below. With positions and classifier in
                # eight bits, 0.46 % of the words had another tag, with both as floats 0.29 %.
                op_types_to_quantize=["MatMul", "Attention"],
                nodes_to_exclude=["/classifier/MatMul"],
                per_channel=True,
                reduce_range=reduce_range,
                weight_type=quantization.QuantType.QInt8,
                # Fused operators have no shape inference. Their outputs are floats.
                extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
            )
        graph = onnx.load(str(after))
        pack_word_table(graph)
        return graph.SerializeToString()


@contextmanager
def errors_only() -> Iterator[None]:
    """Disable log messages below the level of errors inside the block.

    The loggers of ONNX Runtime's tools have different names in different versions.
    """
    before = logging.root.manager.disable
    logging.disable(max(before, logging.WARNING))
    try:
        yield
    finally:
        logging.disable(before)
