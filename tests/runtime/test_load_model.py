"""One function for all that names a model."""

from pathlib import Path

import pytest

from spacy_optical.errors import OpticalError
from spacy_optical.runtime.load_model import is_name, load_model

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
    with pytest.raises(OpticalError, match=r"E318.*nowhere"):
        load_model("nowhere")


def test_a_path_is_not_a_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    toy_bundle(languages=("zz",)).to_disk("md")
    assert is_name("md")
    assert not is_name(Path("md"))
    for model in (Path("md"), "./md"):
        runtime = load_model(model).get_pipe("optical_ner").runtime  # type: ignore[attr-defined]
        assert runtime.bundle.info.languages == ("zz",)
