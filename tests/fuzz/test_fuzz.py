"""A damaged bundle is refused with an error, or the damage has no effect."""

import gc
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_optical.errors import OpticalError
from spacy_optical.runtime.bundle import (
    MANIFEST_FILE,
    MODEL_FILE,
    TOKENIZER_FILE,
    WEIGHTS_FILE,
    Bundle,
)
from spacy_optical.runtime.pieces import WordPieces

from ..util import large_bundle, toy_bundle
from .bundle import one, try_bundle, try_tokenizer

FILES = [MANIFEST_FILE, MODEL_FILE, TOKENIZER_FILE, WEIGHTS_FILE]
PLACES = [0.0, 0.001, 0.5, 0.999]


def flip(content: bytes, place: float) -> bytes:
    at = int(place * len(content))
    return content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :]


DAMAGE: dict[str, Callable[[bytes, float], bytes]] = {
    "flipped": flip,
    "cut": lambda content, place: content[: int(place * len(content))],
    "a byte lost": lambda content, place: (
        content[: int(place * len(content))] + content[int(place * len(content)) + 1 :]
    ),
    "a byte more": lambda content, place: (
        content[: int(place * len(content))] + b"\0" + content[int(place * len(content)) :]
    ),
    "zeros": lambda content, place: content[: int(place * len(content))].ljust(len(content), b"\0"),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", list(DAMAGE))
@pytest.mark.parametrize("name", FILES)
def test_damaged_file(tmp_path: Path, name: str, kind: str, place: float) -> None:
    made = large_bundle()
    made.to_disk(tmp_path / "bundle")
    path = tmp_path / "bundle" / name
    path.write_bytes(DAMAGE[kind](path.read_bytes(), place))
    if name != MANIFEST_FILE:
        with pytest.raises(OpticalError, match=name):
            Bundle.from_disk(tmp_path / "bundle")
        return
    try:
        read = Bundle.from_disk(tmp_path / "bundle")
    except OpticalError:
        return
    # Free text of the manifest may change; what is run may not.
    assert (read.model, read.tokenizer) == (made.model, made.tokenizer)
    assert read.weights == made.weights


@pytest.mark.parametrize("data", [b"\x81" * 9 + b"\xff", b"\x81\x80\x01", b"\xc1"])
def test_bytes_that_are_no_set_of_files(data: bytes) -> None:
    with pytest.raises(OpticalError, match="E101"):
        Bundle.from_bytes(data)
    assert gc.isenabled()


def test_a_file_more_is_not_read(tmp_path: Path) -> None:
    toy_bundle().to_disk(tmp_path / "bundle")
    (tmp_path / "bundle" / "model.onnx.data").write_bytes(b"\xff" * 100)
    (tmp_path / "bundle" / "__init__.py").write_text("raise SystemExit")
    assert Bundle.from_disk(tmp_path / "bundle").model == toy_bundle().model


@settings(max_examples=150)
@given(st.data())
def test_fuzzed_tokenizer(data: st.DataObject) -> None:
    whole = toy_bundle().tokenizer
    content = bytearray(whole[: data.draw(st.integers(0, len(whole)))])
    for _ in range(data.draw(st.integers(0, 4))):
        if content:
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try_tokenizer(bytes(content))


@settings(max_examples=200)
@given(st.binary(max_size=200))
def test_anything_at_all(data: bytes) -> None:
    one(data)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@settings(max_examples=200)
@given(st.data())
def test_settings_of_a_tokenizer_that_make_no_sense(data: st.DataObject) -> None:
    setup = json.loads(toy_bundle().tokenizer)
    place = setup if data.draw(st.booleans()) else setup["model"]
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(JSON)
    try_tokenizer(json.dumps(setup).encode())


def test_what_is_whole_is_taken() -> None:
    bundle = toy_bundle()
    assert try_bundle(bundle.to_bytes()) is not None
    assert try_tokenizer(bundle.tokenizer)
    assert WordPieces(bundle.tokenizer).pieces(["Amina"])
