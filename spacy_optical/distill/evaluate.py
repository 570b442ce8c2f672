"""A trained model's F1 by language."""

from collections.abc import Mapping
from pathlib import Path
from statistics import mean
from typing import Any

from ..data.labelled import read_docs
from ..encoders.fetch import TOKENIZER
from ..runtime.pieces import WordPieces
from .judge import entity_scores
from .tagger import load_tagger


def evaluate(model: Path, gold: Mapping[str, Path], *, name: str) -> dict[str, Any]:
    """Score a model on gold documents.

    model (Path): A student's or teacher's folder.
    gold (Mapping[str, Path]): `.spacy` files by language.
    name (str): What to call the model.
    RETURNS (Dict[str, Any]): `name`, `f1` by language and `macro_f1` over the languages, 0 to 100.
    RAISES (OpticalError): If the model or a file is not whole.
    """
    tagger = load_tagger(Path(model))
    pieces = WordPieces((Path(model) / TOKENIZER).read_bytes())
    found = {
        language: 100 * (entity_scores(tagger, read_docs(path), pieces, tagger.tags)["ents_f"] or 0)
        for language, path in gold.items()
    }
    return {"name": name, "f1": found, "macro_f1": mean(found.values())}
