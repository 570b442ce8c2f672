"""Tokenizers in fewer bytes."""

import json
import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spacy_optical.export.tokenizer import compact


def unigram(scores: list[float]) -> bytes:
    vocab = [[f"piece {i}", score] for i, score in enumerate(scores)]
    return json.dumps({"model": {"type": "Unigram", "unk_id": 0, "vocab": vocab}}).encode()


def test_a_score_is_written_as_briefly_as_single_precision_allows():
    content = compact(unigram([float(np.float32(-11.274690628051758))]))
    assert b'["piece 0",-11.274691]' in content


@given(st.lists(st.floats(-30, 0, width=32), min_size=1, max_size=20))
def test_single_precision_scores_are_read_back_as_they_were(scores: list[float]):
    vocab = json.loads(compact(unigram(scores)))["model"]["vocab"]
    assert [np.float32(score) for _, score in vocab] == [np.float32(score) for score in scores]
    assert all(math.isfinite(score) for _, score in vocab)


def test_other_tokenizers_and_settings_stay():
    setup = {"normalizer": {"type": "NFC"}, "model": {"type": "WordPiece", "vocab": {"ä": 0}}}
    assert json.loads(compact(json.dumps(setup, indent=1).encode())) == setup
