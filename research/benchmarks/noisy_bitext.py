"""Measure label projection with each aligner if a part of the bitext is not parallel.

    python -m research.benchmarks.noisy_bitext SOURCE.iob2 TARGET.iob2 --encoder assets/encoder

Both files have gold entities and the same sentence ids. A share of the pairs is damaged: the
target is that of another sentence (`random`), or half of it is missing (`cut`). Pairs that are
skipped for their low similarity are not counted; they are the same for every aligner. Entities
below the threshold are left out, as in `project-labels`; `best` is F1 at the best threshold for the
aligner and the noise. The gold of a damaged pair has the entities that can be projected: none in a
random target, and those in the remaining half.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from research import aligners as _controls  # noqa: F401  registers them
from research.projection_evaluation import TaggedPair, read_tagged_pairs
from spacy_optical.align import AlignConfig, align_and_project
from spacy_optical.align.config import aligner
from spacy_optical.align.project import ProjectedSpan
from spacy_optical.data.conll import TaggedSentence
from spacy_optical.encoders.word_vectors import WordEncoder
from spacy_optical.files import write_json
from spacy_optical.projection import THRESHOLD
from spacy_optical.scores import macro_f1_interval, score, span_counts

SHARES = (0.0, 0.1, 0.3, 0.5)
THRESHOLDS = [0.0, *np.arange(0.1, 0.96, 0.05).tolist()]
NAMES = ("partial", "exact", "entropic", "unbalanced", "softmax", "mutual_argmax")
Spans = Sequence[tuple[int, int, str]]
# The source, the words of the target, and the entities that can be projected.
Damaged = tuple[TaggedSentence, Sequence[str], Spans]


def damaged(pairs: Sequence[TaggedPair], kind: str, share: float, seed: int) -> list[Damaged]:
    """Damage a share of the pairs."""
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(pairs))[: round(share * len(pairs))]
    found: list[Damaged] = [(source, target.words, target.spans) for source, target in pairs]
    for row, other in zip(chosen.tolist(), np.roll(chosen, 1).tolist(), strict=True):
        source, target = pairs[row]
        if kind == "random":
            found[row] = (source, pairs[other][1].words, ())
            continue
        half = max(1, len(target.words) // 2)
        start = int(rng.integers(0, len(target.words) - half + 1))
        kept = [
            (begin - start, end - start, label)
            for begin, end, label in target.spans
            if start <= begin and end <= start + half
        ]
        found[row] = (source, target.words[start : start + half], kept)
    return found


def projected(
    parts: Sequence[Sequence[Damaged]],
    left: Sequence[np.ndarray],
    vectors: Sequence[Sequence[np.ndarray]],
    config: AlignConfig,
) -> tuple[list[Spans], list[Sequence[ProjectedSpan]]]:
    """Project with one aligner, and return gold and projected entities of the usable pairs."""
    gold: list[Spans] = []
    found: list[Sequence[ProjectedSpan]] = []
    for part, right in zip(parts, vectors, strict=True):
        for (source, words, spans), x, y in zip(part, left, right, strict=True):
            plan, entities = align_and_project(x, y, source.words, words, source.spans, config)
            if plan.similarity >= config.skip_below:
                gold.append(spans)
                found.append(entities)
    return gold, found


def counts_at(
    threshold: float, gold: Sequence[Spans], predicted: Sequence[Sequence[ProjectedSpan]]
) -> np.ndarray:
    """Count the entities of each sentence, without predictions below the threshold."""
    kept = [[s[:3] for s in spans if s.confidence >= threshold] for spans in predicted]
    return span_counts(gold, kept)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--encoder", type=Path, required=True)
    parser.add_argument("--out", type=Path, help="JSON file to write")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threshold", type=float, default=THRESHOLD)
    arguments = parser.parse_args(argv)
    pairs, _ = read_tagged_pairs(arguments.source, arguments.target)
    encoder = WordEncoder(arguments.encoder)
    known: dict[tuple[str, ...], np.ndarray] = {}

    def vectors_of(sentences: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """Encode each sentence once, because most of them are in every part."""
        new = list(dict.fromkeys(key for s in sentences if (key := tuple(s)) not in known))
        known.update(zip(new, encoder.vectors(new), strict=True))
        return [known[tuple(sentence)] for sentence in sentences]

    left = vectors_of([source.words for source, _ in pairs])
    rows = []
    for kind in ("random", "cut"):
        for share in SHARES:
            seeds = range(arguments.seeds if share else 1)
            parts = [damaged(pairs, kind, share, seed) for seed in seeds]
            vectors = [vectors_of([words for _, words, _ in part]) for part in parts]
            for name in NAMES:
                gold, predicted = projected(parts, left, vectors, aligner(name))
                counts = counts_at(arguments.threshold, gold, predicted)
                best = max(score(counts_at(t, gold, predicted)).f1 for t in THRESHOLDS)
                result, interval = score(counts), macro_f1_interval([counts], resamples=1000)
                row = {"noise": kind, "share": share, "aligner": name}
                row |= {"threshold": arguments.threshold, "pairs": len(gold)}
                figures = (result.precision, result.recall, result.f1, *interval, best)
                names = ("precision", "recall", "f1", "low", "high", "best")
                row |= dict(zip(names, (round(float(x), 2) for x in figures), strict=True))
                rows.append(row)
                print(json.dumps(row), flush=True)
    if arguments.out is not None:
        write_json(arguments.out, rows)


if __name__ == "__main__":
    main()
