"""Counting entities found against gold, and subword pieces of gold words."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from spacy.language import Language
from spacy.scorer import PRFScore
from spacy.tokens import Doc

from ..data.docs import read_docs

if TYPE_CHECKING:
    from ..pipeline.optical_ner import OpticalNER


def count_entities(
    nlp: Language, path: Path, labels: Sequence[str], label_map: Mapping[str, str]
) -> dict[str, list[list[int]]]:
    """Count right, wrong and missed entities, document by document.

    The pipeline gets documents made of the gold words, so a difference between tokenizers is not
    judged. Summed over documents and labels the counts give spaCy's `ents_p`, `ents_r`, `ents_f`.

    nlp (Language): The pipeline.
    path (Path): A `.spacy` file with gold entities.
    labels (Sequence[str]): The labels to judge; other entities count neither way.
    label_map (Mapping[str, str]): The gold label that a label of the pipeline stands for.
    RETURNS (Dict[str, List[List[int]]]): For each label a row a document: true positives, false
        positives, false negatives.
    """
    gold_docs = read_docs(path, nlp.vocab)
    bare = [bare_doc(nlp, doc) for doc in gold_docs]
    counts: dict[str, list[list[int]]] = {label: [] for label in labels}
    for gold, found in zip(gold_docs, nlp.pipe(bare), strict=True):
        expected = {(e.label_, e.start, e.end) for e in gold.ents}
        predicted = {(label_map.get(e.label_, e.label_), e.start, e.end) for e in found.ents}
        for label, rows in counts.items():
            score = PRFScore()
            score.score_set(
                {key for key in predicted if key[0] == label},
                {key for key in expected if key[0] == label},
            )
            rows.append([score.tp, score.fp, score.fn])
    return counts


def bare_doc(nlp: Language, gold: Doc) -> Doc:
    """Make a document of the same words and spaces that has no annotation.

    nlp (Language): The pipeline whose vocabulary it uses.
    gold (Doc): The annotated document.
    RETURNS (Doc): The bare one.
    """
    words = [token.text for token in gold]
    return Doc(nlp.vocab, words=words, spaces=[bool(token.whitespace_) for token in gold])


def count_pieces(nlp: Language, path: Path) -> dict[str, int] | None:
    """Count the subword pieces that gold words are cut into.

    nlp (Language): The pipeline.
    path (Path): A `.spacy` file.
    RETURNS (Optional[Dict[str, int]]): `words`, `pieces` and `unknown` (pieces outside the
        vocabulary), or None if the pipeline has no `optical_ner`.
    """
    for name in nlp.pipe_names:
        if nlp.get_pipe_meta(name).factory == "optical_ner":
            pipe = cast("OpticalNER", nlp.get_pipe(name))
            cutter = pipe.runtime.words_to_pieces
            docs = read_docs(path, nlp.vocab)
            words = [token.text for doc in docs for token in doc if not token.is_space]
            pieces = [piece for word in cutter.pieces(words) for piece in word]
            unknown = sum(piece == cutter.unk_id for piece in pieces)
            return {"words": len(words), "pieces": len(pieces), "unknown": unknown}
    return None
