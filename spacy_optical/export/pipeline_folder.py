"""A bundle as a spaCy pipeline on disk, ready for `spacy package`."""

from pathlib import Path
from typing import Any

import spacy

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
    """Write a pipeline with `optical_ner` around a bundle.

    bundle (Path): The bundle's folder.
    out (Path): The pipeline's folder.
    name (str): The pipeline's name; the language `xx` stands before it when packaged.
    version (str): Its version.
    licence (str): Its licence; what it may be depends on the data.
    data (Optional[Path]): The config that names the training data, for `sources` in `meta.json`.
    scores (Optional[Path]): What `evaluate` wrote for the bundle, for `performance`.
    RAISES (OpticalError): If the bundle is damaged or was written without passing its gate, or a
        file is missing or of another form.
    """
    loaded = Bundle.from_disk(bundle)
    if not loaded.info.verified:
        raise OpticalError(Errors.E506.format(path=bundle))
    nlp = spacy.blank("xx")
    component: Any = nlp.add_pipe("optical_ner", config={"model": str(bundle)})
    component.labels  # noqa: B018 - reads the bundle, so that to_disk writes it
    # The component keeps the weights; the place they came from means nothing elsewhere.
    nlp.get_pipe_config("optical_ner")["model"] = None
    nlp.meta.update(
        name=name,
        version=version,
        description=DESCRIPTION.format(languages=", ".join(loaded.info.languages)),
        license=licence,
        performance=loaded.info.metrics,
    )
    if data is not None:
        nlp.meta["sources"] = sources_of(load_data_config(data))
    if scores is not None:
        performance = performance_of(scores) | loaded.info.metrics
        nlp.meta.update(performance=performance, notes=NOTES)
    with folder_written_whole(out, marker="config.cfg") as folder:
        nlp.to_disk(folder)
