"""Load a model by name or path."""

from pathlib import Path

import spacy
from spacy.language import Language
from spacy.util import is_package

from ..errors import Errors, OpticalError
from .bundle import MANIFEST_FILE, SIZES


def load_model(model: str | Path | None = None) -> Language:
    """Load a model as a pipeline.

    model (Optional[Union[str, Path]]): The name of a model of the package, a bundle's folder, or a
        name or path for `spacy.load`. Defaults to the default model of the package.
    RETURNS (Language): The pipeline. For a bundle, a blank multilingual one with `optical_ner`.
    RAISES (OpticalError): If there is no such model, the bundle or pipeline is damaged, or a
        component of the pipeline is not installed.
    """
    if isinstance(model, Path):
        model = str(model.absolute())  # not a name
    if model is None or model in SIZES or (Path(model) / MANIFEST_FILE).is_file():
        nlp = spacy.blank("xx")
        nlp.add_pipe("optical_ner", config={"model": model})
        return nlp
    try:
        return spacy.load(model)
    except OpticalError:
        raise
    except Exception as err:  # each component reads its own files
        reason = str(err).partition("\n")[0] or type(err).__name__
        raise OpticalError(Errors.E318.format(name=model, reason=reason)) from err


def absolute_model(model: str | Path) -> str:
    """Get the name or path of a model for a process with another working directory.

    model (Union[str, Path]): As for `load_model`.
    RETURNS (str): The name, or the absolute path of a folder that exists.
    """
    if not is_name(model) and Path(model).exists():
        model = Path(model).absolute()
    return str(model)


def is_name(model: str | Path) -> bool:
    """Check whether this is the name of a model of the package or of an installed pipeline.

    model (Union[str, Path]): A name or a path. For a folder with such a name, give a `Path` or
        write `./NAME`.
    RETURNS (bool): Whether it is a name. If not, it is a path.
    """
    return isinstance(model, str) and (model in SIZES or is_package(model))
