"""Word vectors for other components, without torch."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
import torch
from spacy.cli.train import train
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example
from thinc.api import NumpyOps

from spacy_optical.distill.sentences import plain_sentence
from spacy_optical.distill.tagger import load_tagger, read_sentences
from spacy_optical.errors import OpticalError
from spacy_optical.export.onnx import export_onnx
from spacy_optical.export.quantize import quantize
from spacy_optical.pipeline.optical_tok2vec import OpticalTok2Vec
from spacy_optical.runtime.bundle import INPUTS, OUTPUT, Bundle, BundleInfo
from spacy_optical.runtime.decode import bio_tags
from spacy_optical.runtime.pieces import WordPieces
from spacy_optical.runtime.session import Runtime

from ..util import environment_without, toy_bundle, toy_encoder, toy_tokenizer
from .test_processes import HEAVY, run

WIDTH = 32
LABELS = ("LOC", "PER")
LISTENER = {"@architectures": "spacy.Tok2VecListener.v1", "width": WIDTH, "upstream": "*"}
PARSER = {
    "@architectures": "spacy.TransitionBasedParser.v2",
    "state_type": "ner",
    "extra_state_tokens": False,
    "hidden_width": 16,
    "maxout_pieces": 2,
    "use_upper": False,
    "tok2vec": LISTENER,
}
SENTENCES = [
    (["Amina", "Juma", "alifika", "Nairobi", "leo"], [(0, 2, "PER"), (3, 4, "LOC")]),
    (["Benki", "Kuu", "iko", "Nairobi"], [(3, 4, "LOC")]),
    (["Juma", "alilala"], [(0, 1, "PER")]),
    (["Juni", "ni", "mwezi"], []),
]


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A student that knows nothing; its vectors tell words apart all the same."""
    return toy_encoder(tmp_path_factory.mktemp("student") / "s", toy_tokenizer(), layers=2)


def exported(student: Path, preset: str) -> Bundle:
    torch.manual_seed(0)
    tagger = load_tagger(student, bio_tags(LABELS))
    model = quantize(export_onnx(tagger, with_vectors=True), preset)
    info = BundleInfo(LABELS, 32, preset, INPUTS, OUTPUT, {}, {}, vectors=WIDTH)
    return Bundle(info, model, (student / "tokenizer.json").read_bytes())


@pytest.fixture(scope="module")
def bundle(student: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundles") / "vectors"
    exported(student, "int8").to_disk(folder)
    return folder


def pipeline(bundle: Path, *others: str, **config: Any) -> Language:
    nlp = spacy.blank("xx")
    nlp.add_pipe("optical_tok2vec", config={"model": str(bundle), **config})
    for name in others:
        nlp.add_pipe(name, config={"model": PARSER} if name == "ner" else {"model": str(bundle)})
    return nlp


def examples(nlp: Language) -> list[Example]:
    made = []
    for words, ents in SENTENCES:
        doc = Doc(nlp.vocab, words=words)
        doc.set_ents([Span(doc, start, end, label=label) for start, end, label in ents])
        made.append(Example(Doc(nlp.vocab, words=words), doc))
    return made


def trained(bundle: Path) -> Language:
    nlp = pipeline(bundle, "ner")
    spacy.util.fix_random_seed(0)
    optimizer = nlp.initialize(lambda: examples(nlp))
    optimizer.learn_rate = 0.02
    for _ in range(30):
        nlp.update(examples(nlp), sgd=optimizer)
    return nlp


def entities(docs: list[Doc]) -> list[list[tuple[str, str]]]:
    return [[(ent.text, ent.label_) for ent in doc.ents] for doc in docs]


def test_vectors_are_the_students(student: Path, tmp_path: Path):
    exported(student, "fp32").to_disk(tmp_path / "fp32")
    doc = pipeline(tmp_path / "fp32")("Amina  Juma alifika Nairobi leo")
    assert [token.is_space for token in doc] == [False, True, False, False, False, False]
    assert doc.tensor.shape == (6, WIDTH)
    assert doc.tensor.dtype == np.float32
    assert not doc.tensor[1].any()
    pieces = WordPieces((student / "tokenizer.json").read_bytes())
    torch.manual_seed(0)
    tagger = load_tagger(student, bio_tags(LABELS))
    words = [token.text for token in doc if not token.is_space]
    (expected,) = read_sentences(tagger, [plain_sentence(words, pieces)], pieces)
    np.testing.assert_allclose(doc.tensor[[0, 2, 3, 4, 5]], expected.last, atol=1e-4)


def test_pipe_gives_what_single_calls_give(bundle: Path):
    nlp = pipeline(bundle)
    assert isinstance(nlp.get_pipe("optical_tok2vec"), OpticalTok2Vec)
    texts = ["Amina alifika", "", " ", "Nairobi " * 200, "Benki Kuu iko Nairobi"] * 3
    alone = [nlp(text).tensor for text in texts]
    for batch_size in (1, 4, 100):
        for doc, expected in zip(nlp.pipe(texts, batch_size=batch_size), alone, strict=True):
            assert doc.tensor.shape == (len(doc), WIDTH)
            np.testing.assert_array_equal(doc.tensor, expected)


def test_stock_ner_learns_and_is_saved_with_the_encoder(bundle: Path, tmp_path: Path):
    shutil.copytree(bundle, tmp_path / "bundle")
    nlp = trained(tmp_path / "bundle")
    before = nlp.get_pipe("optical_tok2vec").runtime.bundle.files
    assert nlp.evaluate(examples(nlp))["ents_f"] == 1.0
    nlp.to_disk(tmp_path / "pipeline")
    shutil.rmtree(tmp_path / "bundle")
    texts = [" ".join(words) for words, _ in SENTENCES]
    expected = entities(list(nlp.pipe(texts)))
    assert any(expected)
    loaded = spacy.load(tmp_path / "pipeline")
    assert entities(list(loaded.pipe(texts))) == expected
    assert loaded.get_pipe("optical_tok2vec").runtime.bundle.files == before  # frozen
    again = spacy.blank("xx").from_config(nlp.config).from_bytes(nlp.to_bytes())
    assert entities([again(text) for text in texts]) == expected
    assert entities(list(loaded.pipe(texts * 2, n_process=2, batch_size=2))) == expected * 2


def test_spacy_train_improves(bundle: Path, tmp_path: Path):
    """The textcat beside it shows that several components can listen."""
    nlp = pipeline(bundle, "ner")
    model = {
        "@architectures": "spacy.TextCatReduce.v1",
        "exclusive_classes": True,
        "use_reduce_first": False,
        "use_reduce_last": False,
        "use_reduce_max": False,
        "use_reduce_mean": True,
        "tok2vec": LISTENER,
    }
    nlp.add_pipe("textcat", config={"model": model})
    docs = [example.reference for example in examples(nlp)]
    for doc in docs:
        named = float(any(ent.label_ == "PER" for ent in doc.ents))
        doc.cats = {"PERSONAL": named, "OTHER": 1 - named}
    DocBin(docs=docs).to_disk(tmp_path / "train.spacy")
    config = nlp.config
    config["paths"].update(train=str(tmp_path / "train.spacy"), dev=str(tmp_path / "train.spacy"))
    config["training"].update(max_steps=60, eval_frequency=20, patience=0)
    config["training"]["optimizer"]["learn_rate"] = 0.02
    config.to_disk(tmp_path / "config.cfg")
    train(tmp_path / "config.cfg", tmp_path / "out")
    best = spacy.load(tmp_path / "out" / "model-best")
    scores = best.evaluate([Example(Doc(best.vocab, words=[t.text for t in d]), d) for d in docs])
    assert scores["ents_f"] > 0.8
    assert scores["cats_score"] > 0.8


def test_a_tagger_and_a_spancat_train_on_it(bundle: Path):
    nlp = pipeline(bundle)
    tagger = {"@architectures": "spacy.Tagger.v2", "nO": None, "tok2vec": LISTENER}
    nlp.add_pipe("tagger", config={"model": tagger})
    spancat = {
        "@architectures": "spacy.SpanCategorizer.v1",
        "reducer": {"@layers": "spacy.mean_max_reducer.v1", "hidden_size": 16},
        "scorer": {"@layers": "spacy.LinearLogistic.v1", "nO": None, "nI": None},
        "tok2vec": LISTENER,
    }
    sizes = {"@misc": "spacy.ngram_suggester.v1", "sizes": [1, 2]}
    nlp.add_pipe("spancat", config={"model": spancat, "suggester": sizes})
    gold = examples(nlp)
    for example in gold:
        doc = example.reference
        doc.spans["sc"] = list(doc.ents)
        for token in doc:
            token.tag_ = "NAME" if token.ent_type_ else "OTHER"
    spacy.util.fix_random_seed(0)
    optimizer = nlp.initialize(lambda: gold)
    optimizer.learn_rate = 0.02
    before = nlp.evaluate(gold)
    for _ in range(30):
        nlp.update(gold, sgd=optimizer)
    after = nlp.evaluate(gold)
    assert after["tag_acc"] == 1.0 > before["tag_acc"]
    assert after["spans_sc_f"] > 0.9 > before["spans_sc_f"]


def test_vectors_are_on_the_device_of_spacy(bundle: Path):
    class Device(NumpyOps):
        def asarray2f(self, data: Any, **settings: Any) -> Any:
            return "moved", data

    nlp = pipeline(bundle)
    pipe: Any = nlp.get_pipe("optical_tok2vec")
    pipe.model.ops = Device()
    ((moved, vectors),) = pipe.predict([nlp.make_doc("Amina Juma")])
    assert (moved, vectors.shape) == ("moved", (2, WIDTH))


def test_a_bundle_without_vectors(tmp_path: Path):
    toy_bundle().to_disk(tmp_path / "toy")
    nlp = spacy.blank("xx")
    with pytest.raises(OpticalError, match=r"E120.*toy has no word vectors.*--with-vectors"):
        nlp.add_pipe("optical_tok2vec", config={"model": str(tmp_path / "toy")})
    assert nlp.pipe_names == []
    with pytest.raises(OpticalError, match="E120"):
        Runtime(toy_bundle()).vectors([["Amina"]])


def test_a_listener_of_another_width(bundle: Path):
    nlp = pipeline(bundle)
    nlp.add_pipe("ner", config={"model": {**PARSER, "tok2vec": {**LISTENER, "width": 96}}})
    with pytest.raises(OpticalError, match=r"E121.*'ner' expects .* width 96.*Set width = 32"):
        nlp.initialize(lambda: examples(nlp))


def test_the_encoder_is_not_copied_into_a_component(bundle: Path):
    nlp = pipeline(bundle, "ner")
    nlp.initialize(lambda: examples(nlp))
    with pytest.raises(OpticalError, match=r"E122.*replace_listeners"):
        nlp.replace_listeners("optical_tok2vec", "ner", ["model.tok2vec"])


def test_one_run_serves_the_recogniser_too(bundle: Path, monkeypatch: pytest.MonkeyPatch):
    texts = [" ".join(words) for words, _ in SENTENCES]
    single = spacy.blank("xx")
    single.add_pipe("optical_ner", config={"model": str(bundle)})
    expected = entities(list(single.pipe(texts)))
    asked: list[tuple[str, ...]] = []
    own = Runtime._run

    def counted(self: Runtime, outputs: dict[str, int], *inputs: Any) -> Any:
        asked.append(tuple(outputs))
        return own(self, outputs, *inputs)

    monkeypatch.setattr(Runtime, "_run", counted)
    nlp = pipeline(bundle, "optical_ner")
    assert entities(list(nlp.pipe(texts))) == expected
    asked.clear()
    assert entities(list(nlp.pipe([text + " tena" for text in texts]))) == entities(
        list(single.pipe([text + " tena" for text in texts]))
    )
    assert asked == [("logits", "vectors")] * len(texts)
    asked.clear()
    list(pipeline(bundle, overlap=8).pipe(texts))  # nobody wants the scores of these windows
    assert set(asked) == {("vectors",)}


def test_it_runs_without_torch(bundle: Path, tmp_path: Path):
    trained(bundle).to_disk(tmp_path / "pipeline")
    (tmp_path / "site").mkdir()
    code = """
        import sys
        import spacy
        import spacy_optical.pipeline.optical_tok2vec

        nlp = spacy.load(sys.argv[1])
        print([(ent.text, ent.label_) for ent in nlp("Amina Juma alifika Nairobi leo").ents])
        assert not {"torch", "transformers", "onnx"} & set(sys.modules)
    """
    light = environment_without(tmp_path / "site", *HEAVY)
    found = run(tmp_path / "script.py", code, light, str(tmp_path / "pipeline"))
    assert found == "[('Amina Juma', 'PER'), ('Nairobi', 'LOC')]\n"
