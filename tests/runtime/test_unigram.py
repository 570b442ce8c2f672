"""Pieces by SentencePiece, against the `tokenizers` library as an oracle."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from spacy_optical.runtime.bundle import TOKENIZER_FILE, model_path
from spacy_optical.runtime.pieces import WordPieces
from spacy_optical.runtime.unigram import Unigram

from ..util import TOY_SPECIAL_PIECES, toy_tokenizer, trained_toy_tokenizer

SENTENCES = ["Amina Juma anaishi Nairobi", "Rais wa Kenya alisema jana", "ƙasar Ɗan Najeriya ɓera"]
LETTERS = "ab\u2581"
# Signs that a normalizer changes or joins, spaces, and characters that cannot be seen.
CHANGING = (
    "ae\u0302\u0323\u0301\u0308\u00bd\u2026\ufb01\u00b2\u017f \t\r\n\u00a0\u3000\u200d\x01"
    "\u0e01\u0e33\u1100\u1161\uff76\uff9e\u09b0\u09bc"
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def by_library(tokenizer: bytes, text: str) -> list[int]:
    return Tokenizer.from_buffer(tokenizer).encode(text, add_special_tokens=False).ids


def changed(tokenizer: bytes, part: str, **values: Any) -> bytes:
    setup = json.loads(tokenizer)
    (setup[part] if part else setup).update(values)
    return json.dumps(setup).encode()


@settings(max_examples=300)
@given(
    st.dictionaries(
        st.text(LETTERS, min_size=1, max_size=5), st.integers(-6, 0).map(float), max_size=12
    ),
    st.text(LETTERS + "cd ", max_size=12),
)
def test_small_vocabularies_with_many_ties(vocabulary: dict[str, float], text: str) -> None:
    pieces = [*((name, 0.0) for name in TOY_SPECIAL_PIECES), *vocabulary.items()]
    tokenizer = changed(toy_tokenizer(), "model", vocab=pieces)
    assert Unigram(tokenizer).ids(text) == by_library(tokenizer, text)


def test_pieces_of_all_lengths() -> None:
    names = ["a" * size for size in (1, 119, 120, 121, 127, 128, 300)]
    vocabulary = [*((name, 0.0) for name in TOY_SPECIAL_PIECES), *((name, -1.0) for name in names)]
    tokenizer = changed(toy_tokenizer(), "model", vocab=vocabulary)
    unigram = Unigram(tokenizer)
    first = len(TOY_SPECIAL_PIECES)
    assert [unigram.id_of(name) for name in names] == [*range(first, first + len(names))]
    for name in names:
        assert unigram.ids(name) == by_library(tokenizer, name)


@pytest.fixture(scope="module")
def trained() -> tuple[Unigram, Tokenizer]:
    default = json.loads((model_path() / TOKENIZER_FILE).read_bytes())
    tokenizer = trained_toy_tokenizer(SENTENCES)
    tokenizer = changed(tokenizer, "", normalizer=default["normalizer"]["normalizers"][0])
    return Unigram(tokenizer), Tokenizer.from_buffer(tokenizer)


def assert_same(unigram: Unigram, library: Tokenizer, text: str) -> None:
    found, expected = unigram.ids(text), library.encode(text, add_special_tokens=False).ids
    # The same pieces in another order, such as "c" and "cc" for "ccc", have the same score.
    assert found == expected or sorted(found) == sorted(expected)


@settings(max_examples=300)
@example("²\r\n")
@given(
    st.lists(
        st.one_of(st.sampled_from([*TOY_SPECIAL_PIECES, *" ".join(SENTENCES).split()]), TEXT),
        max_size=4,
    ).map("".join)
)
def test_any_text(trained: tuple[Unigram, Tokenizer], text: str) -> None:
    unigram, library = trained
    assert_same(unigram, library, text)


@pytest.fixture(scope="module")
def default() -> tuple[Unigram, Tokenizer]:
    content = (model_path() / TOKENIZER_FILE).read_bytes()
    return Unigram(content), Tokenizer.from_buffer(content)


@settings(max_examples=200)
@example("5ccc")
@given(
    st.one_of(
        TEXT, st.text(CHANGING, max_size=8), st.text("abcdefghiklmnoprstuwyz'ƙɗɓ", max_size=30)
    )
)
def test_the_default_bundle(default: tuple[Unigram, Tokenizer], text: str) -> None:
    unigram, library = default
    assert_same(unigram, library, text)


def test_ids_are_the_librarys(default: tuple[Unigram, Tokenizer]) -> None:
    unigram, library = default
    vocabulary = library.get_vocab()
    assert {piece: unigram.id_of(piece) for piece in vocabulary} == vocabulary
    for text in ("\0", "\U0001f600\U0001f600", "no such piece"):
        assert unigram.id_of(text) is None


@given(st.lists(st.text("a\u2581\u00e9\U0001f600", min_size=1, max_size=4), unique=True), TEXT)
def test_pieces_of_any_characters(names: list[str], text: str) -> None:
    pieces = [*((name, 0.0) for name in TOY_SPECIAL_PIECES), *((name, -1.0) for name in names)]
    tokenizer = changed(toy_tokenizer(), "model", vocab=pieces)
    text = "".join([*names, text])
    assert Unigram(tokenizer).ids(text) == by_library(tokenizer, text)


@pytest.mark.parametrize(
    ("part", "values"),
    [
        ("model", {"type": "BPE"}),
        ("model", {"byte_fallback": True}),
        ("model", {"unk_id": 1000}),
        ("model", {"unk_id": None}),
        ("model", {"unk_id": 4}),
        ("model", {"vocab": [*((name, 0.0) for name in TOY_SPECIAL_PIECES), ("\0", 0.0)]}),
        ("model", {"vocab": [["a", 0.0], ["a", 0.0]]}),
        ("model", {"vocab": [["a", float("nan")]]}),
        ("model", {"vocab": [["a", 0.0, 0.0]] * 4}),
        ("model", {"vocab": []}),
        ("pre_tokenizer", {"prepend_scheme": "first"}),
        ("pre_tokenizer", {"type": "Whitespace"}),
        ("", {"pre_tokenizer": None}),
        ("", {"normalizer": {"type": "NFKC"}}),
        ("", {"model": None}),
        ("", {"added_tokens": [{"id": 0, "content": "<s>", "special": True}]}),
    ],
)
def test_what_is_left_to_the_library(part: str, values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        Unigram(changed(toy_tokenizer(), part, **values))


@pytest.mark.parametrize("setting", ["lstrip", "rstrip", "single_word", "normalized"])
def test_added_pieces_with_settings_are_left_to_the_library(setting: str) -> None:
    setup = json.loads(toy_tokenizer())
    setup["added_tokens"][0][setting] = True
    content = json.dumps(setup).encode()
    with pytest.raises(ValueError, match="plain"):
        Unigram(content)
    assert WordPieces(content).pieces(["Amina"]) == WordPieces(toy_tokenizer()).pieces(["Amina"])
