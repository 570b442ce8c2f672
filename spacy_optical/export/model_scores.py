"""Score any kind of model on gold documents: a torch model, a bundle or a pipeline."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.scorer import get_ner_prf
from spacy.tokens import Doc
from spacy.training import Example

from ..data.docs import bare_doc, labels_not_labelled, read_docs, unannotated_tokens
from ..encoders.folder import CONFIG, TOKENIZER
from ..errors import Errors, OpticalError
from ..runtime.bundle import MANIFEST_FILE
from ..runtime.load_model import is_name, load_model
from ..runtime.pieces import WordPieces


def evaluate_model(
    model: str | Path, gold: Mapping[str, Path], labels: Sequence[str] = ()
) -> dict[str, dict[str, Any]]:
    """Score a model on gold documents with their own tokens.

    model (Union[str, Path]): The folder of a student, teacher, bundle or pipeline, or the name of a
        pipeline or of a model of the package.
    gold (Mapping[str, Path]): `.spacy` files by language.
    labels (Sequence[str]): The labels to score. If empty, all labels.
    RETURNS (Dict[str, Dict[str, Any]]): spaCy's `ents_p`, `ents_r`, `ents_f` and `ents_per_type` by
        language, 0 to 1.
    RAISES (OpticalError): If there is no such model or no gold, a file is damaged, the gold has a
        label that the student or teacher does not have, no entity of a gold file has a label to
        score, or the model lacks one of the labels to score.
    """
    if not gold:
        raise OpticalError(Errors.E505)
    if not is_name(model):
        if (Path(model) / CONFIG).is_file():
            return _tagger_scores(Path(model), gold, labels)
        if not any((Path(model) / name).is_file() for name in (MANIFEST_FILE, "config.cfg")):
            raise OpticalError(Errors.E603.format(path=model))
    return _pipeline_scores(load_model(model), gold, labels)


def _tagger_scores(
    folder: Path, gold: Mapping[str, Path], labels: Sequence[str]
) -> dict[str, dict[str, Any]]:
    from ..distill.tagger import load_tagger
    from ..distill.tagger_evaluation import check_labels, entity_scores

    tagger, pieces = load_tagger(folder), WordPieces((folder / TOKENIZER).read_bytes())
    docs = {language: read_docs(path) for language, path in gold.items()}
    for language, part in docs.items():
        check_labels(part, tagger.labels, gold[language])
        _check_entities(part, labels or tagger.labels, gold[language])
    _check_known(labels, tagger.labels)
    return {lang: entity_scores(tagger, part, pieces, labels) for lang, part in docs.items()}


def _pipeline_scores(
    nlp: Language, gold: Mapping[str, Path], labels: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Score like `spacy benchmark accuracy`, without labels that a document does not annotate."""
    known = sorted(set().union(*nlp.pipe_labels.values()))
    _check_known(labels, known)
    scores = {}
    for language, path in gold.items():
        docs = read_docs(path, nlp.vocab)
        _check_entities(docs, labels or known, path)
        examples = []
        for doc, guess in zip(docs, nlp.pipe(map(bare_doc, docs)), strict=True):
            missing = [doc[at : at + 1] for at in sorted(unannotated_tokens(doc))]
            for side in (doc, guess):
                kept = {ent.label_ for ent in side.ents}.difference(labels_not_labelled(doc))
                kept = kept.intersection(labels) if labels else kept
                ents = [ent for ent in side.ents if ent.label_ in kept]
                side.set_ents(ents, missing=missing if side is doc else None)
            examples.append(Example(guess, doc))
        scores[language] = get_ner_prf(examples)
    return scores


def _check_entities(docs: Sequence[Doc], labels: Sequence[str], path: Path) -> None:
    """Raise an error if gold has no entity with one of the labels. No labels allow any."""
    found = {entity.label_ for doc in docs for entity in doc.ents}
    if not found:
        raise OpticalError(Errors.E604.format(path=path))
    if labels and found.isdisjoint(labels):
        lists = {"found": ", ".join(sorted(found)), "labels": ", ".join(labels)}
        raise OpticalError(Errors.E510.format(path=path, **lists))


def _check_known(labels: Sequence[str], known: Sequence[str]) -> None:
    """Raise an error if the model does not have a label to score. Some pipes do not list theirs."""
    if known and (unknown := sorted(set(labels).difference(known))):
        lists = {"unknown": ", ".join(unknown), "known": ", ".join(known)}
        raise OpticalError(Errors.E509.format(**lists))
