"""Counting the entities found in gold documents, and the subword pieces of gold words."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from spacy.language import Language
from spacy.tokens import Doc

from ..data.docs import bare_doc, entity_spans, labels_not_labelled
from ..runtime.word_tokens import word_tokens
from ..scores import span_counts

if TYPE_CHECKING:
    from ..pipeline.optical_ner import OpticalNER


def count_entities(
    nlp: Language, docs: Sequence[Doc], labels: Sequence[str], label_map: Mapping[str, str]
) -> dict[str, list[list[int]]]:
    """Count true positives, false positives and false negatives, document by document.

    The pipeline gets documents made of the gold words, so tokenizers are not evaluated. Summed over
    documents and labels the counts give spaCy's `ents_p`, `ents_r` and `ents_f`.

    docs (Sequence[Doc]): The gold documents.
    labels (Sequence[str]): The labels to evaluate; other entities are ignored.
    label_map (Mapping[str, str]): For a label of the pipeline the gold label that it stands for.
    RETURNS (Dict[str, List[List[int]]]): For each label one row of three counts per document.
    """
    found = nlp.pipe([bare_doc(doc) for doc in docs])
    gold = [entity_spans(doc) for doc in docs]
    predicted = [
        [span for span in entity_spans(guess, label_map) if span[2] not in labels_not_labelled(doc)]
        for doc, guess in zip(docs, found, strict=True)
    ]
    return {label: span_counts(gold, predicted, label).tolist() for label in labels}


def count_pieces(nlp: Language, docs: Sequence[Doc]) -> dict[str, int] | None:
    """Count the subword pieces of gold words.

    RETURNS (Optional[Dict[str, int]]): `words`, `pieces` and `unknown` (pieces outside the
        vocabulary), or None if the pipeline has no `optical_ner`.
    """
    for name in nlp.pipe_names:
        if nlp.get_pipe_meta(name).factory == "optical_ner":
            cutter = cast("OpticalNER", nlp.get_pipe(name)).runtime.words_to_pieces
            words = [token.text for doc in docs for token in word_tokens(doc)]
            pieces = [piece for word in cutter.pieces(words) for piece in word]
            unknown = sum(piece == cutter.unk_id for piece in pieces)
            return {"words": len(words), "pieces": len(pieces), "unknown": unknown}
    return None
