"""The scores of texts that were read lately, for another component with the same model.

Where `optical_tok2vec` and `optical_ner` are in one pipeline, the first one's run gives vectors and
scores; the second one takes the scores from here.
"""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

import numpy as np
from numpy.typing import NDArray

# Words whose scores are held at the most; a batch of spaCy's has 1,000 documents.
MOST_WORDS = 2**18


class RecentScores:
    """Scores by text, the oldest dropped first. Threads may share an instance.

    most_words (int): Words whose scores are held at the most.

    `wanted` is set by who looks scores up: nothing is kept before.
    """

    def __init__(self, most_words: int = MOST_WORDS) -> None:
        self.most_words = most_words
        self.wanted = False
        self._scores: OrderedDict[tuple[str, ...], NDArray[np.float32]] = OrderedDict()
        self._words = 0
        self._lock = Lock()

    def keep(self, texts: Sequence[Sequence[str]], scores: Sequence[NDArray[np.float32]]) -> None:
        """Hold the scores of texts, if anyone wants them.

        texts (Sequence[Sequence[str]]): The words of each text.
        scores (Sequence[NDArray[float32]]): For each text its logits, [words, tags].
        """
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
        """Look the scores of a text up.

        words (Sequence[str]): Its words.
        RETURNS (Optional[NDArray[float32]]): Its logits, [words, tags]; None if they are not held.
        """
        self.wanted = True
        return self._scores.get(tuple(words)) if self._scores else None
