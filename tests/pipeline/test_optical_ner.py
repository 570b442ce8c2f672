"""The component as spaCy's users meet it."""

import pickle
import shutil
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.cli.debug_data import debug_data
from spacy.cli.train import train
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example

from spacy_optical.errors import OpticalError
from spacy_optical.pipeline.optical_ner import MAX_BUFFERED_WORDS, OpticalNER
from spacy_optical.runtime.bundle import MODEL_FILE, Bundle

from ..util import TOY_LABELS, TOY_TAGS, toy_bundle, toy_random_bundle

TEXT = "Amina Juma anaishi Nairobi na Benki Kuu tarehe 5 Juni ."
ENTITIES = [("Amina Juma", "PER"), ("Nairobi", "LOC"), ("Benki Kuu", "ORG"), ("Juni", "DATE")]
TEXTS = [TEXT, "", "  ", "Habari za leo", "Juma " * 70, "Nairobi\n\n \nJuni", TEXT[:20]]

# Any text that spaCy's StringStore takes, with names among it.
ANY_TEXT = st.lists(
    st.one_of(
        st.sampled_from([*TOY_TAGS, " ", "\n", "\u200b", "\u200d", "\u202e", "\u0301", "x" * 50]),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=10),
    ),
    max_size=12,
).map(" ".join)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundles") / "toy"
    toy_bundle().to_disk(path)
    return path


@pytest.fixture(scope="module")
def random_nlp(tmp_path_factory: pytest.TempPathFactory) -> Language:
    path = tmp_path_factory.mktemp("bundles") / "random"
    toy_random_bundle().to_disk(path)
    return pipeline(path, overlap=8, max_batch_pieces=200, spans_key="optical")


def pipeline(bundle: Path | None, **config: Any) -> Language:
    nlp = spacy.blank("xx")
    nlp.add_pipe("optical_ner", config={"model": None if bundle is None else str(bundle), **config})
    return nlp


def entities(doc: Doc) -> list[tuple[str, str]]:
    return [(ent.text, ent.label_) for ent in doc.ents]


def outcome(doc: Doc) -> tuple[Any, ...]:
    """All that the component wrote, scores to the bit."""
    return (
        [(token.ent_iob, token.ent_type_) for token in doc],
        [(ent.start, ent.end, ent.label_, ent._.score) for ent in doc.ents],
        {
            key: ([(span.start, span.end, span.label_) for span in group], group.attrs)
            for key, group in doc.spans.items()
        },
    )


def outcomes(docs: Iterable[Doc]) -> list[tuple[Any, ...]]:
    return [outcome(doc) for doc in docs]


def test_entities_and_scores(bundle: Path) -> None:
    doc = pipeline(bundle)(TEXT)
    assert entities(doc) == ENTITIES
    scores = [ent._.score for ent in doc.ents]
    assert all(type(score) is float and 0.5 < score <= 1 for score in scores)
    assert not doc.spans


@pytest.mark.parametrize("batch_size", [1, 2, 100])
@pytest.mark.parametrize("max_batch_pieces", [1, 40, 10_000])
def test_pipe_is_call(bundle: Path, batch_size: int, max_batch_pieces: int) -> None:
    nlp = pipeline(bundle, max_batch_pieces=max_batch_pieces)
    one_by_one = outcomes(pipeline(bundle)(text) for text in TEXTS)
    assert outcomes(nlp.pipe(TEXTS, batch_size=batch_size)) == one_by_one


@settings(max_examples=60)
@given(st.lists(ANY_TEXT, max_size=5))
def test_any_text(random_nlp: Language, texts: list[str]) -> None:
    docs = list(random_nlp.pipe(texts))
    assert outcomes(docs) == outcomes(random_nlp(text) for text in texts)
    for doc, text in zip(docs, texts, strict=True):
        assert doc.text == text
        found = [(span.start, span.end, span.label_) for span in doc.spans["optical"]]
        assert found == [(ent.start, ent.end, ent.label_) for ent in doc.ents]
        for ent in doc.ents:
            assert not ent[0].is_space
            assert not ent[-1].is_space


def test_whitespace_is_inside_an_entity_but_never_at_its_edge(bundle: Path) -> None:
    doc = pipeline(bundle)(" Amina \n\n Juma   anaishi\tNairobi \n")
    assert entities(doc) == [("Amina \n\n Juma", "PER"), ("Nairobi", "LOC")]


@pytest.mark.parametrize("text", ["", " ", "\n\n\t ", "\u00a0"])
def test_text_without_words(bundle: Path, text: str) -> None:
    doc = pipeline(bundle)(text)
    assert doc.ents == ()
    assert not doc.user_data


@pytest.mark.parametrize(
    ("words", "starts", "expected"),
    [
        (["Amina", "Juma", "Juma", "leo"], [1, 0, 1, 0], ["Amina Juma", "Juma"]),
        (["Amina", "Juma", "Juma", "leo"], [None, None, True, None], ["Amina Juma", "Juma"]),
        (["Amina", "Juma", "Juma", "leo"], [1, -1, -1, 0], ["Amina Juma Juma"]),
        (["Amina", " ", "Juma", "leo"], [1, 1, 0, 0], ["Amina", "Juma"]),
        (["Amina", " ", "Juma", " "], [1, 0, 1, 1], ["Amina", "Juma"]),
        ([" ", "Amina", "Juma", "Juma"], [0, 1, 0, 0], ["Amina Juma Juma"]),
    ],
)
def test_no_entity_crosses_a_sentence_start(
    bundle: Path, words: list[str], starts: list[Any], expected: list[str]
) -> None:
    nlp = pipeline(bundle)
    doc = nlp(Doc(nlp.vocab, words=words, sent_starts=starts))
    assert [" ".join(ent.text.split()) for ent in doc.ents] == expected


def test_sentencizer(bundle: Path) -> None:
    nlp = pipeline(bundle)
    nlp.add_pipe("sentencizer", first=True, config={"punct_chars": ["Amina"]})
    (doc,) = nlp.pipe(["Amina Juma"])
    assert [ent.text for ent in doc.ents] == ["Amina", "Juma"]
    assert outcome(doc) == outcome(nlp("Amina Juma"))


def test_long_text_and_long_word(bundle: Path) -> None:
    doc = pipeline(bundle)(f"{TEXT} {'b' * 10_000} " * 60)
    assert entities(doc) == ENTITIES * 60


def test_a_headline_in_capital_letters_has_the_entities_of_its_words() -> None:
    nlp = pipeline(None)
    headline = nlp("WAZIRI AMINA JUMA ATEMBELEA HOSPITALI YA RUFAA YA MBEYA")
    text = nlp("Waziri Amina Juma Atembelea Hospitali Ya Rufaa Ya Mbeya")
    assert headline.ents
    assert [(e.start, e.end, e.label_, e._.score) for e in headline.ents] == [
        (e.start, e.end, e.label_, e._.score) for e in text.ents
    ]
    assert headline.text.isupper()


def test_lone_surrogates(bundle: Path) -> None:
    """spaCy itself refuses them in texts; what reads words without it must not fail."""
    runtime = pipeline(bundle).get_pipe("optical_ner").runtime
    (scores,) = runtime.scores([["Amina", "\ud800", "\udfffx"]])
    assert np.isfinite(scores).all()


def test_as_users_of_spacy_call_it(bundle: Path) -> None:
    nlp = pipeline(bundle)
    expected = outcome(nlp(TEXT))
    with nlp.select_pipes(disable=["optical_ner"]):
        assert not nlp(TEXT).ents
    ((doc, context),) = nlp.pipe([(TEXT, {"id": 1})], as_tuples=True)
    assert (outcome(doc), context) == (expected, {"id": 1})
    with nlp.memory_zone():
        assert outcome(nlp(TEXT)) == expected
    assert outcome(nlp(nlp(TEXT))) == expected
    ent = nlp(TEXT).ents[1]
    (alone,) = ent.as_doc(copy_user_data=True).ents
    assert (alone.text, alone._.score) == (ent.text, ent._.score)
    other = spacy.blank("en")
    other.add_pipe("optical_ner", "names", source=nlp)
    assert outcome(other(TEXT)) == expected


def test_label_map_and_labels(bundle: Path) -> None:
    nlp = pipeline(bundle, label_map={"PER": "PERSON", "LOC": "GPE"})
    assert entities(nlp(TEXT))[:2] == [("Amina Juma", "PERSON"), ("Nairobi", "GPE")]
    ner = nlp.get_pipe("optical_ner")
    assert ner.labels == ner.label_data == ("DATE", "GPE", "ORG", "PERSON")
    assert nlp.pipe_labels["optical_ner"] == ["DATE", "GPE", "ORG", "PERSON"]
    assert pipeline(bundle).get_pipe("optical_ner").labels == TOY_LABELS


def test_min_score_is_by_the_label_on_the_document(bundle: Path) -> None:
    score = pipeline(bundle)(TEXT).ents[0]._.score
    config = {"label_map": {"PER": "PERSON"}, "spans_key": "optical"}
    over, under = score + 1e-4, score - 1e-4
    kept = pipeline(bundle, min_score={"PERSON": under}, **config)(TEXT)
    assert entities(kept) == [("Amina Juma", "PERSON"), *ENTITIES[1:]]
    left = pipeline(bundle, min_score={"PERSON": over}, **config)(TEXT)
    assert entities(left) == ENTITIES[1:]
    assert len(left.spans["optical"]) == len(left.spans["optical"].attrs["scores"]) == 3


def test_threshold_holds_for_labels_without_a_minimum_of_their_own(bundle: Path) -> None:
    scores = {ent.label_: ent._.score for ent in pipeline(bundle)(TEXT).ents}
    low, high = min(scores.values()), max(scores.values())
    assert low < high
    rare = min(scores, key=scores.__getitem__)
    middle = (low + high) / 2
    kept = {label for label, score in scores.items() if score >= middle}
    found = {ent.label_ for ent in pipeline(bundle, threshold=middle)(TEXT).ents}
    assert found == kept
    assert rare not in found
    nlp = pipeline(bundle, threshold=1.0, min_score={rare: 0.0})
    assert {ent.label_ for ent in nlp(TEXT).ents} == {rare}
    with pytest.raises(OpticalError, match=r"E114.*threshold"):
        pipeline(bundle, threshold=1.5)
    for setting, value in (("threshold", "0.5"), ("min_score", {"PER": "0.5"}), ("threads", "2")):
        with pytest.raises(OpticalError, match=rf"E114.*{setting}.* must be .*, not '"):
            pipeline(bundle, **{setting: value})


def test_spans_key(bundle: Path) -> None:
    doc = pipeline(bundle, spans_key="names")(TEXT)
    assert set(doc.spans) == {"names"}
    assert [(span.text, span.label_) for span in doc.spans["names"]] == ENTITIES
    assert doc.spans["names"].attrs["scores"] == [ent._.score for ent in doc.ents]


def test_two_components_with_one_spans_key(bundle: Path) -> None:
    nlp = pipeline(bundle, spans_key="names")
    config = {"model": str(bundle), "spans_key": "names"}
    with pytest.warns(UserWarning, match=r"W102.*'optical_ner' and 'other'.*'names'"):
        nlp.add_pipe("optical_ner", "other", config=config)
    nlp.add_pipe("optical_ner", "third", config={**config, "spans_key": "more"})
    nlp.add_pipe("optical_ner", "fourth", config={**config, "spans_key": None})


@pytest.mark.parametrize("overwrite", [False, True])
def test_overwrite(bundle: Path, overwrite: bool) -> None:
    nlp = pipeline(bundle, overwrite=overwrite)
    doc = nlp.make_doc(TEXT)
    doc.ents = [Span(doc, 1, 3, label="MISC")]
    doc = nlp(doc)
    first = ("Amina Juma", "PER") if overwrite else ("Juma anaishi", "MISC")
    assert entities(doc) == [first, *ENTITIES[1:]]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"threads": 0}, "threads"),
        ({"max_batch_pieces": 0}, "max_batch_pieces"),
        ({"overlap": -1}, "overlap"),
        ({"min_score": {"PER": 1.5}}, "min_score of PER"),
        ({"label_map": {"PER": ""}}, "label_map of PER"),
    ],
)
def test_settings_out_of_range(bundle: Path, config: dict[str, Any], message: str) -> None:
    with pytest.raises(OpticalError, match=message):
        pipeline(bundle, **config)


@pytest.mark.parametrize(
    "config", [{"min_score": {"PERSON": 0.5}}, {"label_map": {"PERSON": "PER"}}]
)
def test_settings_for_labels_that_the_model_lacks(
    bundle: Path, tmp_path: Path, config: dict[str, Any]
) -> None:
    message = f"{next(iter(config))}.*PERSON.*DATE, LOC, ORG, PER"
    with pytest.raises(OpticalError, match=message):
        pipeline(bundle, **config)
    saved = pipeline(bundle).config
    saved["components"]["optical_ner"].update(config)
    loading = spacy.util.load_model_from_config(saved)
    with pytest.raises(OpticalError, match=message):
        loading("Amina")


def test_default_bundle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("spacy_optical.runtime.bundle.MODELS", tmp_path)
    with pytest.raises(OpticalError, match="no model 'md'"):
        pipeline(None)
    toy_bundle().to_disk(tmp_path / "md")
    with pytest.raises(OpticalError, match=r"no model 'sm'.*it has: md"):
        pipeline("sm")
    assert entities(pipeline("md")(TEXT)) == ENTITIES
    nlp = pipeline(None)
    assert nlp.meta["labels"] == {"optical_ner": list(TOY_LABELS)}
    assert entities(nlp(TEXT)) == ENTITIES


def test_a_relative_folder_stays_that_of_the_start(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(bundle.parent)
    nlp = pipeline(Path(bundle.name))
    monkeypatch.chdir(tmp_path)
    assert nlp.get_pipe("optical_ner").labels
    assert nlp("Amina").text == "Amina"
    assert nlp.config["components"]["optical_ner"]["model"] == bundle.name


def test_missing_bundle(tmp_path: Path) -> None:
    with pytest.raises(OpticalError, match=r"E002.*No such bundle folder: .*nowhere"):
        pipeline(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(OpticalError, match=r"E102.*bundle.json is missing"):
        pipeline(tmp_path / "empty")


def test_missing_bundle_in_a_config_for_training(bundle: Path, tmp_path: Path) -> None:
    """`initialize` checks what a config names when no saved pipeline follows."""
    config = pipeline(bundle).config
    config["components"]["optical_ner"]["model"] = str(tmp_path / "nowhere")
    nlp = spacy.util.load_model_from_config(config)
    with pytest.raises(OpticalError, match="No such bundle folder"):
        nlp.initialize()


def test_disk_round_trip_needs_no_bundle(bundle: Path, tmp_path: Path) -> None:
    shutil.copytree(bundle, tmp_path / "bundle")
    nlp = pipeline(tmp_path / "bundle", label_map={"PER": "PERSON"}, threads=2)
    nlp.to_disk(tmp_path / "saved")
    shutil.rmtree(tmp_path / "bundle")
    expected = outcomes(nlp.pipe(TEXTS))
    # What is at the path by now is another model, and a damaged one.
    toy_bundle({}, labels=["MISC"]).to_disk(tmp_path / "bundle")
    (tmp_path / "bundle" / MODEL_FILE).write_bytes(b"")
    loaded = spacy.load(tmp_path / "saved")
    assert loaded.meta["labels"] == {"optical_ner": ["DATE", "LOC", "ORG", "PERSON"]}
    shutil.rmtree(tmp_path / "bundle")
    assert outcomes(loaded.pipe(TEXTS)) == expected
    assert loaded.get_pipe("optical_ner").threads == 2
    # Again from what was loaded, and over what was saved.
    loaded.to_disk(tmp_path / "saved")
    assert outcomes(spacy.load(tmp_path / "saved").pipe(TEXTS)) == expected


def test_to_disk_loads_a_model_that_nobody_used(bundle: Path, tmp_path: Path) -> None:
    pipeline(bundle).to_disk(tmp_path / "saved")
    saved = Bundle.from_disk(tmp_path / "saved" / "optical_ner" / "bundle")
    assert saved.model == toy_bundle().model


def test_damaged_pipeline(bundle: Path, tmp_path: Path) -> None:
    pipeline(bundle).to_disk(tmp_path / "saved")
    model = tmp_path / "saved" / "optical_ner" / "bundle" / MODEL_FILE
    model.write_bytes(model.read_bytes()[:-1])
    with pytest.raises(OpticalError, match=MODEL_FILE):
        spacy.load(tmp_path / "saved")


def test_bytes_round_trip_needs_no_bundle(bundle: Path, tmp_path: Path) -> None:
    shutil.copytree(bundle, tmp_path / "bundle")
    nlp = pipeline(tmp_path / "bundle", min_score={"PER": 0.1})
    content = nlp.to_bytes()
    shutil.rmtree(tmp_path / "bundle")
    loaded = spacy.util.load_model_from_config(nlp.config).from_bytes(content)
    assert outcomes(loaded.pipe(TEXTS)) == outcomes(nlp.pipe(TEXTS))


def test_exclude(bundle: Path, tmp_path: Path) -> None:
    nlp = pipeline(bundle)
    ner = nlp.get_pipe("optical_ner")
    ner.to_disk(tmp_path / "without", exclude=["bundle"])
    assert list((tmp_path / "without").iterdir()) == []
    assert len(ner.to_bytes(exclude=["bundle"])) < 10
    other = OpticalNER(nlp, model=str(bundle)).from_disk(tmp_path / "without", exclude=["bundle"])
    assert other.labels == TOY_LABELS
    with pytest.raises(OpticalError, match="No such bundle folder"):
        OpticalNER(nlp).from_disk(tmp_path / "without")


@pytest.mark.parametrize("used", [False, True])
def test_pickle(bundle: Path, used: bool) -> None:
    nlp = pipeline(bundle)
    ner = nlp.get_pipe("optical_ner")
    if used:
        nlp(TEXT)
    copied = pickle.loads(pickle.dumps(ner))
    assert outcome(copied(nlp.make_doc(TEXT))) == outcome(nlp(TEXT))


def test_pipeline_pickles(bundle: Path) -> None:
    nlp = pipeline(bundle)
    assert outcome(pickle.loads(pickle.dumps(nlp))(TEXT)) == outcome(nlp(TEXT))


def test_many_threads_call_one_pipeline(bundle: Path) -> None:
    nlp = pipeline(bundle)
    expected = outcomes(pipeline(bundle).pipe(TEXTS))
    with ThreadPoolExecutor(max_workers=50) as pool:
        found = list(pool.map(lambda text: outcome(nlp(text)), TEXTS * 30))
    assert found == expected * 30


def failing(ner: OpticalNER, word: str, error: Exception) -> Callable[..., Any]:
    """A stand-in for `predict` that fails whenever a document holds a word."""
    predict = type(ner).predict

    def fail(docs: list[Doc]) -> Any:
        if any(word in doc.text for doc in docs):
            raise error
        return predict(ner, docs)

    return fail


@pytest.mark.parametrize("error", [OpticalError("broken"), KeyError("broken")])
def test_only_documents_that_fail_alone_reach_the_handler(bundle: Path, error: Exception) -> None:
    nlp = pipeline(bundle)
    ner = nlp.get_pipe("optical_ner")
    ner.predict = failing(ner, "Habari", error)
    handled: list[tuple[str, list[str], Exception]] = []
    nlp.set_error_handler(
        lambda name, proc, docs, err: handled.append((name, [doc.text for doc in docs], err))
    )
    docs = list(nlp.pipe(TEXTS))
    assert handled == [("optical_ner", ["Habari za leo"], error)]
    good = [text for text in TEXTS if text != "Habari za leo"]
    assert [doc.text for doc in docs] == good
    assert outcomes(docs) == outcomes(pipeline(bundle).pipe(good))


@pytest.mark.parametrize("texts", [TEXTS, ["Habari"]])
def test_without_a_handler_errors_are_raised(bundle: Path, texts: list[str]) -> None:
    nlp = pipeline(bundle)
    ner = nlp.get_pipe("optical_ner")
    ner.predict = failing(ner, "Habari", OpticalError("broken"))
    with pytest.raises(OpticalError, match="broken"):
        list(nlp.pipe(texts))
    with pytest.raises(OpticalError, match="broken"):
        nlp("Habari za leo")


def test_handler_of_a_single_call(bundle: Path) -> None:
    nlp = pipeline(bundle)
    ner = nlp.get_pipe("optical_ner")
    ner.predict = failing(ner, "Habari", OpticalError("broken"))
    nlp.set_error_handler(lambda name, proc, docs, err: None)
    assert nlp("Habari za leo").ents == ()


def test_documents_are_read_ahead_by_the_batch(bundle: Path) -> None:
    nlp = pipeline(bundle)
    taken: list[int] = []

    def stream() -> Iterable[Doc]:
        for at in range(10):
            taken.append(at)
            yield nlp.make_doc(TEXT)

    next(iter(nlp.get_pipe("optical_ner").pipe(stream(), batch_size=3)))
    assert taken == [0, 1, 2]


def test_documents_are_read_ahead_by_their_words(bundle: Path) -> None:
    nlp = pipeline(bundle)
    taken: list[int] = []

    def stream() -> Iterable[Doc]:
        for _ in range(30):
            doc = Doc(nlp.vocab, words=["neno"] * 300)
            taken.append(len(doc))
            yield doc

    found = nlp.get_pipe("optical_ner").pipe(stream(), batch_size=1000)
    assert len(next(iter(found))) == 300
    assert MAX_BUFFERED_WORDS <= sum(taken) < MAX_BUFFERED_WORDS + 300


def example(nlp: Language, *ents: tuple[int, int, str]) -> Example:
    return Example.from_dict(nlp.make_doc(TEXT), {"entities": list(ents)})


def test_initialize_checks_labels(bundle: Path) -> None:
    nlp = pipeline(bundle, label_map={"PER": "PERSON"})
    nlp.initialize(lambda: [example(nlp, (0, 10, "PERSON"))])
    ner = nlp.get_pipe("optical_ner")
    ner.initialize(lambda: [example(nlp, (0, 10, "MISC"))], labels=ner.label_data)
    with pytest.warns(UserWarning, match=r"W101.*MISC.*optical_ner.*DATE, LOC, ORG, PERSON"):
        nlp.initialize(lambda: [example(nlp, (0, 10, "MISC"))])
    with pytest.raises(OpticalError, match=r"E116.*PER"):
        ner.initialize(lambda: [], labels=["PER"])


@pytest.mark.parametrize("annotating", [False, True])
def test_debug_data_accepts_what_train_accepts(
    bundle: Path, tmp_path: Path, annotating: bool
) -> None:
    """A frozen `optical_ner` beside a component that is trained, on gold with another label."""
    nlp = pipeline(bundle)
    nlp.add_pipe("ner")
    docs = [example(nlp, (0, 10, "PER"), (19, 26, "PLACE")).reference for _ in range(100)]
    DocBin(docs=docs).to_disk(tmp_path / "gold.spacy")
    config = nlp.config
    training = config["training"]
    training["frozen_components"] = ["optical_ner"]
    training["annotating_components"] = ["optical_ner"] if annotating else []
    training["max_steps"] = 1
    config["paths"].update(train=str(tmp_path / "gold.spacy"), dev=str(tmp_path / "gold.spacy"))
    config.to_disk(tmp_path / "config.cfg")
    with pytest.warns(UserWarning, match=r"W101.*PLACE"):
        debug_data(tmp_path / "config.cfg")
    train(tmp_path / "config.cfg", tmp_path / "trained")
    loaded = spacy.load(tmp_path / "trained" / "model-last")
    assert "PLACE" in loaded.get_pipe("ner").labels


def test_score(bundle: Path) -> None:
    nlp = pipeline(bundle)
    gold = example(nlp, (0, 10, "PER"), (19, 26, "LOC"), (47, 48, "DATE"))
    scores = nlp.evaluate([gold])
    assert (scores["ents_p"], scores["ents_r"]) == (pytest.approx(2 / 4), pytest.approx(2 / 3))
    assert scores["ents_per_type"]["PER"]["f"] == 1.0


def test_what_it_declares() -> None:
    meta = Language.get_factory_meta("optical_ner")
    written = ["doc.ents", "token.ent_iob", "token.ent_type", "span._.score", "doc.spans"]
    assert meta.assigns == written
    assert meta.default_score_weights["ents_f"] == 1.0
    assert "ents_per_type" in meta.default_score_weights


def test_unknown_setting(bundle: Path) -> None:
    with pytest.raises(ValueError, match="modle"):
        pipeline(bundle, modle="x")
