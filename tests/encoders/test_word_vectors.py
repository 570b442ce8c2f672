import numpy as np
import pytest

from spacy_optical.encoders.word_vectors import WordEncoder
from spacy_optical.errors import OpticalError
from tests.util import pooled_toy_encoder, toy_encoder, toy_tokenizer

SENTENCES = [["Amina", "lives", "in", "Nairobi"], [], ["x"], ["Benki", "Kuu", "!"] * 5]


@pytest.fixture(scope="module", params=["bert", "xlm-roberta"])
def folder(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("encoder")
    return toy_encoder(path, toy_tokenizer(), kind=request.param, positions=48)


def test_each_sentence_gets_its_words_vectors_whatever_the_others_are(folder):
    encoder = WordEncoder(folder, 2, max_batch_pieces=64)
    together = encoder.vectors(SENTENCES)
    assert [v.shape for v in together] == [(4, 32), (0, 32), (1, 32), (15, 32)]
    assert all(v.dtype == np.float32 for v in together)
    for words, vectors in zip(SENTENCES, together, strict=True):
        (alone,) = encoder.vectors([words])
        assert alone == pytest.approx(vectors, abs=1e-5)


def test_a_word_is_the_mean_of_its_pieces_in_the_layer(folder):
    import torch
    from transformers import AutoModel

    encoder = WordEncoder(folder, 3)
    words = SENTENCES[0]
    cut = encoder.pieces.pieces(words)
    ids = [*encoder.pieces.prefix, *(i for word in cut for i in word), *encoder.pieces.suffix]
    with torch.inference_mode():
        hidden = (
            AutoModel.from_pretrained(folder)
            .eval()(input_ids=torch.tensor([ids]), output_hidden_states=True)
            .hidden_states[3][0]
        )
    (found,) = encoder.vectors([words])
    at = len(encoder.pieces.prefix)
    for vector, pieces in zip(found, cut, strict=True):
        mean = hidden[at : at + len(pieces)].mean(dim=0).numpy()
        assert vector == pytest.approx(mean, abs=1e-5)
        at += len(pieces)


def test_several_layers_are_averaged(folder):
    one, two = (WordEncoder(folder, layer).vectors(SENTENCES[:1])[0] for layer in (1, 3))
    both = WordEncoder(folder, (1, 3)).vectors(SENTENCES[:1])[0]
    assert both == pytest.approx((one + two) / 2, abs=1e-5)


def test_sentences_longer_than_the_encoder_takes_are_read_in_windows(folder):
    words = ["Amina", "Juma"] * 200
    (found,) = WordEncoder(folder, 2).vectors([words])
    assert found.shape == (400, 32)
    assert np.isfinite(found).all()
    assert (np.abs(found).sum(axis=1) > 0).all()


def test_windows_leave_out_the_positions_that_no_piece_uses(folder):
    import torch

    encoder = WordEncoder(folder, 2)
    assert encoder.max_pieces == 48
    ids = torch.full((1, 48), encoder.pieces.unk_id)
    assert encoder._model(input_ids=ids).last_hidden_state.shape == (1, 48, 32)
    with pytest.raises((IndexError, RuntimeError)):  # a piece more has no position
        encoder._model(input_ids=torch.full((1, 49), encoder.pieces.unk_id))


def test_a_layer_that_is_not_there_and_a_folder_that_is_none_are_named(folder, tmp_path):
    with pytest.raises(OpticalError, match="E406"):
        WordEncoder(folder, 9)
    with pytest.raises(OpticalError, match="E702"):
        WordEncoder(tmp_path)


def test_a_word_longer_than_the_encoder_takes_is_cut(folder):
    (found,) = WordEncoder(folder, 2).vectors([["Amina", "x" * 500, "Juma"]])
    assert found.shape == (3, 32)
    assert (np.abs(found).sum(axis=1) > 0).all()


def test_layers_on_words_give_no_vectors_of_pieces(tmp_path):
    encoder = pooled_toy_encoder(tmp_path / "pooled", toy_tokenizer(), pool_after=2)
    assert WordEncoder(encoder, 2).vectors([["Amina"]])[0].shape == (1, 32)
    with pytest.raises(OpticalError, match=r"E406.*no layer 3: it has 3"):
        WordEncoder(encoder, 3)
