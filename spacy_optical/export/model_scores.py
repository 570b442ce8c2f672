"""Scores of any kind of model on gold documents: a torch folder, a bundle, a pipeline."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.scorer import get_ner_prf
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import is_package

from ..data.docs import bare_doc, labels_not_labelled, read_docs
from ..encoders.folder import CONFIG
from ..errors import Errors, OpticalError
from ..runtime.bundle import MANIFEST_FILE, SIZES
from ..runtime.load_model import load_model


def evaluate_model(
    model: str | Path, gold: Mapping[str, Path], labels: Sequence[str] = ()
) -> dict[str, dict[str, Any]]:
    """Score a model on gold documents, in their own words.

    model (Union[str, Path]): A student's or teacher's folder, a bundle, a pipeline's folder or
        name, or the name of a model of the package.
    gold (Mapping[str, Path]): `.spacy` files by language.
    labels (Sequence[str]): The labels to score; all if empty.
    RETURNS (Dict[str, Dict[str, Any]]): For each language spaCy's `ents_p`, `ents_r`, `ents_f` and
        `ents_per_type`, 0 to 1.
    RAISES (OpticalError): If there is no such model, no gold documents, or a file is not whole.
    """
    if not gold:
        raise OpticalError(Errors.E505)
    if (Path(model) / CONFIG).is_file():
        from ..distill.tagger_evaluation import evaluate

        scores: dict[str, dict[str, Any]] = evaluate(
            Path(model), gold, name=str(model), labels=labels
        )["scores"]
        return scores
    known = any((Path(model) / name).is_file() for name in (MANIFEST_FILE, "config.cfg"))
    if not known and str(model) not in SIZES and not is_package(str(model)):
        raise OpticalError(Errors.E603.format(path=model))
    return evaluate_pipeline(load_model(str(model)), gold, labels)


def evaluate_pipeline(
    nlp: Language, gold: Mapping[str, Path], labels: Sequence[str] = ()
) -> dict[str, dict[str, Any]]:
    """Score a pipeline on gold documents, in their own words, as `spacy benchmark accuracy` does.

    nlp (Language): The pipeline.
    gold (Mapping[str, Path]): `.spacy` files by language.
    labels (Sequence[str]): The labels to score; all if empty. Labels that a document does not
        annotate are never scored.
    RETURNS (Dict[str, Dict[str, Any]]): For each language spaCy's `ents_p`, `ents_r`, `ents_f` and
        `ents_per_type`, 0 to 1.
    RAISES (OpticalError): If a file is missing or has no documents.
    """
    scores = {}
    for language, path in gold.items():
        docs = read_docs(path, nlp.vocab)
        examples = []
        for doc, guess in zip(docs, nlp.pipe(map(bare_doc, docs)), strict=True):
            for side in (doc, guess):
                _keep_labels(side, set(labels), set(labels_not_labelled(doc)))
            examples.append(Example(guess, doc))
        scores[language] = get_ner_prf(examples)
    return scores


def _keep_labels(doc: Doc, labels: set[str], lacking: set[str]) -> None:
    kept = [ent for ent in doc.ents if ent.label_ not in lacking]
    doc.set_ents([ent for ent in kept if not labels or ent.label_ in labels])
