"""The cache of words, against a plain dictionary."""

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from spacy_optical.runtime.word_cache import WordCache


@given(st.integers(1, 4), st.lists(st.text("abcdefgh", min_size=1, max_size=1), max_size=60))
def test_what_is_remembered_is_right_and_bounded(size: int, words: list[str]) -> None:
    cache = WordCache(size)
    for word in words:
        found = cache.get(word)
        assert found in (None, (ord(word),))
        if found is None:
            cache.put(word, (ord(word),))
        assert cache.get(word) == (ord(word),)
        assert len(cache) <= 2 * size


def test_what_is_asked_for_again_outlives_the_rest() -> None:
    cache = WordCache(10)
    cache.put("often", (1,))
    for at in range(100):
        cache.put(f"once{at}", (2,))
        if at % 5 == 0:
            assert cache.get("often") == (1,)
    assert cache.get("once0") is None


def test_threads_share_one() -> None:
    cache = WordCache(50)

    def use(start: int) -> bool:
        right = True
        for at in range(2000):
            word = str((start * 7 + at) % 300)
            found = cache.get(word)
            right &= found in (None, (int(word),))
            cache.put(word, (int(word),))
        return right

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(use, range(64)))
    # At worst each thread still fills the generation that it had when another began a new one.
    assert len(cache) <= 2 * 50 + 16
