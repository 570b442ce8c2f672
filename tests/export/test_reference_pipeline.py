import shutil
from pathlib import Path

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc

from spacy_optical.export.bundle_export import export_bundle
from spacy_optical.export.reference_pipeline import reference_pipeline
from spacy_optical.runtime.bundle import Bundle
from spacy_optical.runtime.decode import decode
from spacy_optical.runtime.session import Runtime

from ..conftest import Trained
from ..toy_project import toy_text


@pytest.fixture(scope="module")
def written(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reference pipeline whose teacher is gone."""
    folder = tmp_path_factory.mktemp("reference")
    shutil.copytree(trained.teacher, folder / "passing-teacher")
    reference_pipeline(folder / "passing-teacher", folder / "pipeline")
    shutil.rmtree(folder / "passing-teacher")
    return folder / "pipeline"


@pytest.fixture(scope="module")
def nlp(written: Path) -> Language:
    return spacy.load(written)


@pytest.fixture(scope="module")
def runtime(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    out = tmp_path_factory.mktemp("bundle") / "teacher"
    gold = {"en": trained.corpus / "gold" / "en-dev.spacy"}
    export_bundle(trained.teacher, out, gold, preset="fp32")
    return Runtime(Bundle.from_disk(out))


def test_same_entities_as_the_onnx_teacher(nlp: Language, runtime: Runtime):
    """Where both cut a text into the same pieces, both find the same."""
    compared = 0
    cutter = runtime.words_to_pieces
    # With spaces between all words, the tokenizer sees each of them as the runtime does.
    texts = [[token.text for token in nlp.make_doc(text)] for text in toy_text()[:120]]
    for doc in nlp.pipe(Doc(nlp.vocab, words=words) for words in texts):
        words = [token.text for token in doc]
        pieces = doc._.trf_data.wordpieces
        read = pieces.input_ids[0][pieces.attention_mask[0] > 0]
        ours = [*cutter.prefix, *(i for word in cutter.pieces(words) for i in word), *cutter.suffix]
        assert read.tolist() == ours
        (logits,) = runtime.scores([words])
        expected = [(s.start, s.end, s.label) for s in decode(logits, runtime.tags)]
        assert [(e.start, e.end, e.label_) for e in doc.ents] == expected
        compared += bool(expected)
    assert compared > 100


def test_long_and_empty_texts(nlp: Language):
    text = " ".join(toy_text()[:60])
    doc = nlp(text)
    assert len(doc) > 200
    assert max(ent.start for ent in doc.ents) > 150
    assert list(nlp("").ents) == []
    assert list(nlp(" \n ").ents) == []


def test_score(nlp: Language, trained: Trained):
    from spacy.training import Corpus

    scores = nlp.evaluate(list(Corpus(trained.corpus / "gold" / "en-test.spacy")(nlp)))
    assert scores["ents_f"] > 0.8


def test_config_does_not_say_where_the_teacher_was(written: Path):
    config = (written / "config.cfg").read_text(encoding="utf8")
    assert 'name = "passing-teacher"' in config
    assert str(written.parent) not in config


def test_head_round_trips(nlp: Language):
    from spacy_optical.pipeline.optical_head import OpticalHead

    head = nlp.get_pipe("optical_head")
    assert isinstance(head, OpticalHead)
    again = OpticalHead(nlp).from_bytes(head.to_bytes())
    assert again.labels == head.labels == ("DATE", "LOC", "ORG", "PER")
    assert (again.weight == head.weight).all()
    assert (again.bias == head.bias).all()
