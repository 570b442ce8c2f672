"""Temperature scaling of a tagger's scores, so that its confidence matches its accuracy."""

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


def temperature(logits: NDArray[np.floating], tags: NDArray[np.int64]) -> float:
    r"""Fit the temperature that maximizes the likelihood of the gold tags (arXiv 1706.04599).

    $$ \tau = \arg\min_\tau -\sum_j y_j \cdot \log \mathrm{softmax}(z_j / \tau) $$

    The gold tags y are smoothed (Platt 1999). Otherwise text without errors would make every score
    certain. Logits are [words, tags], gold tags [words]. A temperature above 1 means that the
    scores are too confident.
    """
    smoothing = 1 / (len(tags) + 2)
    gold = smoothing / logits.shape[1] + (1 - smoothing) * np.eye(logits.shape[1])[tags]

    def loss(log_temperature: float) -> float:
        log_probs = log_softmax(logits / np.exp(log_temperature), axis=-1)
        return -float((gold * log_probs).sum(axis=-1).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-2.5, 2.5), method="bounded").x))


def calibration_error(logits: NDArray[np.floating], tags: NDArray[np.int64]) -> float:
    """Compute the expected calibration error, 0 to 1, with 15 bins (arXiv 1706.04599, section 3).

    Logits are [words, tags], gold tags [words].
    """
    confidence = np.exp(log_softmax(logits.astype(np.float64), axis=-1).max(axis=-1))
    correct = logits.argmax(axis=-1) == tags
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [abs(float((correct[bins == b] - confidence[bins == b]).sum())) for b in range(BINS)]
    return sum(gaps) / len(tags)


def calibrate(tagger: WordTagger, gold: Sequence[Doc], pieces: WordPieces) -> dict[str, Any]:
    """Divide a tagger's scores by the temperature that fits gold documents.

    tagger (WordTagger): The tagger. Its classifier is changed in place, its best tags stay the
        same.
    gold (Sequence[Doc]): Development documents.
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
