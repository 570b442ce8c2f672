"""A trained model on the gold of every language, counted sentence by sentence."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from spacy.scorer import Scorer

from spacy_optical.data.docs import entity_spans, read_docs
from spacy_optical.distill.sentences import spacy_words
from spacy_optical.distill.tagger import load_tagger
from spacy_optical.distill.tagger_evaluation import check_labels, guessed, word_logits
from spacy_optical.encoders.folder import TOKENIZER
from spacy_optical.files import sha256
from spacy_optical.runtime.bundle import MANIFEST_FILE, Bundle
from spacy_optical.runtime.pieces import WordPieces
from spacy_optical.runtime.session import Runtime
from spacy_optical.scores import counts_text, span_counts

from .arm_metrics import Judgement

Texts = Sequence[Sequence[str]]


@dataclass(frozen=True)
class Reader:
    """Who is judged: its BIO tags, its labels, and the scores [words, tags] that it gives texts."""

    tags: list[str]
    labels: Sequence[str]
    scores: Callable[[Texts], list[np.ndarray]]


def reader_of(model: Path) -> Reader:
    """Open a bundle, which ONNX Runtime reads with, or a model's folder for torch.

    model (Path): The folder.
    RETURNS (Reader): Its reader.
    RAISES (OpticalError): If it is not whole.
    """
    if (model / MANIFEST_FILE).is_file():
        runtime = Runtime(Bundle.from_disk(model))
        return Reader(runtime.tags, runtime.bundle.info.labels, runtime.scores)
    tagger = load_tagger(model)
    pieces = WordPieces((model / TOKENIZER).read_bytes())
    return Reader(tagger.tags, tagger.labels, lambda texts: word_logits(tagger, texts, pieces))


def judge(model: Path, gold: Mapping[str, Path]) -> dict[str, Judgement]:
    """Score a model on gold documents; their own words are what is read.

    model (Path): A bundle, or the folder of a teacher or student.
    gold (Mapping[str, Path]): `.spacy` files by language.
    RETURNS (Dict[str, Judgement]): Scores and counts by language.
    RAISES (OpticalError): If gold has a label that the model lacks, or something is not whole.
    """
    reader = reader_of(Path(model))
    found = {}
    for language, path in gold.items():
        docs = read_docs(path)
        check_labels(docs, reader.labels, path)
        texts = [[doc[i].text for i in spacy_words(doc)] for doc in docs]
        examples = guessed(docs, reader.scores(texts), reader.tags)
        scores = Scorer.score_spans(examples, "ents")
        rows = span_counts(
            [entity_spans(example.reference) for example in examples],
            [entity_spans(example.predicted) for example in examples],
        )
        types = scores["ents_per_type"] or {}
        found[language] = Judgement(
            f1=scores["ents_f"] or 0.0,
            precision=scores["ents_p"] or 0.0,
            recall=scores["ents_r"] or 0.0,
            types={label: one["f"] for label, one in sorted(types.items())},
            gold=sha256(path),
            counts=counts_text(rows),
        )
    return found
