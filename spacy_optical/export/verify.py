"""The gate: compare a bundle with the torch model before it is written."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from spacy.tokens import Doc

from ..data.docs import entity_spans
from ..distill.tagger import WordTagger
from ..distill.tagger_evaluation import predicted_spans, word_logits
from ..errors import Errors, OpticalError
from ..runtime.bundle import Bundle
from ..runtime.session import Runtime
from ..runtime.word_tokens import word_tokens
from ..scores import score, span_counts

# The order of sums differs, which changes the rounding of fp32.
MAX_FP32_DIFFERENCE = 1e-3


@dataclass(frozen=True)
class Gate:
    """The maximum loss of a bundle compared with the fp32 graph.

    max_f1_loss (float): Points of F1, 0 to 100.
    max_disagreement (float): The share of words with a different tag, 0 to 1.
    """

    max_f1_loss: float = 1.0
    max_disagreement: float = 0.02

    def refusal(self, verdict: "Verdict", out: Path) -> str:
        """Return the reason not to write a bundle to `out`. Empty if it passes."""
        loss, share = verdict.f1_fp32 - verdict.f1, verdict.disagreement
        if loss <= self.max_f1_loss and share <= self.max_disagreement:
            return ""
        limits = {"max_loss": self.max_f1_loss, "max_share": self.max_disagreement}
        return Errors.E504.format(path=out, loss=loss, share=share, **limits)


@dataclass(frozen=True)
class Verdict:
    """The results: logits compared with torch, tags and F1 (0 to 100) compared with fp32."""

    fp32_max_difference: float
    disagreement: float
    f1_fp32: float
    f1: float
    words: int

    def record(self) -> dict[str, float]:
        """Return the results for the manifest."""
        return {name: round(float(value), 6) for name, value in asdict(self).items()}


def verify(
    tagger: WordTagger,
    fp32: Bundle,
    bundle: Bundle,
    gold: Mapping[str, Sequence[Doc]],
) -> Verdict:
    """Compare a bundle with its fp32 version, and the fp32 version with torch.

    tagger (WordTagger): The torch model.
    fp32 (Bundle): The bundle in fp32.
    bundle (Bundle): The bundle to verify. It may be the same.
    gold (Mapping[str, Sequence[Doc]]): Development documents by language.
    RETURNS (Verdict): The results.
    RAISES (OpticalError): If the gold has no words, or the outputs of fp32 and torch differ.
    """
    docs = [doc for part in gold.values() for doc in part]
    reader, reference = Runtime(bundle), Runtime(fp32)
    words = [[token.text for token in word_tokens(doc)] for doc in docs]
    pieces = reference.words_to_pieces
    if not any(words):
        raise OpticalError(Errors.E505)
    by_torch = word_logits(tagger, words, pieces, max_pieces=fp32.info.max_pieces)
    exact, quick = reference.scores(words), reader.scores(words)
    difference = float(np.abs(np.concatenate(exact) - np.concatenate(by_torch)).max())
    if not difference <= MAX_FP32_DIFFERENCE:  # NaN too
        raise OpticalError(Errors.E503.format(difference=difference, allowed=MAX_FP32_DIFFERENCE))
    a = np.concatenate([scores.argmax(axis=-1) for scores in exact])
    b = np.concatenate([scores.argmax(axis=-1) for scores in quick])
    return Verdict(
        fp32_max_difference=difference,
        disagreement=float((a != b).mean()),
        f1_fp32=_f1(docs, exact, reference),
        f1=_f1(docs, quick, reader),
        words=len(a),
    )


def _f1(docs: Sequence[Doc], scores: Sequence[np.ndarray], runtime: Runtime) -> float:
    gold = [entity_spans(doc) for doc in docs]
    return score(span_counts(gold, predicted_spans(docs, scores, runtime.tags))).f1
