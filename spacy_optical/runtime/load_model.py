"""A pipeline from whatever names a model."""

from pathlib import Path

import spacy
from spacy.language import Language
from spacy.util import is_package

from .bundle import MANIFEST_FILE, SIZES


def load_model(model: str | None = None) -> Language:
    """Load a model as a pipeline.

    model (Optional[str]): The name of a model of the package, a bundle's folder, or what
        `spacy.load` takes. Defaults to the default model of the package.
    RETURNS (Language): The pipeline; around a bundle, a blank multilingual one with `optical_ner`.
    RAISES (OpticalError): If there is no such model of the package, or the bundle is damaged.
    """
    if model is None or model in SIZES or (Path(model) / MANIFEST_FILE).is_file():
        nlp = spacy.blank("xx")
        nlp.add_pipe("optical_ner", config={"model": model})
        return nlp
    return spacy.load(model)


def is_name(model: str) -> bool:
    """Tell whether this names a model of the package or an installed pipeline; else it is a path.

    model (str): What names a model. A folder with such a name is written as `./NAME`.
    """
    return model in SIZES or is_package(model)
