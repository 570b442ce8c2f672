"""Evaluation of a model on the gold of every language, with the counts of each sentence."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spacy_optical.data.docs import entity_spans, read_docs
from spacy_optical.distill.tagger import load_tagger
from spacy_optical.distill.tagger_evaluation import check_labels, predicted_spans, word_logits
from spacy_optical.encoders.folder import TOKENIZER
from spacy_optical.files import sha256
from spacy_optical.runtime.bundle import MANIFEST_FILE, Bundle
from spacy_optical.runtime.pieces import WordPieces
from spacy_optical.runtime.session import Runtime
from spacy_optical.runtime.word_tokens import word_tokens
from spacy_optical.scores import counts_text, score, span_counts, with_labels

from .arm_metrics import LanguageResult

Texts = Sequence[Sequence[str]]


@dataclass(frozen=True)
class Reader:
    """A model to evaluate: its BIO tags, its labels, and its scores [words, tags] of texts."""

    tags: list[str]
    labels: Sequence[str]
    scores: Callable[[Texts], list[np.ndarray]]


def reader_of(model: Path) -> Reader:
    """Load a bundle for ONNX Runtime, or a teacher or student for torch.

    model (Path): The folder.
    RETURNS (Reader): The loaded model.
    RAISES (OpticalError): If the folder is not complete.
    """
    if (model / MANIFEST_FILE).is_file():
        runtime = Runtime(Bundle.from_disk(model))
        return Reader(runtime.tags, runtime.bundle.info.labels, runtime.scores)
    tagger = load_tagger(model)
    pieces = WordPieces((model / TOKENIZER).read_bytes())
    return Reader(tagger.tags, tagger.labels, lambda texts: word_logits(tagger, texts, pieces))


def evaluate_arm(
    model: Path, gold: Mapping[str, Path], labels: Sequence[str] = ()
) -> dict[str, LanguageResult]:
    """Score a model on the words of gold documents.

    model (Path): A bundle, or the folder of a teacher or student.
    gold (Mapping[str, Path]): `.spacy` files by language.
    labels (Sequence[str]): The labels to score. If empty, all labels.
    RETURNS (Dict[str, LanguageResult]): Scores and counts by language.
    RAISES (OpticalError): If gold has a label that the model lacks, or a folder is not complete.
    """
    reader = reader_of(Path(model))
    results = {}
    for language, path in gold.items():
        docs = read_docs(path)
        check_labels(docs, reader.labels, path)
        texts = [[token.text for token in word_tokens(doc)] for doc in docs]
        expected = with_labels(map(entity_spans, docs), labels)
        found = predicted_spans(docs, reader.scores(texts), reader.tags)
        predicted = with_labels(found, labels)
        types = sorted({label for spans in (*expected, *predicted) for *_, label in spans})
        rows = span_counts(expected, predicted)
        total = score(rows)
        results[language] = LanguageResult(
            f1=total.f1 / 100,
            precision=total.precision / 100,
            recall=total.recall / 100,
            types={one: score(span_counts(expected, predicted, one)).f1 / 100 for one in types},
            gold=sha256(path),
            counts=counts_text(rows),
        )
    return results
