import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from spacy_optical.encoders.vocabulary_trimming import Vocabulary, trim_vocabulary
from spacy_optical.errors import OpticalError
from spacy_optical.runtime.pieces import WordPieces

from ..toy_project import toy_text
from ..util import trained_toy_tokenizer

GREEK = ["Η Αθήνα είναι μεγάλη πόλη.", "Η Ελένη μένει στην Πάτρα."]
KINDS = ("Unigram", "WordPiece")


@pytest.fixture(scope="module", params=KINDS)
def tokenizer(request: pytest.FixtureRequest) -> bytes:
    return trained_toy_tokenizer([*toy_text(), *GREEK], kind=request.param, size=400)


@pytest.fixture(scope="module")
def words() -> list[list[str]]:
    return [text.split() for text in toy_text()]


@pytest.fixture(scope="module")
def trimmed(tokenizer: bytes, words: list[list[str]]) -> Vocabulary:
    return trim_vocabulary(tokenizer, [words], size_of(tokenizer) - 90)


def size_of(tokenizer: bytes) -> int:
    return Tokenizer.from_buffer(tokenizer).get_vocab_size()


def strings(tokenizer: bytes, word: str) -> list[str]:
    cut = Tokenizer.from_buffer(tokenizer)
    return [cut.id_to_token(i) for i in WordPieces(tokenizer).pieces([word])[0]]


def test_pieces_keep_their_rows(tokenizer: bytes, trimmed: Vocabulary):
    old, new = Tokenizer.from_buffer(tokenizer), Tokenizer.from_buffer(trimmed.tokenizer)
    assert new.get_vocab_size() == len(trimmed.old_ids) == size_of(tokenizer) - 90
    for index, row in enumerate(trimmed.old_ids.tolist()):
        assert new.id_to_token(index) == old.id_to_token(row)
    assert len(np.unique(trimmed.old_ids)) == len(trimmed.old_ids)


def test_frame_is_the_same(tokenizer: bytes, trimmed: Vocabulary):
    old, new = WordPieces(tokenizer), WordPieces(trimmed.tokenizer)
    for ours, theirs in ((new.prefix, old.prefix), (new.suffix, old.suffix)):
        assert tuple(trimmed.old_ids[list(ours)]) == theirs
    assert trimmed.old_ids[new.pad_id] == old.pad_id
    assert trimmed.old_ids[new.unk_id] == old.unk_id


def test_frequent_words_keep_their_pieces(tokenizer: bytes, words: list[list[str]]):
    """A vocabulary that holds all pieces seen cuts every word as before."""
    flat = {word for sentence in words for word in sentence}
    seen = {i for pieces in WordPieces(tokenizer).pieces(flat) for i in pieces}
    single = [p for p in Tokenizer.from_buffer(tokenizer).get_vocab() if len(p.strip("▁#")) <= 1]
    roomy = trim_vocabulary(tokenizer, [words], len(seen) + len(single) + 5)
    assert len(roomy.old_ids) < size_of(tokenizer)
    for word in flat:
        assert strings(roomy.tokenizer, word) == strings(tokenizer, word)


def test_rare_pieces_go_first(tokenizer: bytes):
    """A word that is seen often keeps a piece of its own where a rarer one loses it."""
    sentences = [["Nairobi"]] * 9 + [["Tampere"]]
    whole = {w: strings(tokenizer, w) for w in ("Nairobi", "Tampere")}
    for size in range(size_of(tokenizer), 0, -1):
        try:
            vocabulary = trim_vocabulary(tokenizer, [sentences], size)
        except OpticalError:
            break
        if strings(vocabulary.tokenizer, "Nairobi") != whole["Nairobi"]:
            assert strings(vocabulary.tokenizer, "Tampere") != whole["Tampere"]
    assert strings(vocabulary.tokenizer, "Tampere") != whole["Tampere"]


def test_capitalised_words_count_more(tokenizer: bytes):
    """A name keeps a piece of its own where a word that is seen twice as often loses it."""
    sentences = [["Tampere"], ["tampere"], ["tampere"]]
    whole = {w: strings(tokenizer, w) for w in ("Tampere", "tampere")}
    size = least(tokenizer, [sentences])
    while (
        strings(trim_vocabulary(tokenizer, [sentences], size).tokenizer, "Tampere")
        != whole["Tampere"]
    ):
        size += 1
    kept = trim_vocabulary(tokenizer, [sentences], size).tokenizer
    assert strings(kept, "tampere") != whole["tampere"]


def test_other_scripts_go(tokenizer: bytes, words: list[list[str]], trimmed: Vocabulary):
    new = Tokenizer.from_buffer(trimmed.tokenizer).get_vocab()
    assert not any("Ͱ" <= c <= "Ͽ" for piece in new for c in piece)
    kept = trim_vocabulary(tokenizer, [words, [text.split() for text in GREEK]], 10_000)
    assert len(kept.old_ids) == size_of(tokenizer)


def test_a_small_script_is_kept_whole(words: list[list[str]], monkeypatch: pytest.MonkeyPatch):
    """Greek pieces that the text does not have are kept if they are a small part of the size."""
    # With 40 %, this vocabulary has no room for the characters.
    monkeypatch.setattr("spacy_optical.encoders.vocabulary_trimming.SMALL_SCRIPTS", 0.25)
    tokenizer = trained_toy_tokenizer([*toy_text(), *GREEK], kind="WordPiece", size=400)
    pieces = Tokenizer.from_buffer(tokenizer).get_vocab()
    greek = {piece for piece in pieces if any("Ͱ" <= c <= "Ͽ" for c in piece)}
    # Single characters are always kept.
    longer = len([piece for piece in greek if len(piece.removeprefix("##")) > 1])
    for size in (4 * longer + 40, 4 * longer - 1):
        kept = trim_vocabulary(tokenizer, [words, [["Αθήνα"]]], size)
        missing = greek - Tokenizer.from_buffer(kept.tokenizer).get_vocab().keys()
        assert bool(missing) == (size < 4 * longer)


def test_a_few_words_of_another_script_do_not_keep_its_characters(
    tokenizer: bytes, words: list[list[str]]
):
    quoted = [*words, ["Ελένη"]]
    new = Tokenizer.from_buffer(trim_vocabulary(tokenizer, [quoted], 10_000).tokenizer)
    assert not any("Ͱ" <= c <= "Ͽ" for piece in new.get_vocab() for c in piece)


def test_languages_count_the_same(tokenizer: bytes):
    """A word that is common in a language with little text stays before a rare word of much."""
    much = [["Nairobi"]] * 98 + [["Tampere"]] * 2
    little = [["Amina"]]
    whole = {w: strings(tokenizer, w) for w in ("Nairobi", "Tampere", "Amina")}
    size = 1 + least(tokenizer, [much, little])
    while True:
        kept = trim_vocabulary(tokenizer, [much, little], size).tokenizer
        if strings(kept, "Amina") == whole["Amina"]:
            break
        size += 1
    assert strings(kept, "Tampere") != whole["Tampere"]


def least(tokenizer: bytes, texts: list[list[list[str]]]) -> int:
    """The smallest vocabulary: its special pieces and single characters."""
    with pytest.raises(OpticalError, match="E405") as caught:
        trim_vocabulary(tokenizer, texts, 1)
    return int(str(caught.value).rpartition(" ")[2])


@given(st.data())
def test_words_of_kept_scripts_have_no_unknown_piece(data: st.DataObject):
    for kind in KINDS:
        small, unknown, letters = SMALLEST[kind]
        word = data.draw(st.text(st.sampled_from(letters), min_size=1, max_size=15), label=kind)
        assert unknown not in small.pieces([word])[0]


def _smallest(kind: str) -> tuple[WordPieces, int, list[str]]:
    """The smallest trimmed tokenizer, and every letter of its scripts that the full one knows."""
    tokenizer = trained_toy_tokenizer([*toy_text(), *GREEK], kind=kind, size=400)
    texts = [[["Amina", "lähellä"]]]
    small = WordPieces(trim_vocabulary(tokenizer, texts, least(tokenizer, texts)).tokenizer)
    vocabulary = Tokenizer.from_buffer(tokenizer).get_vocab()
    inside = "##{}" if kind == "WordPiece" else "{}"
    # WordPiece's trainer lists some letters for the start of a word only, or for its inside only.
    letters = [c for c in vocabulary if len(c) == 1 and c.isalpha() and c < "Ͱ"]
    return small, small.unk_id, [c for c in letters if inside.format(c) in vocabulary]


SMALLEST = {kind: _smallest(kind) for kind in KINDS}


def test_too_small(tokenizer: bytes, words: list[list[str]]):
    with pytest.raises(OpticalError, match=r"E405.*10 pieces"):
        trim_vocabulary(tokenizer, [words], 10)


def test_other_kinds_are_refused():
    spec = {"model": {"type": "BPE", "vocab": {}, "merges": []}, "added_tokens": []}
    with pytest.raises(OpticalError, match=r"E404.*BPE"):
        trim_vocabulary(json.dumps(spec).encode(), [], 10)


def altered(tokenizer: bytes, change: Any) -> bytes:
    spec = json.loads(tokenizer)
    change(spec)
    return json.dumps(spec).encode()


@pytest.mark.parametrize("form", ["bert", "roberta", "sequence"])
def test_every_post_processor_gets_the_new_ids(tokenizer: bytes, words: list[list[str]], form: str):
    cut = Tokenizer.from_buffer(tokenizer)
    first = cut.id_to_token(WordPieces(tokenizer).prefix[0])
    last = cut.id_to_token(WordPieces(tokenizer).suffix[0])
    ends = {"cls": [first, cut.token_to_id(first)], "sep": [last, cut.token_to_id(last)]}

    def change(spec: dict) -> None:
        if form == "sequence":
            parts = [spec["post_processor"]]
            spec["post_processor"] = {"type": "Sequence", "processors": parts}
        elif form == "bert":
            spec["post_processor"] = {"type": "BertProcessing", **ends}
        else:
            flags = {"trim_offsets": True, "add_prefix_space": False}
            spec["post_processor"] = {"type": "RobertaProcessing", **ends, **flags}

    # Special pieces at the end of the list get other ids.
    before = moved_to_the_end(tokenizer)
    for end in ends.values():
        end[1] = Tokenizer.from_buffer(before).token_to_id(end[0])
    before = altered(before, change)
    after = trim_vocabulary(before, [words], size_of(before) - 40)
    old, new = WordPieces(before), WordPieces(after.tokenizer)
    assert new.prefix != old.prefix
    assert tuple(after.old_ids[list(new.prefix)]) == old.prefix
    assert tuple(after.old_ids[list(new.suffix)]) == old.suffix


def moved_to_the_end(tokenizer: bytes) -> bytes:
    """Special pieces behind all others, outside of the model's own list but for the unknown one."""
    spec = json.loads(tokenizer)
    special = [token["content"] for token in spec["added_tokens"]]
    model = spec["model"]
    unigram = model["type"] == "Unigram"
    scores = dict(model["vocab"]) if unigram else {p: 0 for p in model["vocab"]}
    unknown = next(piece for piece in special if piece.strip("<[]>").lower() == "unk")
    order = [unknown, *(piece for piece in scores if piece not in special)]
    model["vocab"] = (
        [[piece, scores[piece]] for piece in order]
        if unigram
        else {piece: i for i, piece in enumerate(order)}
    )
    if unigram:
        model["unk_id"] = 0
    ids = {unknown: 0}
    ids |= {p: len(order) + i for i, p in enumerate(s for s in special if s != unknown)}
    for token in spec["added_tokens"]:
        token["id"] = ids[token["content"]]
    for token in spec["post_processor"]["special_tokens"].values():
        token["ids"] = [ids[name] for name in token["tokens"]]
    spec["added_tokens"].sort(key=lambda token: token["id"])
    return json.dumps(spec).encode()
