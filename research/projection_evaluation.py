"""Evaluate the label projection of aligners on parallel text with gold entities on both sides."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spacy_optical.align import align_and_project
from spacy_optical.align.config import DEFAULT_ALIGNER, aligner
from spacy_optical.data.conll import TaggedSentence, read_iob2
from spacy_optical.encoders.word_vectors import WordEncoder
from spacy_optical.errors import OpticalError
from spacy_optical.scores import Score, macro_f1_interval, score, span_counts
from spacy_optical.scores.counts import Span

from .errors import Errors

TaggedPair = tuple[TaggedSentence, TaggedSentence]


@dataclass(frozen=True)
class AlignerResult:
    """The result of an aligner.

    score (Score): The score over all labels.
    share (float): F1 as a share of the ceiling's F1.
    by_label (Dict[str, Score]): The score of each label.
    interval (Tuple[float, float]): The 95 % confidence interval of F1 over sentences.
    ms_per_pair (float): Milliseconds for cost, plan and projection of a pair, without encoding.
    """

    score: Score
    share: float
    by_label: dict[str, Score]
    interval: tuple[float, float]
    ms_per_pair: float


@dataclass(frozen=True)
class ProjectionEvaluation:
    """The results of all aligners on a text.

    sentences (int): The number of sentences in both files.
    left_out (int): The number of sentences in one file only.
    ceiling (Score): The best possible score, see `ceiling_counts`.
    aligners (Dict[str, AlignerResult]): The results by name.
    """

    sentences: int
    left_out: int
    ceiling: Score
    aligners: dict[str, AlignerResult]

    def table(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """Get the header and a row for each aligner, as text."""
        labels = sorted({label for result in self.aligners.values() for label in result.by_label})
        header = ("Aligner", "F1", "95 %", "Of ceiling", "P", "R", *labels, "ms/pair")
        rows = []
        for name, result in self.aligners.items():
            low, high = result.interval
            columns = [f"{result.score.f1:.1f}", f"{low:.1f}–{high:.1f}", f"{result.share:.1%}"]
            columns += [f"{result.score.precision:.1f}", f"{result.score.recall:.1f}"]
            columns += [f"{result.by_label[label].f1:.1f}" for label in labels]
            rows.append((name, *columns, f"{result.ms_per_pair:.2f}"))
        return header, rows

    def to_json(self) -> dict[str, Any]:
        """Get the results as `evaluate-projection --output` writes them; F1 is 0 to 100."""
        aligners = {
            name: {
                "f1": round(result.score.f1, 2),
                "share_of_ceiling": round(result.share, 4),
                "ms_per_pair": round(result.ms_per_pair, 3),
                "ci": [round(bound, 2) for bound in result.interval],
            }
            for name, result in self.aligners.items()
        }
        ceiling = round(self.ceiling.f1, 2)
        return {"ceiling": ceiling, "aligners": aligners, "default": DEFAULT_ALIGNER}


def ceiling_counts(
    source: Sequence[Sequence[Span]], target: Sequence[Sequence[Span]]
) -> NDArray[np.int64]:
    """Count the spans of a perfect projection between sides with different annotations.

    Projection does not change labels, so only the numbers of spans with each label are compared.

    source (Sequence[Sequence[Span]]): Start, end and label of the gold spans of each sentence.
    target (Sequence[Sequence[Span]]): The same of its translation.
    RETURNS (ndarray): [sentences, 3], as `span_counts` returns them.
    RAISES (OpticalError): If the two sides have different numbers of sentences.

    >>> ceiling_counts([[(0, 1, "PER")]], [[(4, 6, "PER"), (7, 8, "LOC")]]).tolist()
    [[1, 0, 1]]
    """
    gold, found = (
        [[(0, 0, label) for *_, label in spans] for spans in side] for side in (target, source)
    )
    return span_counts(gold, found)


def read_tagged_pairs(source: Path, target: Path) -> tuple[list[TaggedPair], int]:
    """Read tagged sentences and their tagged translations.

    source, target (Path): Files with the same sentence ids, see `read_iob2`.
    RETURNS (Tuple[List[TaggedPair], int]): The pairs in the order of the source, and the number of
        sentences in one file only.
    RAISES (OpticalError): As `read_iob2`, or if no sentence id is in both files.
    """
    left, right = read_iob2(source), read_iob2(target)
    translations = {sentence.id: sentence for sentence in right}
    pairs = [(s, translations[s.id]) for s in left if s.id in translations]
    if not pairs:
        raise OpticalError(Errors.E315.format(source=source, target=target))
    return pairs, len(left) + len(right) - 2 * len(pairs)


def evaluate_projection(
    source: Path,
    target: Path,
    encoder: WordEncoder,
    aligners: Sequence[str],
    *,
    say: Callable[[str], None] = lambda text: None,
) -> ProjectionEvaluation:
    """Project the gold entities of the source and compare them with those of the target.

    source, target (Path): Files with the same sentence ids, see `read_iob2`.
    encoder (WordEncoder): The encoder of the word vectors.
    aligners (Sequence[str]): Names of aligners.
    say (Callable[[str], None]): Called with a message for each step.
    RETURNS (ProjectionEvaluation): The results.
    RAISES (OpticalError): As `read_tagged_pairs` and `aligner`.
    """
    configs = {name: aligner(name) for name in aligners}
    pairs, left_out = read_tagged_pairs(source, target)
    say(f"Encoding {len(pairs)} pairs")
    x = encoder.vectors([s.words for s, _ in pairs])
    y = encoder.vectors([t.words for _, t in pairs])
    gold = [t.spans for _, t in pairs]
    labels = sorted({label for spans in gold for *_, label in spans})
    ceiling = score(ceiling_counts([s.spans for s, _ in pairs], gold))
    results = {}
    for name, config in configs.items():
        say(f"Aligning with {name}")
        # The first call imports the solver, which is not part of the measured time.
        first, second = pairs[0]
        align_and_project(x[0], y[0], first.words, second.words, first.spans, config)
        predicted = []
        start = time.perf_counter()
        for (s, t), a, b in zip(pairs, x, y, strict=True):
            _, spans = align_and_project(a, b, s.words, t.words, s.spans, config)
            predicted.append([span[:3] for span in spans])
        seconds = time.perf_counter() - start
        counts = span_counts(gold, predicted)
        total = score(counts)
        results[name] = AlignerResult(
            total,
            total.f1 / max(ceiling.f1, 1e-9),
            {label: score(span_counts(gold, predicted, label)) for label in labels},
            macro_f1_interval([counts], resamples=2000),
            1000 * seconds / len(pairs),
        )
    return ProjectionEvaluation(len(pairs), left_out, ceiling, results)
