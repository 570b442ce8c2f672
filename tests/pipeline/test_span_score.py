"""Scores in `ent._.score`: each belongs to its entity, whatever happens to the document later."""

import json
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import spacy
import srsly
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span

from spacy_optical.pipeline.span_score import SCORE, get_score, register_score, set_score

from ..util import toy_bundle

TEXT = "Rais Amina Juma anaishi Nairobi na Benki Kuu tarehe 5 Juni ."
ENTITIES = [("Amina Juma", "PER"), ("Nairobi", "LOC"), ("Benki Kuu", "ORG"), ("Juni", "DATE")]


@Language.component("toy_splitter")
def split_names(doc: Doc) -> Doc:
    with doc.retokenize() as retokenizer:
        for token in doc:
            if token.text == "Nairobi":
                retokenizer.split(token, ["Nai", "robi"], heads=[token, token])
    return doc


@Language.component("toy_merger")
def merge_before_entities(doc: Doc) -> Doc:
    """Merges words outside entities, as `merge_noun_chunks` may, so that later ones move."""
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[3:4])
        retokenizer.merge(doc[8:10])
    return doc


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("bundles") / "toy"
    toy_bundle().to_disk(path)
    return str(path)


@pytest.fixture
def extensions() -> Iterator[None]:
    """Puts back the extension attribute that was there before."""
    before = Span.remove_extension(SCORE) if Span.has_extension(SCORE) else None
    yield
    if Span.has_extension(SCORE):
        Span.remove_extension(SCORE)
    if before is not None:
        Span.set_extension(SCORE, getter=get_score, setter=set_score)


def pipeline(bundle: str, *others: str, **config: Any) -> Language:
    nlp = spacy.blank("xx")
    nlp.add_pipe("optical_ner", config={"model": bundle, **config})
    for name in others:
        nlp.add_pipe(name)
    return nlp


def scored(doc: Doc) -> list[tuple[str, str, float | None]]:
    return [(ent.text, ent.label_, ent._.score) for ent in doc.ents]


def by_bytes(nlp: Language, doc: Doc) -> Doc:
    return Doc(nlp.vocab).from_bytes(doc.to_bytes())


def by_json(nlp: Language, doc: Doc) -> Doc:
    content = json.loads(json.dumps(doc.to_json(underscore=[SCORE])))
    return Doc(nlp.vocab).from_json(content)


def by_docbin(nlp: Language, doc: Doc) -> Doc:
    content = DocBin(docs=[doc], store_user_data=True).to_bytes()
    (read,) = DocBin().from_bytes(content).get_docs(nlp.vocab)
    return read


def by_pickle(nlp: Language, doc: Doc) -> Doc:
    return pickle.loads(pickle.dumps(doc))


def by_copy(nlp: Language, doc: Doc) -> Doc:
    return doc.copy()


def by_joining(nlp: Language, doc: Doc) -> Doc:
    """Offsets move there and back."""
    joined = Doc.from_docs([nlp.make_doc("Habari"), doc])
    assert joined is not None
    return joined[1:].as_doc(copy_user_data=True)


WAYS = [by_bytes, by_json, by_docbin, by_pickle, by_copy, by_joining]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("later", ["merge_entities", "toy_splitter", "toy_merger"])
def test_retokenised_documents(
    bundle: str, later: str, way: Callable[[Language, Doc], Doc]
) -> None:
    expected = scored(pipeline(bundle)(TEXT))
    assert [(text, label) for text, label, _ in expected] == ENTITIES
    nlp = pipeline(bundle, later)
    doc = nlp(TEXT)
    assert scored(doc) == expected
    assert scored(way(nlp, doc)) == expected


def test_retokenised_documents_of_other_processes(bundle: str) -> None:
    nlp = pipeline(bundle, "merge_entities", "toy_splitter")
    alone = [scored(nlp(TEXT)) for _ in range(4)]
    assert all(score for _, _, score in alone[0])
    assert [scored(doc) for doc in nlp.pipe([TEXT] * 4, n_process=2, batch_size=2)] == alone


def grouped(doc: Doc) -> list[tuple[str, str, float]]:
    group = doc.spans["optical"]
    scores = group.attrs["scores"]
    return [(span.text, span.label_, score) for span, score in zip(group, scores, strict=True)]


def test_a_group_keeps_its_scores(bundle: str) -> None:
    nlp = pipeline(bundle, spans_key="optical")
    expected = grouped(nlp(TEXT))
    assert [(text, label) for text, label, _ in expected] == ENTITIES
    for way in (by_bytes, by_docbin, by_pickle, by_copy):
        assert grouped(way(nlp, nlp(TEXT))) == expected
    for doc in nlp.pipe([TEXT] * 4, n_process=2, batch_size=2):
        assert grouped(doc) == expected


def test_scores_are_plain_floats(bundle: str) -> None:
    doc = pipeline(bundle, spans_key="optical")(TEXT)
    values = [ent._.score for ent in doc.ents]
    assert {type(value) for value in values} == {float}
    assert json.loads(json.dumps(values)) == values
    assert json.loads(json.dumps(doc.spans["optical"].attrs)) == {"scores": values}
    assert srsly.msgpack_loads(srsly.msgpack_dumps(doc.spans["optical"].attrs)) == {
        "scores": values
    }


@pytest.mark.parametrize("label", ["CITY", "LOC"])
def test_an_entity_ruler_before(bundle: str, label: str) -> None:
    expected = scored(pipeline(bundle)(TEXT))
    nlp = pipeline(bundle)
    ruler = nlp.add_pipe("entity_ruler", first=True)
    ruler.add_patterns([{"label": label, "pattern": "Nairobi"}])
    assert scored(nlp(TEXT)) == [expected[0], ("Nairobi", label, None), *expected[2:]]


def test_an_entity_ruler_after(bundle: str) -> None:
    expected = scored(pipeline(bundle)(TEXT))
    nlp = pipeline(bundle)
    ruler = nlp.add_pipe("entity_ruler", config={"overwrite_ents": True})
    ruler.add_patterns([{"label": "CITY", "pattern": "Nairobi"}])
    assert scored(nlp(TEXT)) == [expected[0], ("Nairobi", "CITY", None), *expected[2:]]


def test_two_models(bundle: str, tmp_path: Path) -> None:
    """The entities that the first wrote keep its scores."""
    toy_bundle({"Nairobi": "B-ORG", "Rais": "B-ORG"}, context=0.9).to_disk(tmp_path / "other")
    first = scored(pipeline(bundle)(TEXT))
    second = scored(pipeline(str(tmp_path / "other"))(TEXT))
    nlp = pipeline(bundle)
    nlp.add_pipe("optical_ner", "other", config={"model": str(tmp_path / "other")})
    assert scored(nlp(TEXT)) == [second[0], *first]
    nlp.get_pipe("other").overwrite = True
    assert scored(nlp(TEXT)) == [second[0], first[0], second[1], *first[2:]]


def test_an_attribute_of_the_application_is_used(bundle: str, extensions: None) -> None:
    Span.set_extension(SCORE, default=0.0)
    doc = pipeline(bundle)(TEXT)
    assert Span.get_extension(SCORE)[0] == 0.0
    assert all(score for _, _, score in scored(doc))
    assert doc[0:1]._.score == 0.0


def test_an_attribute_that_cannot_be_set_is_left_alone(bundle: str, extensions: None) -> None:
    Span.set_extension(SCORE, getter=len)
    with pytest.warns(UserWarning, match=r"W103.*optical_ner"):
        nlp = pipeline(bundle)
    doc = nlp(TEXT)
    assert [ent._.score for ent in doc.ents] == [2, 1, 2, 1]
    assert not doc.user_data


def test_an_attribute_that_was_removed(bundle: str, extensions: None) -> None:
    nlp = pipeline(bundle)
    Span.remove_extension(SCORE)
    assert all(score for _, _, score in scored(nlp(TEXT)))


def test_two_threads_register_at_once(extensions: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both see that there is no attribute; the second is not refused."""
    monkeypatch.setattr("spacy_optical.pipeline.span_score.Span", Unregistered)
    assert register_score()
    assert register_score()


class Unregistered(Span):
    """Spans whose attribute another thread is about to register."""

    @classmethod
    def has_extension(cls, name: str) -> bool:
        return False
