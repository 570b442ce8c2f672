"""The scores of recent texts, for another component with the same model.

If a pipeline has `optical_tok2vec` and `optical_ner`, the first one computes vectors and scores in
one run, and the second one gets the scores from here.
"""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

import numpy as np
from numpy.typing import NDArray

# spaCy's batches have 1,000 documents by default.
MOST_WORDS = 2**18


class RecentScores:
    """Scores by text. The oldest are dropped first. Threads may share an instance.

    Nothing is kept before `get` is called for the first time, which sets `wanted`.

    most_words (int): The maximum number of words whose scores are kept.
    """

    def __init__(self, most_words: int = MOST_WORDS) -> None:
        self.most_words = most_words
        self.wanted = False
        self._scores: OrderedDict[tuple[str, ...], NDArray[np.float32]] = OrderedDict()
        self._words = 0
        self._lock = Lock()

    def keep(self, texts: Sequence[Sequence[str]], scores: Sequence[NDArray[np.float32]]) -> None:
        """Keep the logits [words, tags] of texts, if they are wanted."""
        if not self.wanted:
            return
        with self._lock:
            for words, array in zip(texts, scores, strict=True):
                key = tuple(words)
                if key not in self._scores:
                    self._scores[key] = array
                    self._words += len(key)
            while self._words > self.most_words:
                dropped, _ = self._scores.popitem(last=False)
                self._words -= len(dropped)

    def get(self, words: Sequence[str]) -> NDArray[np.float32] | None:
        """Get the logits [words, tags] of a text. None if they are not kept."""
        self.wanted = True
        return self._scores.get(tuple(words)) if self._scores else None
