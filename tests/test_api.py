"""The functions that `import spacy_optical` offers."""

import inspect
import json
import subprocess
import sys

import pytest
import spacy

import spacy_optical
from spacy_optical.data.docs import read_docs
from tests.util import toy_encoder, toy_tokenizer, without_positions

FUNCTIONS = {
    "align": ["source", "target", "encoder"],
    "annotate": ["source", "out"],
    "check_bitext": ["files"],
    "distill": ["config", "teacher", "out"],
    "export": ["tagger_folder", "out", "gold"],
    "finetune": ["model", "train", "dev", "out"],
    "profile": ["pipelines"],
    "project_label_files": ["folder", "out"],
    "project_labels": ["bitext", "out"],
}
LAZY = """
import sys
import spacy_optical
assert set({functions!r}) <= set(dir(spacy_optical))
heavy = {{"spacy", "numpy", "torch", "transformers", "onnxruntime", "ot", "pydantic", "pyarrow"}}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""
AFTER_SUBPACKAGES = """
import spacy_optical.align.cost, spacy_optical.export.verify
from spacy_optical import align, distill, export
from spacy_optical.align import AlignConfig
assert all(map(callable, (align, distill, export, spacy_optical.align))), (align, distill, export)
"""


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoder")
    tokenizer = toy_tokenizer(("Amina", "Juma", "Nairobi"))
    return without_positions(toy_encoder(folder, tokenizer, layers=7))


@pytest.fixture
def labeller():
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "PER", "pattern": "Amina Juma"}])
    return nlp


@pytest.mark.parametrize("code", [LAZY.format(functions=list(FUNCTIONS)), AFTER_SUBPACKAGES])
def test_functions_are_imported_on_first_use_and_keep_their_names(code: str):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_a_signature_with_types_and_a_docstring(name: str):
    if name in ("annotate", "project_label_files"):
        pytest.importorskip("pyarrow")
    function = getattr(spacy_optical, name)
    parameters = inspect.signature(function).parameters.values()
    required = [one.name for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD]
    assert required[: len(FUNCTIONS[name])] == FUNCTIONS[name]
    assert all(one.annotation is not one.empty for one in parameters)
    assert "RETURNS" in function.__doc__
    assert "RAISES" in function.__doc__


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'distil'"):
        spacy_optical.distil  # noqa: B018


@pytest.mark.parametrize("kind", [str, lambda folder: folder])
def test_align_takes_an_encoder_by_its_path(encoder, labeller, kind):
    pair = spacy_optical.align(
        "Amina Juma left Nairobi.", "Nairobi, Amina Juma.", kind(encoder), labeller=labeller
    )
    found = [(pair.target.words[span.start : span.end], span.label) for span in pair.spans]
    assert found == [(("Amina", "Juma"), "PER")]


def test_project_labels_takes_paths_and_a_pipeline_from_disk(encoder, labeller, tmp_path):
    line = {"en": "Amina Juma left Nairobi.", "sw": "Nairobi, Amina Juma."}
    (tmp_path / "sw.jsonl").write_text(json.dumps(line))
    labeller.to_disk(tmp_path / "labeller")
    summary = spacy_optical.project_labels(
        str(tmp_path / "sw.jsonl"),
        str(tmp_path / "sw.spacy"),
        labeller=str(tmp_path / "labeller"),
        encoder=str(encoder),
        threshold=0.0,
    )
    assert summary.written == 1
    (doc,) = read_docs(tmp_path / "sw.spacy")
    assert [(ent.text, ent.label_) for ent in doc.ents] == [("Amina Juma", "PER")]
