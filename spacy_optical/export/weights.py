"""Store large weights beside the graph, so that the runtime can map them into memory."""

from dataclasses import replace

from ..compat import require
from ..runtime.bundle import BUNDLE_FORMAT, WEIGHTS_FILE, Bundle

LARGE = 2**16
# The system maps whole pages, so weights begin on page boundaries.
PAGE = 2**12


def with_weights_apart(bundle: Bundle) -> Bundle:
    """Move the large weights of a model to `weights.bin`, as ONNX external data.

    bundle (Bundle): A bundle with all weights in the model.
    RETURNS (Bundle): The same model, with weights of at least `LARGE` bytes in `weights.bin`.
    """
    onnx = require("onnx")
    model = onnx.load_from_string(bundle.model)
    weights = bytearray()
    for tensor in model.graph.initializer:
        size = len(tensor.raw_data)
        if size >= LARGE:
            weights += bytes(-len(weights) % PAGE)
            onnx.external_data_helper.set_external_data(tensor, WEIGHTS_FILE, len(weights), size)
            weights += tensor.raw_data
            tensor.ClearField("raw_data")
    info = replace(bundle.info, format=BUNDLE_FORMAT)
    return replace(bundle, info=info, model=model.SerializeToString(), weights=bytes(weights))
