"""Count the entities that a pipeline finds in gold documents, and the subword pieces."""

from collections.abc import Mapping, Sequence
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from ..data.docs import bare_doc, entity_spans, without_unannotated
from ..runtime.word_tokens import word_tokens
from ..scores import span_counts


def count_entities(
    nlp: Language, docs: Sequence[Doc], labels: Sequence[str], label_map: Mapping[str, str]
) -> dict[str, list[list[int]]]:
    """Count true positives, false positives and false negatives in each document.

    The pipeline gets the words of the gold documents, so its tokenizer is not evaluated. The sums
    over documents and labels give spaCy's `ents_p`, `ents_r` and `ents_f`.

    nlp (Language): The pipeline.
    docs (Sequence[Doc]): The gold documents.
    labels (Sequence[str]): The labels to evaluate. Other entities are ignored.
    label_map (Mapping[str, str]): Gold labels by labels of the pipeline.
    RETURNS (Dict[str, List[List[int]]]): For each label, three counts for each document.
    """
    found = nlp.pipe([bare_doc(doc) for doc in docs])
    gold = [entity_spans(doc) for doc in docs]
    predicted = [
        without_unannotated(entity_spans(guess, label_map), doc)
        for doc, guess in zip(docs, found, strict=True)
    ]
    return {label: span_counts(gold, predicted, label).tolist() for label in labels}


def count_pieces(nlp: Language, docs: Sequence[Doc]) -> dict[str, int] | None:
    """Count the subword pieces of gold words.

    nlp (Language): The pipeline.
    docs (Sequence[Doc]): The gold documents.
    RETURNS (Optional[Dict[str, int]]): `words`, `pieces` and `unknown` (pieces that are not in the
        vocabulary), or None if the pipeline has no `optical_ner`.
    """
    components: list[Any] = [
        pipe for name, pipe in nlp.pipeline if nlp.get_pipe_meta(name).factory == "optical_ner"
    ]
    if not components:
        return None
    splitter = components[0].runtime.words_to_pieces
    words = [token.text for doc in docs for token in word_tokens(doc)]
    pieces = [piece for word in splitter.pieces(words) for piece in word]
    unknown = pieces.count(splitter.unk_id)
    return {"words": len(words), "pieces": len(pieces), "unknown": unknown}
