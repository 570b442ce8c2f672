"""The runtime: scores that depend on the text alone, and clear errors from broken models."""

import os
import pickle
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from spacy_optical.errors import OpticalError
from spacy_optical.runtime.batching import windows
from spacy_optical.runtime.bundle import Bundle
from spacy_optical.runtime.session import Runtime

from ..util import TOY_TAGS, quantised, toy_bundle, toy_random_bundle

WORDS = st.one_of(st.sampled_from(sorted(TOY_TAGS)), st.text(st.characters(), max_size=12))
TEXTS = st.lists(st.lists(WORDS, max_size=60), max_size=6)


@pytest.fixture(scope="module")
def runtime() -> Runtime:
    return Runtime(toy_random_bundle(), overlap=8)


def long_text(n_words: int) -> list[str]:
    names = sorted(TOY_TAGS)
    return [names[at % len(names)] if at % 3 else f"neno{at % 17}" for at in range(n_words)]


def with_output(bundle: Bundle, value: float) -> Bundle:
    """The bundle with the evidence of one piece set to a value."""
    model = onnx.load_from_string(bundle.model)
    (tensor,) = (t for t in model.graph.initializer if t.name == "embeddings")
    table = numpy_helper.to_array(tensor).copy()
    table[-1, :] = value
    tensor.CopyFrom(numpy_helper.from_array(table, "embeddings"))
    return replace(bundle, model=model.SerializeToString())


def test_shapes(runtime: Runtime) -> None:
    found = runtime.scores([["Amina"], [], long_text(100)])
    assert [array.shape for array in found] == [(1, 9), (0, 9), (100, 9)]
    assert all(array.dtype == np.float32 for array in found)
    assert runtime.scores([]) == []


@settings(max_examples=50)
@given(TEXTS, st.integers(1, 400))
def test_scores_do_not_depend_on_the_batch(texts: list[list[str]], most: int) -> None:
    bundle = toy_random_bundle()
    together = Runtime(bundle, overlap=8, max_batch_pieces=most).scores(texts)
    runtime = Runtime(bundle, overlap=8)
    alone = [runtime.scores([text])[0] for text in texts]
    assert all(np.array_equal(one, other) for one, other in zip(together, alone, strict=True))


def test_scores_of_a_dynamically_quantised_model_do_not_depend_on_the_batch(tmp_path: Path) -> None:
    bundle = toy_random_bundle()
    bundle = replace(bundle, model=quantised(bundle.model, tmp_path))
    runtime = Runtime(bundle)
    assert runtime.rows_alone
    assert not Runtime(toy_random_bundle()).rows_alone
    texts = [long_text(n_words) for n_words in (3, 9, 9, 40)]
    alone = [runtime.scores([text])[0] for text in texts]
    for one, other in zip(runtime.scores(texts), alone, strict=True):
        assert np.array_equal(one, other)


def test_padding_is_not_seen() -> None:
    text = ["Amina", "Juma", "na", "a"]  # nine pieces with the two special ones
    padded = Runtime(toy_bundle(max_pieces=32, context=1.0)).scores([text])[0]
    exact = Runtime(toy_bundle(max_pieces=9, context=1.0)).scores([text])[0]
    assert np.allclose(padded, exact, rtol=0, atol=2e-6)


def test_a_long_text_is_read_in_windows() -> None:
    bundle = toy_random_bundle(max_pieces=32)
    runtime = Runtime(bundle, overlap=10)
    text = long_text(200)
    counts = [len(pieces) for pieces in runtime.words_to_pieces.pieces(text)]
    expected = [
        runtime.scores([text[window.start : window.end]])[0][
            window.keep_start - window.start : window.keep_end - window.start
        ]
        for window in windows(counts, 30, 10)
    ]
    assert len(expected) > 5
    assert np.array_equal(runtime.scores([text])[0], np.concatenate(expected))


def test_known_words_are_found_in_text_of_any_length() -> None:
    text = long_text(20_000)
    runtime = Runtime(toy_bundle(max_pieces=32))
    best = runtime.scores([text])[0].argmax(axis=1)
    expected = [runtime.tags.index(TOY_TAGS.get(word, "O")) for word in text]
    assert best.tolist() == expected


def test_word_longer_than_a_window() -> None:
    runtime = Runtime(toy_bundle(max_pieces=10))
    scores = runtime.scores([["Amina", "b" * 10_000, "Nairobi"]])[0]
    assert [runtime.tags[at] for at in scores.argmax(axis=1)] == ["B-PER", "O", "B-LOC"]


def test_words_of_nothing_that_can_be_seen_are_scored() -> None:
    runtime = Runtime(toy_bundle())
    text = ["\ufeffAmina", "\u200b", "Nai\u00adrobi", "\u00ad\u2060"]
    best = runtime.scores([text])[0].argmax(axis=1)
    assert [runtime.tags[at] for at in best] == ["B-PER", "O", "B-LOC", "O"]


def test_pickle(runtime: Runtime) -> None:
    text = long_text(50)
    (before,) = runtime.scores([text])
    (after,) = pickle.loads(pickle.dumps(runtime)).scores([text])
    assert np.array_equal(before, after)


def test_a_forked_process_builds_a_session_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = Runtime(toy_bundle(), threads=2)
    inherited = runtime.session
    assert runtime.session is inherited
    monkeypatch.setattr(os, "getpid", lambda: -1)
    own = runtime.session
    assert own is not inherited
    assert runtime.session is own


def test_many_threads_share_one_runtime() -> None:
    runtime = Runtime(toy_random_bundle(), overlap=8)
    texts = [long_text(n_words) for n_words in range(1, 60)]
    with ThreadPoolExecutor(max_workers=32) as pool:
        found = list(pool.map(lambda text: runtime.scores([text])[0], texts * 4))
    expected = runtime.scores(texts) * 4
    assert all(np.array_equal(one, other) for one, other in zip(found, expected, strict=True))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_scores_that_are_no_numbers(value: float) -> None:
    bundle = replace(with_output(toy_bundle({"Juba": "B-LOC"}), value), where="some/bundle")
    runtime = Runtime(bundle)
    with pytest.raises(OpticalError, match="some/bundle gives scores that are not numbers"):
        runtime.scores([["Juba"]])
    assert np.isfinite(runtime.scores([["habari"]])[0]).all()


def test_number_of_tags_must_match() -> None:
    info = replace(toy_bundle().info, labels=("PER",))
    with pytest.raises(OpticalError, match="graph contract"):
        Runtime(replace(toy_bundle(), info=info)).scores([["Amina"]])


@pytest.mark.parametrize("name", ["first_pieces", "logits"])
def test_names_must_match(name: str) -> None:
    model = onnx.load_from_string(toy_bundle().model)
    for value in [*model.graph.input, *model.graph.output]:
        value.name = value.name.replace(name, "other")
    for node in model.graph.node:
        node.input[:] = [value.replace(name, "other") for value in node.input]
        node.output[:] = [value.replace(name, "other") for value in node.output]
    with pytest.raises(OpticalError, match=r"graph contract.*other"):
        Runtime(replace(toy_bundle(), model=model.SerializeToString())).scores([["Amina"]])


@pytest.mark.parametrize("model", [b"", b"\x08\x08", b"no model"])
def test_model_that_is_none(model: bytes) -> None:
    with pytest.raises(OpticalError, match="graph contract"):
        _ = Runtime(replace(toy_bundle(), model=model)).session


def test_unknown_operator() -> None:
    graph = helper.make_graph(
        [helper.make_node("Own", ["x"], ["y"], domain="own")],
        "own",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1,))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (1,))],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("own", 1)], ir_version=8)
    with pytest.raises(OpticalError, match="graph contract"):
        _ = Runtime(replace(toy_bundle(), model=model.SerializeToString())).session


def test_tokenizer_of_another_model() -> None:
    many = toy_bundle({f"neno{at}": "B-LOC" for at in range(50)})
    with pytest.raises(OpticalError, match="could not run"):
        Runtime(replace(toy_bundle(), tokenizer=many.tokenizer)).scores([["neno49"]])


def test_tokenizer_that_is_none() -> None:
    bundle = replace(toy_bundle(), tokenizer=b"{}", where="some/bundle")
    with pytest.raises(OpticalError, match="tokenizer of the bundle some/bundle"):
        Runtime(bundle).scores([["Amina"]])


@pytest.mark.parametrize("setting", [{"threads": 0}, {"max_batch_pieces": 0}, {"overlap": -1}])
def test_settings_out_of_range(setting: dict[str, int]) -> None:
    with pytest.raises(OpticalError, match=next(iter(setting))):
        Runtime(toy_bundle(), **setting)


@pytest.mark.skipif(sys.platform != "linux", reason="needs RLIMIT_AS")
def test_out_of_memory_is_an_error_and_not_the_end() -> None:
    script = """
        import resource
        from spacy_optical.errors import OpticalError
        from spacy_optical.runtime.session import Runtime
        from tests.util import toy_bundle

        runtime = Runtime(toy_bundle(max_pieces=4000), max_batch_pieces=10**9)
        runtime.scores([["Amina"]])
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 2**28, used + 2**28))
        try:
            runtime.scores([["Nairobi"] * 3900] * 16)
        except OpticalError as err:
            assert "max_batch_pieces" in str(err), err
        else:
            raise SystemExit("it fitted")
        print(runtime.scores([["Nairobi"] * 10])[0].shape)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=Path(__file__).parent.parent.parent,
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.returncode) == ("(10, 9)\n", 0), done.stderr
