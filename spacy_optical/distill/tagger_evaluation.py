"""Evaluation of a tagger on gold documents."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from spacy.tokens import Doc

from ..data.docs import entity_spans, without_unannotated
from ..errors import Errors, OpticalError
from ..runtime.batching import Row, read_windows
from ..runtime.decode import decode
from ..runtime.pieces import WordPieces
from ..runtime.word_tokens import word_tokens
from ..scores import score, span_counts, with_labels
from .sentences import Sentence
from .tagger import WordTagger, read_sentences


def entity_scores(
    tagger: WordTagger, gold: Sequence[Doc], pieces: WordPieces, labels: Sequence[str] = ()
) -> dict[str, Any]:
    """Score a tagger on gold documents, with gold tokenization.

    tagger (WordTagger): The tagger.
    gold (Sequence[Doc]): Documents with entities.
    pieces (WordPieces): The tagger's tokenizer.
    labels (Sequence[str]): The labels to score; all if empty.
    RETURNS (Dict[str, Any]): spaCy's `ents_p`, `ents_r`, `ents_f` and `ents_per_type`, 0 to 1.
    """
    texts = [[token.text for token in word_tokens(doc)] for doc in gold]
    return scores_of(gold, word_logits(tagger, texts, pieces), tagger.tags, labels)


def word_logits(
    tagger: WordTagger,
    texts: Sequence[Sequence[str]],
    pieces: WordPieces,
    *,
    max_pieces: int | None = None,
) -> list[np.ndarray]:
    """Compute the logits of the words of texts of any length, in the windows of the runtime.

    tagger (WordTagger): The tagger.
    texts (Sequence[Sequence[str]]): The words of each text.
    pieces (WordPieces): The tagger's tokenizer.
    max_pieces (Optional[int]): The maximum number of pieces of a window, special ones included; by
        default that of the tagger.
    RETURNS (List[ndarray]): The logits of each text, [words, tags].
    """

    def read(rows: list[Row], length: int) -> list[np.ndarray]:
        sentences = [Sentence(("",) * len(row), tuple(row)) for row in rows]
        outputs = read_sentences(tagger, sentences, pieces, batch_size=len(rows))
        return [output.logits for output in outputs]

    return read_windows(
        [pieces.pieces(words) for words in texts],
        read,
        len(tagger.tags),
        max_pieces=max_pieces or tagger.max_pieces,
        special=pieces.frame,
        overlap=32,  # as in the runtime
        max_batch_pieces=4096,
    )


def scores_of(
    gold: Sequence[Doc],
    logits: Sequence[np.ndarray],
    tags: Sequence[str],
    labels: Sequence[str] = (),
) -> dict[str, Any]:
    """Compute the scores of `entity_scores` from the logits [words, tags] of each document."""
    expected = with_labels(map(entity_spans, gold), labels)
    predicted = with_labels(predicted_spans(gold, logits, tags), labels)

    def shares(label: str | None = None) -> dict[str, float]:
        one = score(span_counts(expected, predicted, label))
        return {"p": one.precision / 100, "r": one.recall / 100, "f": one.f1 / 100}

    kinds = sorted({label for spans in (*expected, *predicted) for *_, label in spans})
    total = {f"ents_{name}": value for name, value in shares().items()}
    return {**total, "ents_per_type": {label: shares(label) for label in kinds}}


def predicted_spans(
    docs: Sequence[Doc], logits: Sequence[np.ndarray], tags: Sequence[str]
) -> list[list[tuple[int, int, str]]]:
    """Decode logits to entities, without those that the gold cannot judge.

    docs (Sequence[Doc]): The documents.
    logits (Sequence[ndarray]): For each document [words, tags], without whitespace tokens.
    tags (Sequence[str]): The BIO tags.
    RETURNS (List[List[Tuple[int, int, str]]]): Start token, end token (exclusive) and label.
    """
    spans = []
    for doc, scores in zip(docs, logits, strict=True):
        at = [token.i for token in word_tokens(doc)]
        found = [(at[s.start], at[s.end - 1] + 1, s.label) for s in decode(scores, tags)]
        spans.append(without_unannotated(found, doc))
    return spans


def check_labels(gold: Sequence[Doc], labels: Iterable[str], path: Path) -> None:
    """Raise an error if gold documents from a path have a label that the model does not have."""
    known = sorted(labels)
    if unknown := {entity.label_ for doc in gold for entity in doc.ents}.difference(known):
        raise OpticalError(
            Errors.E411.format(label=min(unknown), path=path, known=", ".join(known))
        )
