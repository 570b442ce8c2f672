"""One function for all that names a model."""

from pathlib import Path

import pytest

from spacy_optical.errors import OpticalError
from spacy_optical.runtime.load_model import load_model

from ..util import TOY_LABELS, toy_bundle


def test_names_bundles_and_pipelines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("spacy_optical.runtime.bundle.MODELS", tmp_path)
    toy_bundle().to_disk(tmp_path / "md")
    load_model().to_disk(tmp_path / "pipeline")
    for model in (None, "md", str(tmp_path / "md"), str(tmp_path / "pipeline")):
        nlp = load_model(model)
        assert nlp.lang == "xx"
        assert nlp.get_pipe("optical_ner").labels == tuple(sorted(TOY_LABELS))
    with pytest.raises(OpticalError, match=r"E108.*'lg'"):
        load_model("lg")
    with pytest.raises(OSError, match="nowhere"):
        load_model("nowhere")
