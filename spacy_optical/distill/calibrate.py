"""One temperature for a tagger's scores, so that they say how often it is right."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from spacy.tokens import Doc

from ..runtime.pieces import WordPieces
from .sentences import labelled_sentence
from .tagger import WordTagger
from .tagger_evaluation import word_logits

BINS = 15
# Log temperatures beyond these say that there is nothing to fit.
_BOUNDS = (-2.5, 2.5)


def temperature(logits: NDArray[np.floating], tags: NDArray[np.int64]) -> float:
    r"""Fit the temperature that makes gold tags most likely (Guo et al. 2017, arXiv 1706.04599).

    $$ \tau = \arg\min_\tau -\sum_j y_j \cdot \log \mathrm{softmax}(z_j / \tau) $$

    where one word's worth of doubt is spread over all words' gold tags (Platt 1999): otherwise,
    text without errors would make every score certain. Logits are [words, tags], gold tags [words].
    A temperature above 1 means that the scores are too confident.
    """
    doubt = 1 / (len(tags) + 2)
    gold = doubt / logits.shape[1] + (1 - doubt) * np.eye(logits.shape[1])[tags]

    def surprise(log_temperature: float) -> float:
        log_probs = log_softmax(logits / np.exp(log_temperature), axis=-1)
        return -float((gold * log_probs).sum(axis=-1).mean())

    return float(np.exp(minimize_scalar(surprise, bounds=_BOUNDS, method="bounded").x))


def calibration_error(logits: NDArray[np.floating], tags: NDArray[np.int64]) -> float:
    """Measure how far confidence and accuracy of the best tag lie apart (ECE, the same paper, 3).

    The mean distance over 15 bins of equal width, weighted by words, 0 to 1.
    """
    sure = np.exp(log_softmax(logits.astype(np.float64), axis=-1).max(axis=-1))
    right = logits.argmax(axis=-1) == tags
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    gaps = [abs(float((right[bins == b] - sure[bins == b]).sum())) for b in range(BINS)]
    return sum(gaps) / len(tags)


def calibrate(tagger: WordTagger, gold: Sequence[Doc], pieces: WordPieces) -> dict[str, Any]:
    """Divide a tagger's scores by the temperature that fits gold documents; its tags stay.

    tagger (WordTagger): The tagger, whose classifier is changed in place.
    gold (Sequence[Doc]): Documents of the language that it was chosen on.
    pieces (WordPieces): The tagger's tokenizer.
    RETURNS (Dict[str, Any]): `temperature`, and the calibration error `before` and `after`, both on
        these documents.
    """
    number = {tag: i for i, tag in enumerate(tagger.tags)}
    sentences = [labelled_sentence(doc, pieces, number) for doc in gold]
    read = word_logits(tagger, [s.words for s in sentences], pieces)
    logits = np.concatenate(read)
    tags = np.array([tag for s in sentences for tag in s.tags or ()], dtype=np.int64)
    # A predicted label that was not annotated may be right.
    unknown = [np.isin(z.argmax(axis=-1), s.also) for s, z in zip(sentences, read, strict=True)]
    known = ~((tags == 0) & np.concatenate(unknown))
    logits, tags = logits[known], tags[known]
    fitted = temperature(logits, tags)
    with torch.no_grad():
        for weight in tagger.model.classifier.parameters():
            weight.div_(fitted)
    before, after = calibration_error(logits, tags), calibration_error(logits / fitted, tags)
    return {"temperature": fitted, "before": before, "after": after}
