"""Scores that say how often they are right."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from spacy_optical.distill.calibrate import calibration_error, temperature


def drawn(words: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores, and tags drawn from just the distributions that they stand for."""
    rng = np.random.default_rng(seed)
    logits = 2 * rng.standard_normal((words, 5))
    chances = softmax(logits, axis=-1)
    tags = np.array([rng.choice(5, p=row) for row in chances])
    return logits, tags


@given(st.floats(0.3, 5.0))
def test_temperature_finds_what_scores_were_multiplied_by(factor: float) -> None:
    logits, tags = drawn(3000, 0)
    assert temperature(logits * factor, tags) == pytest.approx(factor, rel=0.1)


def test_scores_that_are_right_are_calibrated() -> None:
    logits, tags = drawn(20_000, 1)
    assert calibration_error(logits, tags) < 0.02
    assert calibration_error(5 * logits, tags) > 0.1


def test_calibration_error_by_hand() -> None:
    # Two words at 0.8 (one right), two at 0.6 (both right): (|1 - 1.6| + |2 - 1.2|) / 4.
    logits = np.log([[0.8, 0.2], [0.8, 0.2], [0.6, 0.4], [0.6, 0.4]])
    assert calibration_error(logits, np.array([0, 1, 0, 0])) == pytest.approx(1.4 / 4)


def test_faultless_reading_does_not_make_scores_certain() -> None:
    logits = np.array([[4.0, 0.0], [0.0, 3.0], [5.0, 0.0]])
    sharpened = softmax(logits / temperature(logits, np.array([0, 1, 0])), axis=-1)
    assert sharpened.max() < 0.999
