"""Scores of any kind of model on gold documents: a torch folder, a bundle, a pipeline."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import spacy

from ..errors import Errors, OpticalError
from ..profiling.accuracy import evaluate_pipeline
from ..profiling.workload import Target

# What a Hugging Face folder has, and no bundle or pipeline.
TORCH_CONFIG = "config.json"


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
    if (Path(model) / TORCH_CONFIG).is_file():
        from ..distill.tagger_evaluation import evaluate

        scores: dict[str, dict[str, Any]] = evaluate(
            Path(model), gold, name=str(model), labels=labels
        )["scores"]
        return scores
    target = Target.parse(str(model))
    if target.kind == "bundle":
        nlp = spacy.blank("xx")
        nlp.add_pipe("optical_ner", config={"model": target.path})
    else:
        nlp = spacy.load(target.path)
    return evaluate_pipeline(nlp, gold, labels)
