"""Offsets, blocks and matching of sentences, on vectors that are known to belong together."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_optical.align.sentence_odds import WINDOW, Block, TranslationOdds, find_blocks, match

N, WIDTH = 300, 24


def sides(order, seed=0, noise=0.5):
    """Vectors and lengths of sentences and of their translations in another order."""
    rng = np.random.default_rng(seed)
    vectors, lengths = rng.normal(size=(N, WIDTH)), rng.integers(20, 200, N)
    others = vectors + noise * rng.normal(size=(N, WIDTH))
    return vectors, others[order], lengths, lengths[order]


def test_a_file_in_order_is_one_block():
    odds = TranslationOdds(*sides(np.arange(N)))
    assert find_blocks(odds.offsets) == [Block(0, N, 0)]
    assert (odds.offsets[:, odds.reach] > 0).mean() > 0.97


@settings(max_examples=20, deadline=None)
@given(shift=st.integers(1, 9), start=st.integers(60, 110), seed=st.integers(0, 9))
@pytest.mark.parametrize("sign", [-1, 1])
def test_a_shifted_block_is_found_with_its_offset(sign, shift, start, seed):
    order = np.arange(N)
    order[start : start + 100] = np.roll(order[start : start + 100], sign * shift)
    odds = TranslationOdds(*sides(order, seed))
    found = [block for block in find_blocks(odds.offsets) if block.offset not in (0, None)]
    assert [block.offset for block in found] == [sign * shift]
    assert abs(found[0].start - start) <= 12
    assert abs(found[0].end - start - 100) <= 12


def test_a_scrambled_block_is_at_no_offset_and_matched_again():
    rng = np.random.default_rng(1)
    order = np.arange(N)
    order[100:200] = rng.permutation(order[100:200])
    odds = TranslationOdds(*sides(order))
    (block,) = [block for block in find_blocks(odds.offsets) if block.offset != 0]
    assert block.offset is None
    assert abs(block.start - 100) <= 3
    assert abs(block.end - 200) <= 3
    rows = np.arange(100, 200)
    place = np.argsort(order)
    pairs = match(odds.between(rows, rows))
    right = sum(place[100 + i] == 100 + j for i, j in pairs)
    assert right >= 95


def test_a_window_at_the_end_may_lack_offsets():
    count = 6 * WINDOW + 3  # the last three rows have no partner at the larger offsets
    vectors, others, *lengths = (side[:count] for side in sides(np.arange(N)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        odds = TranslationOdds(vectors, others, *lengths)
    assert find_blocks(odds.offsets) == [Block(0, count, 0)]


def test_single_pairs_that_met_by_chance_make_no_block():
    order = np.arange(N)
    order[::10] = np.roll(order[::10], 1)
    odds = TranslationOdds(*sides(order))
    assert find_blocks(odds.offsets) == [Block(0, N, 0)]
    own = odds.offsets[:, odds.reach]
    assert (own[::10] < 0).all()
    assert (np.delete(own, np.s_[::10]) > 0).mean() > 0.97


def test_a_file_that_is_shifted_as_a_whole_is_one_block():
    odds = TranslationOdds(*sides(np.roll(np.arange(N), 2)))
    longest = max(find_blocks(odds.offsets), key=lambda block: block.end - block.start)
    assert longest.offset == 2
    assert longest.end - longest.start >= N - 4


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_vectors_that_are_all_alike_raise_no_error(value):
    same = np.full((60, 4), value)
    odds = TranslationOdds(same, same, np.full(60, 9), np.full(60, 9))
    assert np.isfinite(odds.at(np.arange(60), np.arange(60))).all()


def test_a_sentence_without_a_partner_stays_alone():
    assert match(np.array([[5.0, 4.0], [4.5, -1.0], [-1.0, -1.0]])) == [(0, 1), (1, 0)]
    assert match(np.full((3, 2), -1.0)) == []
