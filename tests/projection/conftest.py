"""An encoder that knows nothing but spelling's pieces: enough for words that are written alike."""

import pytest

from spacy_optical.encoders.word_vectors import WordEncoder
from tests.util import toy_encoder, toy_tokenizer, without_positions

WORDS = ("Amina", "Juma", "Nairobi", "Mombasa", "Benki", "Kuu", "kwa", "na", ".", ",")


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoder")
    return without_positions(toy_encoder(folder, toy_tokenizer(WORDS)))


@pytest.fixture(scope="session")
def encoder(encoder_folder):
    return WordEncoder(encoder_folder, 0)
