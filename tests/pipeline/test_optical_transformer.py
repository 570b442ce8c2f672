import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Corpus, Example

from spacy_optical.errors import OpticalError
from spacy_optical.runtime.pieces import WordPieces

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


@pytest.fixture(scope="module")
def pooled(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy student as one whose last layer works on words."""
    folder = tmp_path_factory.mktemp("pooled") / "student"
    shutil.copytree(trained.student, folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf8"))
    config["pool_after"] = 1
    (folder / "config.json").write_text(json.dumps(config), encoding="utf8")
    return folder


def hidden_of(doc: Doc) -> np.ndarray:
    return doc._.trf_data.model_output.last_hidden_state


def test_pooled_student_gives_each_piece_its_words_vector(pooled: Path):
    nlp = with_student(pooled)
    nlp.initialize()
    doc = nlp("Haddad ilifungwa  karibu, Wanjiru. ")
    data, (hidden,) = doc._.trf_data, hidden_of(doc)
    different = []
    at = 0
    for token, count in zip(doc, data.align.lengths, strict=True):
        rows = hidden[data.align.data.ravel()[at : at + count]]
        at += count
        if not token.is_space:
            assert (rows == rows[0]).all(), token
            different.append(rows[0])
    assert data.wordpieces.input_ids.shape[1] > len(doc) + 2
    assert len(np.unique(np.round(hidden[1:-1], 5), axis=0)) == len(different)
    assert len(np.unique(np.round(different, 5), axis=0)) == len(different)


def test_pooled_vectors_are_the_students(pooled: Path):
    """Where each word is cut the same way in a text and alone."""
    import torch

    from spacy_optical.distill.sentences import collate, plain_sentence
    from spacy_optical.distill.tagger import load_tagger

    nlp = with_student(pooled)
    nlp.initialize()
    doc = nlp("Leila Haddad anaishi karibu na Nairobi")
    pieces = WordPieces((pooled / "tokenizer.json").read_bytes())
    batch = collate([plain_sentence([token.text for token in doc], pieces)], pieces)
    assert batch.input_ids.tolist() == doc._.trf_data.wordpieces.input_ids.tolist()
    with torch.inference_mode():
        words = load_tagger(pooled).eval()(batch).hidden[-1][0].numpy()
    (hidden,) = hidden_of(doc)
    np.testing.assert_allclose(hidden[batch.first_pieces[0]], words, atol=1e-5)


def test_pooled_student_in_windows_and_batches(pooled: Path):
    nlp = with_student(pooled, window=8, stride=6)
    nlp.initialize()
    texts = ["Kone.", "Leila Haddad lives near Nairobi. " * 5, "", "barabara " * 100]
    for doc, text in zip(nlp.pipe(texts), texts, strict=True):
        alone = nlp(text)
        assert len(doc._.trf_data.align.lengths) == len(doc)
        for token in range(len(doc)):
            ours, theirs = (
                d._.trf_data.model_output.last_hidden_state.reshape(-1, 32)[
                    d._.trf_data.align[token].data.ravel()
                ]
                for d in (doc, alone)
            )
            np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_stock_ner_trains_on_a_pooled_student(tmp_path: Path, pooled: Path, trained: Trained):
    nlp = with_student(pooled)
    nlp.add_pipe("ner", config={"model": LISTENER})
    examples = list(Corpus(trained.corpus / "english" / "train.spacy")(nlp))[:8]
    spacy.util.fix_random_seed(0)
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.002
    encoder = nlp.get_pipe("optical_transformer").model.transformer.base_model.encoder
    before = [layer.output.dense.weight.detach().clone() for layer in encoder.layer]
    losses: list[float] = []
    for _ in range(3):
        step: dict[str, float] = {}
        fresh = [Example(nlp.make_doc(e.reference.text), e.reference) for e in examples]
        nlp.update(fresh, sgd=optimizer, losses=step, drop=0.0)
        losses.append(step["ner"])
    assert losses[2] < losses[1] < losses[0]
    for layer, was in zip(encoder.layer, before, strict=True):
        assert not (layer.output.dense.weight == was).all()
    nlp.to_disk(tmp_path / "pipeline")
    text = examples[0].text
    np.testing.assert_array_equal(
        hidden_of(spacy.load(tmp_path / "pipeline")(text)), hidden_of(nlp(text))
    )


def test_window_and_stride(trained: Trained):
    nlp = with_student(trained.student, window=4, stride=3)
    nlp.initialize()
    doc = nlp(" ".join(["Kone"] * 10))
    assert [
        len(span) for span in nlp.get_pipe("optical_transformer").model.attrs["get_spans"]([doc])[0]
    ] == [4, 4, 4]
