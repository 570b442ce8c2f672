"""Smaller weights: integers of eight bits, a word table of four; activations as they come."""

from dataclasses import dataclass

from ..compat import require, require_onnxruntime
from ..errors import Errors, OpticalError
from ..files import scratch_folder
from .quiet import errors_only
from .table import pack_word_table, word_lookup


@dataclass(frozen=True)
class Preset:
    """How weights are kept.

    reduce_range uses seven of the eight bits: on AVX2 and AVX-512 without VNNI the products of
    unsigned activations and signed weights saturate otherwise (ONNX Runtime, "Quantize ONNX
    Models"). A bundle that may run anywhere has to assume the worst.
    """

    integers: bool
    per_channel: bool = True
    reduce_range: bool = True


PRESETS = {
    "fp32": Preset(integers=False),
    "int8": Preset(integers=True),
    "int8-vnni": Preset(integers=True, reduce_range=False),
}
AUTO = "int8"


def preset_named(name: str) -> tuple[str, Preset]:
    """Look a preset up.

    name (str): One of `PRESETS`, or `auto`: the one that is right on every processor.
    RETURNS (Tuple[str, Preset]): Its name and settings.
    RAISES (OpticalError): If there is none of this name.
    """
    name = AUTO if name == "auto" else name
    if name not in PRESETS:
        raise OpticalError(Errors.E502.format(name=name, known=", ".join(["auto", *PRESETS])))
    return name, PRESETS[name]


def quantize(model: bytes, preset: Preset) -> bytes:
    """Quantise a fused graph.

    model (bytes): The ONNX model, fp32, already optimised: fusing comes first.
    preset (Preset): How.
    RETURNS (bytes): The ONNX model; the same where the preset keeps floats.
    RAISES (OpticalError): If a temporary file cannot be written.
    """
    if not preset.integers:
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
                per_channel=preset.per_channel,
                reduce_range=preset.reduce_range,
                weight_type=quantization.QuantType.QInt8,
                nodes_to_exclude=[] if lookup is None else [lookup.name],
                # Shapes cannot be inferred through fused operators; all of them give floats.
                extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
            )
        graph = onnx.load(str(after))
        pack_word_table(graph)
        return graph.SerializeToString()
