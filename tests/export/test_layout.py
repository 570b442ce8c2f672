"""Large weights lie where the runtime can map them."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import ModelProto, helper, load_from_string, numpy_helper

from spacy_optical.export.layout import laid_out
from spacy_optical.runtime.bundle import MODEL_FILE, default_bundle_path
from spacy_optical.runtime.onnx_wire import LARGE, outline, places, survey

KINDS = (np.float16, np.float32, np.int64, np.int8, np.uint8)


def model_of(weights: list[np.ndarray], names: list[str]) -> ModelProto:
    pairs = enumerate(zip(weights, names, strict=True))
    named = [numpy_helper.from_array(weight, f"{name}{at}") for at, (weight, name) in pairs]
    return helper.make_model(helper.make_graph([], "toy", [], [], named))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(KINDS), st.integers(1, 40) | st.just(LARGE + 3), st.text(max_size=9)
        ),
        min_size=1,
        max_size=6,
    )
)
@settings(max_examples=60, deadline=None)
def test_every_large_weight_can_be_mapped_and_none_changes(drawn: list) -> None:
    rng = np.random.default_rng(0)
    weights = [rng.integers(0, 99, size).astype(kind) for kind, size, _ in drawn]
    content = laid_out(model_of(weights, [name for _, _, name in drawn]))
    found = places(content)
    assert len(found) == sum(weight.nbytes >= LARGE for weight in weights)
    for index, place in found.items():
        assert place.mappable
        assert content[place.start : place.start + place.size] == weights[index].tobytes()
    back = load_from_string(content).graph.initializer
    for weight, tensor in zip(weights, back, strict=True):
        assert np.array_equal(numpy_helper.to_array(tensor), weight)
    kept = outline(content, "model.onnx")
    assert survey(kept).external_data == bool(found)
    assert len(kept) < sum(w.nbytes for w in weights if w.nbytes < LARGE) + 400 * len(weights)


def test_layout_is_the_same_again() -> None:
    weights = [np.ones(LARGE, dtype=np.float32), np.ones(LARGE, dtype=np.float16)]
    content = laid_out(model_of(weights, ["ab", "c"]))
    assert laid_out(load_from_string(content)) == content


def test_all_of_the_default_bundle_is_mapped() -> None:
    found = places((default_bundle_path() / MODEL_FILE).read_bytes())
    assert all(place.mappable for place in found.values())
    assert sum(place.size for place in found.values()) > 9e6
