"""Sentence vectors are weighted means of the rows of an encoder's table."""

import numpy as np
import pytest

from spacy_optical.encoders.sentence_vectors import COMMON, SentenceEncoder
from spacy_optical.errors import OpticalError
from tests.util import toy_encoder, toy_tokenizer


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return toy_encoder(tmp_path_factory.mktemp("encoder"), toy_tokenizer(("Amina", "Juma")))


def test_a_sentence_is_the_weighted_mean_of_its_pieces(encoder):
    from tokenizers import Tokenizer
    from transformers import AutoModel

    table = AutoModel.from_pretrained(encoder).embeddings.word_embeddings.weight.detach().numpy()
    cut = Tokenizer.from_file(str(encoder / "tokenizer.json"))
    amina, juma = (table[cut.token_to_id(f"▁{name}")] for name in ("Amina", "Juma"))
    found = SentenceEncoder(encoder).vectors(["Amina Juma Juma", "Amina", ""])
    often, seldom = COMMON / (COMMON + 2 / 3), COMMON / (COMMON + 1 / 3)
    expected = (often * amina + 2 * seldom * juma) / (often + 2 * seldom)
    assert found.dtype == np.float16
    np.testing.assert_allclose(found[0], expected, atol=1e-3)
    np.testing.assert_allclose(found[1], amina, atol=1e-3)
    assert not found[2].any()


def test_an_encoder_that_is_missing_is_named(tmp_path):
    with pytest.raises(OpticalError, match="E702"):
        SentenceEncoder(tmp_path)
