import pytest

from spacy_optical.data.bitext import BitextPair
from spacy_optical.data.conll import TaggedSentence
from spacy_optical.data.corpus_checks import shared_words
from spacy_optical.errors import OpticalError

PAIRS = [BitextPair(str(i), f"the {i} th house", f"nyumba ya {i}") for i in range(200)]


def test_shared_words_tell_two_languages_apart():
    gold = [TaggedSentence("1", ("Nyumba", "ya", "Amina", ",", "12"), ())]
    assert shared_words("sw", PAIRS, gold) == pytest.approx(2 / 3, abs=1e-4)
    assert shared_words("sw", PAIRS, [TaggedSentence("1", ("дом",), ())]) == 0
    assert shared_words("sw", PAIRS, [TaggedSentence("1", ("12", "."), ())]) == 1
    assert shared_words("sw", PAIRS, []) is None
    with pytest.raises(OpticalError, match=r"E238.*'sw'"):
        shared_words("sw", PAIRS, [TaggedSentence("1", ("дом",) * 200, ())])
