"""A trained model's F1 by language."""

from collections.abc import Mapping
from pathlib import Path
from statistics import mean
from typing import Any

from ..data.docs import read_docs
from ..encoders.fetch import TOKENIZER
from ..errors import Errors, OpticalError
from ..runtime.pieces import WordPieces
from .judge import check_labels, entity_scores
from .tagger import load_tagger


def evaluate(
    model: Path, gold: Mapping[str, Path], *, name: str, source: str = "en"
) -> dict[str, Any]:
    """Score a model on gold documents.

    model (Path): A student's or teacher's folder.
    gold (Mapping[str, Path]): `.spacy` files by language.
    name (str): What to call the model.
    source (str): The language that the labels were in; the macro average leaves it out.
    RETURNS (Dict[str, Any]): `name`, `f1` by language and `macro_f1`, 0 to 1.
    RAISES (OpticalError): If there are no gold documents, gold has a label that the model lacks, or
        the model or a file is not whole.
    """
    if not gold:
        raise OpticalError(Errors.E505)
    tagger = load_tagger(Path(model))
    pieces = WordPieces((Path(model) / TOKENIZER).read_bytes())
    docs = {language: read_docs(path) for language, path in gold.items()}
    for language, part in docs.items():
        check_labels(part, tagger.labels, gold[language])
    found = {
        language: entity_scores(tagger, part, pieces, tagger.tags)["ents_f"] or 0.0
        for language, part in docs.items()
    }
    targets = [f1 for language, f1 in found.items() if language != source]
    return {"name": name, "f1": found, "macro_f1": mean(targets or found.values())}
