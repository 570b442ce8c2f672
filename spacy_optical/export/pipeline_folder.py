"""Save a bundle as a spaCy pipeline, ready for `spacy package`."""

import re
from pathlib import Path

import spacy
from packaging.version import InvalidVersion, Version

from ..data.sources import load_data_config
from ..errors import Errors, OpticalError
from ..files import folder_written_whole
from ..runtime.bundle import Bundle
from .pipeline_meta import NOTES, performance_of, sources_of

DESCRIPTION = "Named entities in {languages}, by a small student distilled across languages."


def assemble(
    bundle: Path,
    out: Path,
    *,
    name: str,
    version: str,
    licence: str = "",
    data: Path | None = None,
    scores: Path | None = None,
) -> None:
    """Write a pipeline with an `optical_ner` component that contains a bundle.

    bundle (Path): The folder of the bundle.
    out (Path): The folder of the pipeline.
    name (str): The name of the pipeline. The package name begins with the language `xx`.
    version (str): The version.
    licence (str): The licence. The data decide which licences are possible.
    data (Optional[Path]): The config with the training data, for `sources` in `meta.json`.
    scores (Optional[Path]): The output of `evaluate` for the bundle, for `performance`.
    RAISES (OpticalError): If the bundle is damaged or did not pass its gate, or a file is missing
        or has the wrong format, or the name or version cannot be that of a package.
    """
    if not re.fullmatch(r"\w+", name, re.ASCII):
        expected = "letters, digits and underscores"
        raise OpticalError(Errors.E114.format(name="name", value=repr(name), expected=expected))
    try:
        Version(version)
    except InvalidVersion as err:
        expected = "a version such as 0.1.0"
        raise OpticalError(
            Errors.E114.format(name="version", value=repr(version), expected=expected)
        ) from err
    info = Bundle.from_disk(bundle).info
    if not info.verified:
        raise OpticalError(Errors.E506.format(path=bundle))
    nlp = spacy.blank("xx")
    # The absolute path of a folder called `md` is not the name of a model.
    nlp.add_pipe("optical_ner", config={"model": str(Path(bundle).absolute())})
    # The component has the weights. The path is of no use on other machines.
    nlp.get_pipe_config("optical_ner")["model"] = None
    nlp.meta.update(
        name=name,
        version=version,
        description=DESCRIPTION.format(languages=", ".join(info.languages)),
        license=licence,
        performance=info.metrics,
    )
    if data is not None:
        nlp.meta["sources"] = sources_of(load_data_config(data))
    if scores is not None:
        performance = performance_of(scores) | info.metrics
        nlp.meta.update(performance=performance, notes=NOTES)
    with folder_written_whole(out, marker="config.cfg") as folder:
        nlp.to_disk(folder)
