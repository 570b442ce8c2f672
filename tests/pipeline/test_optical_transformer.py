import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import spacy
from spacy.language import Language
from spacy.training import Corpus, Example

from spacy_optical.errors import OpticalError

from ..conftest import Trained
from ..toy_project import toy_text

LISTENER = {
    "@architectures": "spacy.TransitionBasedParser.v2",
    "state_type": "ner",
    "extra_state_tokens": False,
    "hidden_width": 16,
    "maxout_pieces": 2,
    "use_upper": False,
    "tok2vec": {
        "@architectures": "spacy-transformers.TransformerListener.v1",
        "grad_factor": 1.0,
        "pooling": {"@layers": "reduce_mean.v1"},
    },
}


def with_student(student: Path, **config: object) -> Language:
    nlp = spacy.blank("en")
    model = {"@architectures": "spacy_optical.Student.v1", "name": str(student), **config}
    nlp.add_pipe("optical_transformer", config={"model": model})
    return nlp


@pytest.fixture(scope="module")
def nlp(trained: Trained) -> Language:
    nlp = with_student(trained.student)
    nlp.initialize()
    return nlp


def test_fills_trf_data(nlp: Language):
    doc = nlp("Leila Haddad lives near Nairobi.")
    data = doc._.trf_data
    hidden = data.model_output.last_hidden_state
    assert hidden.shape[-1] == 32
    assert np.isfinite(hidden).all()
    assert len(data.align.lengths) == len(doc)
    assert (data.align.lengths > 0).all()


def test_vectors_are_the_students(nlp: Language, trained: Trained):
    """The transformer gives what the student's own encoder gives for the same pieces."""
    import torch

    from spacy_optical.distill.tagger import load_tagger

    data = nlp("Leila Haddad lives near Nairobi")._.trf_data
    with torch.inference_mode():
        hidden = (
            load_tagger(trained.student)
            .eval()
            .model.base_model(input_ids=torch.from_numpy(data.wordpieces.input_ids))
        )
    np.testing.assert_allclose(
        data.model_output.last_hidden_state, hidden.last_hidden_state.numpy(), atol=1e-5
    )


def test_long_text_with_many_pieces(nlp: Language):
    """Windows whose pieces are more than the student's positions are cut, not failed on."""
    doc = nlp(" ".join(["ilifungwabarabara" * 3] * 150))
    assert doc._.trf_data.wordpieces.input_ids.shape[1] <= 64
    assert len(doc._.trf_data.align.lengths) == 150


def test_folder_that_does_not_say_its_limit(tmp_path: Path, trained: Trained):
    shutil.copytree(trained.student, tmp_path / "student")
    settings = tmp_path / "student" / "tokenizer_config.json"
    record = json.loads(settings.read_text(encoding="utf8"))
    del record["model_max_length"]
    settings.write_text(json.dumps(record), encoding="utf8")
    nlp = with_student(tmp_path / "student")
    nlp.initialize()
    assert nlp("barabara " * 200)._.trf_data.wordpieces.input_ids.shape[1] == 64


def test_stock_ner_trains_on_it(trained: Trained):
    nlp = with_student(trained.student)
    nlp.add_pipe("ner", config={"model": LISTENER})
    examples = list(Corpus(trained.corpus / "english" / "train.spacy")(nlp))[:16]
    spacy.util.fix_random_seed(0)
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.005
    transformer = nlp.get_pipe("optical_transformer").model.transformer
    name, weight = next(iter(transformer.encoder.layer[0].named_parameters()))
    before = weight.detach().clone()
    losses: list[float] = []
    for _ in range(3):
        step: dict[str, float] = {}
        fresh = [Example(nlp.make_doc(e.reference.text), e.reference) for e in examples]
        nlp.update(fresh, sgd=optimizer, losses=step, drop=0.0)
        losses.append(step["ner"])
    assert losses[2] < losses[1] < losses[0]
    assert not (weight == before).all(), name


def test_round_trip_without_the_students_folder(tmp_path: Path, trained: Trained):
    student = tmp_path / "student"
    shutil.copytree(trained.student, student)
    nlp = with_student(student)
    nlp.initialize()
    texts = toy_text()[:5]
    before = [doc._.trf_data.model_output.last_hidden_state for doc in nlp.pipe(texts)]
    nlp.to_disk(tmp_path / "pipeline")
    content = nlp.to_bytes()
    student.rename(tmp_path / "elsewhere")
    from_bytes = spacy.util.load_model_from_config(nlp.config, auto_fill=True)
    for again in (spacy.load(tmp_path / "pipeline"), from_bytes.from_bytes(content)):
        after = [doc._.trf_data.model_output.last_hidden_state for doc in again.pipe(texts)]
        for ours, theirs in zip(after, before, strict=True):
            np.testing.assert_array_equal(ours, theirs)
        again("barabara " * 200)  # the limit of pieces came along


def test_without_a_name():
    nlp = spacy.blank("xx")
    nlp.add_pipe("optical_transformer")
    with pytest.raises(OpticalError, match=r"E415.*No student is named"):
        nlp.initialize()


@pytest.mark.parametrize("missing", ["all", "model.safetensors"])
def test_missing_student(tmp_path: Path, trained: Trained, missing: str):
    student = tmp_path / "student"
    if missing != "all":
        shutil.copytree(trained.student, student)
        (student / missing).unlink()
    nlp = with_student(student)
    with pytest.raises(OpticalError, match=r"E702.*student is not an encoder: .* is missing"):
        nlp.initialize()


def test_window_and_stride(trained: Trained):
    nlp = with_student(trained.student, window=4, stride=3)
    nlp.initialize()
    doc = nlp(" ".join(["Kone"] * 10))
    assert [
        len(span) for span in nlp.get_pipe("optical_transformer").model.attrs["get_spans"]([doc])[0]
    ] == [4, 4, 4]
