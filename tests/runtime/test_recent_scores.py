"""Scores that one component keeps for another."""

import numpy as np

from spacy_optical.runtime.recent_scores import RecentScores
from spacy_optical.runtime.shared import recent_scores_of

from ..util import toy_bundle


def scores_of(*lengths: int) -> list[np.ndarray]:
    return [np.full((length, 3), length, dtype=np.float32) for length in lengths]


def test_nothing_is_kept_that_nobody_asks_for():
    recent = RecentScores()
    recent.keep([["a", "b"]], scores_of(2))
    assert recent.get(["a", "b"]) is None
    recent.keep([["a", "b"]], scores_of(2))
    np.testing.assert_array_equal(recent.get(("a", "b")), scores_of(2)[0])
    assert recent.get(["a"]) is None


def test_the_oldest_go_first():
    recent = RecentScores(most_words=5)
    recent.get([])
    recent.keep([["a", "b"], ["c", "d"], ["e"]], scores_of(2, 2, 1))
    assert recent.get(["a", "b"]) is not None
    recent.keep([["a", "b"], ["f"]], scores_of(2, 1))  # kept once
    assert recent.get(["a", "b"]) is None
    assert [recent.get(words) is not None for words in (["c", "d"], ["e"], ["f"])] == [True] * 3
    recent.keep([["g"] * 6], scores_of(6))
    assert recent.get(["g"] * 6) is None
    assert recent.get(["f"]) is None


def test_models_with_other_windows_share_no_scores():
    wide, narrow = toy_bundle(max_pieces=24), toy_bundle(max_pieces=16)
    assert recent_scores_of(wide, 8) is not recent_scores_of(narrow, 8)
    kept = recent_scores_of(wide, 8)
    assert recent_scores_of(wide, 8) is kept
