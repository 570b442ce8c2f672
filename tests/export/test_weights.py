"""Large weights lie apart, where the runtime can map them."""

from dataclasses import replace

import numpy as np
from onnx import TensorProto, load_from_string, numpy_helper

from spacy_optical.export.weights import LARGE, PAGE, with_weights_apart
from spacy_optical.runtime.bundle import Bundle, model_path

from ..util import toy_bundle


def apart(bundle: Bundle) -> dict[str, tuple[int, int]]:
    """Where the weights that are apart lie: begin and size by name."""
    found = {}
    for tensor in load_from_string(bundle.model).graph.initializer:
        if tensor.data_location == TensorProto.EXTERNAL:
            told = {entry.key: entry.value for entry in tensor.external_data}
            assert told["location"] == "weights.bin"
            found[tensor.name] = int(told["offset"]), int(told["length"])
    return found


def test_large_weights_lie_apart_and_none_changes() -> None:
    rng = np.random.default_rng(0)
    weights = {
        "small": rng.normal(size=8).astype(np.float32),
        "int8": rng.integers(-99, 99, size=(3, LARGE + 1)).astype(np.int8),
        "half": rng.normal(size=LARGE).astype(np.float16),
        "double": rng.normal(size=LARGE),
    }
    whole = load_from_string(toy_bundle().model)
    whole.graph.initializer.extend(numpy_helper.from_array(v, k) for k, v in weights.items())
    bundle = replace(toy_bundle(format=1), model=whole.SerializeToString())
    split = with_weights_apart(bundle)
    assert split.info.format == 2
    places = apart(split)
    assert set(places) == {"int8", "half", "double"}
    for name, (begin, size) in places.items():
        assert split.weights[begin : begin + size] == weights[name].tobytes()
        assert begin % PAGE == 0
    assert len(split.model) < len(bundle.model) - sum(size for _, size in places.values()) + 1000
    model = load_from_string(split.model)
    for tensor in model.graph.initializer:
        if tensor.name in places:
            tensor.raw_data = weights[tensor.name].tobytes()
            tensor.ClearField("external_data")
            tensor.ClearField("data_location")
    assert model == whole


def test_a_model_without_large_weights_stays_whole() -> None:
    split = with_weights_apart(toy_bundle())
    assert split.weights == b""
    assert load_from_string(split.model) == load_from_string(toy_bundle().model)


def test_the_default_bundle_keeps_its_weights_apart() -> None:
    bundle = Bundle.from_disk(model_path())
    assert bundle.info.format == 2
    assert sum(size for _, size in apart(bundle).values()) > 9e6
    assert len(bundle.model) < 3e5
