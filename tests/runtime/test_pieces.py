"""Words to pieces: at least one, not too many, and nothing that frames a sequence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from spacy_optical.errors import OpticalError
from spacy_optical.runtime.pieces import WordPieces

from ..util import toy_tokenizer


def toy_wordpiece() -> bytes:
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "nai", "##robi", "##ni", "-"]
    tokenizer = Tokenizer(
        models.WordPiece({piece: at for at, piece in enumerate(vocabulary)}, unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]"])
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return tokenizer.to_str().encode()


@pytest.fixture(scope="module")
def unigram() -> WordPieces:
    return WordPieces(toy_tokenizer(["Nairobi", "Amina"]), max_word_pieces=8)


def test_unigram(unigram: WordPieces) -> None:
    reference = Tokenizer.from_buffer(toy_tokenizer(["Nairobi", "Amina"]))
    (whole,), longer = unigram.pieces(["Nairobi", "Nairobini"])
    assert whole == reference.token_to_id("▁Nairobi")
    assert longer == (whole, reference.token_to_id("n"), reference.token_to_id("i"))
    assert (unigram.prefix, unigram.suffix, unigram.pad_id, unigram.unk_id) == ((0,), (2,), 1, 3)


def test_wordpiece() -> None:
    pieces = WordPieces(toy_wordpiece())
    assert pieces.pieces(["nairobini", "xyz", "nai-nai"]) == [(4, 5, 6), (1,), (4, 7, 4)]
    assert (pieces.prefix, pieces.suffix, pieces.pad_id, pieces.unk_id) == ((2,), (3,), 0, 1)


def test_settings_of_the_file_for_whole_sequences_do_not_count() -> None:
    tokenizer = Tokenizer.from_buffer(toy_tokenizer())
    tokenizer.enable_truncation(3)
    tokenizer.enable_padding(length=20)
    assert WordPieces(tokenizer.to_str().encode()).pieces(["habari"]) == WordPieces(
        toy_tokenizer()
    ).pieces(["habari"])


@pytest.mark.parametrize("word", ["", "\u200b", "\u200d", "\ufeff", "\n", "\ud800", "\ud83d\ude00"])
def test_every_word_has_a_piece(unigram: WordPieces, word: str) -> None:
    (ids,) = unigram.pieces([word])
    assert ids


@pytest.mark.parametrize("sign", ["\u00ad", "\u200b", "\u2060", "\ufeff"])
def test_characters_that_cannot_be_seen_are_left_out(unigram: WordPieces, sign: str) -> None:
    plain, unknown = unigram.pieces(["Nairobini", ""])
    spelled = f"{sign}Nai{sign}robi{sign}{sign}ni{sign}"
    for pieces in (unigram, WordPieces(toy_wordpiece())):
        assert pieces.pieces([spelled.lower(), sign * 3]) == pieces.pieces(["nairobini", ""])
    assert unigram.pieces([spelled, sign]) == [plain, unknown]
    assert unigram.pieces([spelled]) == [plain]  # from the cache
    assert unigram.pieces([sign * 600 + "Nairobini"]) == [plain]


@pytest.mark.parametrize("sign", ["\u200c", "\u200d"])
def test_joiners_that_scripts_need_stay(sign: str) -> None:
    pieces = WordPieces(toy_tokenizer([f"na{sign}i", "nai"]))
    joined, plain = pieces.pieces([f"na{sign}i", "nai"])
    assert joined != plain


@pytest.mark.parametrize("word", ["<s>", "</s>", "<pad>", "a</s>b", "<unk>"])
def test_no_word_gives_a_special_piece(unigram: WordPieces, word: str) -> None:
    (ids,) = unigram.pieces([word])
    assert not {0, 1, 2} & set(ids)


def test_long_words_are_cut(unigram: WordPieces) -> None:
    (ids,) = unigram.pieces(["b" * 10_000])
    (short,) = unigram.pieces(["b" * 30])
    assert ids == short
    assert len(ids) == 8


@given(st.lists(st.text(st.characters(), max_size=20), max_size=8))
def test_any_text(unigram: WordPieces, words: list[str]) -> None:
    found = unigram.pieces(words)
    assert [1 <= len(ids) <= 8 for ids in found] == [True] * len(words)
    assert found == [unigram.pieces([word])[0] for word in words]


def test_cache_is_bounded_and_changes_nothing() -> None:
    small = WordPieces(toy_tokenizer(), cache_size=3)
    words = [f"neno{at}" for at in range(20)]
    assert small.pieces(words) == WordPieces(toy_tokenizer()).pieces(words)
    assert small._cached.cache_info().currsize == 3
    small.pieces([words[-1], "x" * 1000])
    assert small._cached.cache_info()[:2] == (1, 20)  # long words are not looked up


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"not json"])
def test_not_a_tokenizer(content: bytes) -> None:
    with pytest.raises(OpticalError, match="tokenizer"):
        WordPieces(content)


def test_tokenizer_without_an_unknown_piece() -> None:
    tokenizer = Tokenizer(models.WordLevel({"a": 0, "<pad>": 1}))
    with pytest.raises(OpticalError, match=r"no piece <unk> or \[UNK\]"):
        WordPieces(tokenizer.to_str().encode())
