import json
from inspect import signature

import numpy as np
import pytest
import spacy
from spacy.training import Corpus

from spacy_optical.align import AlignConfig
from spacy_optical.data.docs import read_docs
from spacy_optical.errors import OpticalError
from spacy_optical.projection import THRESHOLD
from spacy_optical.projection.labels import SPANS_KEY, project_labels, target_language
from spacy_optical.projection.pair import align_pair, project_pair

PAIRS = [
    ("Amina Juma left Nairobi.", "Nairobi Amina Juma kwa."),
    ("The Benki Kuu, Mombasa.", "Mombasa na Benki Kuu."),
    ("Nothing here.", "Hakuna."),
]


@pytest.fixture
def labeller():
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns(
        [
            {"label": "PERSON", "pattern": "Amina Juma"},
            {"label": "GPE", "pattern": "Nairobi"},
            {"label": "GPE", "pattern": "Mombasa"},
            {"label": "ORG", "pattern": "The Benki Kuu"},
        ]
    )
    return nlp


@pytest.fixture
def bitext(tmp_path):
    path = tmp_path / "sw.jsonl"
    lines = [json.dumps({"en": source, "sw": target}) + "\n" for source, target in PAIRS]
    path.write_text("".join(lines))
    return path


def entities(path):
    return [[(e.text, e.label_) for e in doc.ents] for doc in read_docs(path)]


def test_labels_reach_the_words_of_the_translation(tmp_path, labeller, encoder, bitext):
    out = tmp_path / "out.spacy"
    done: list[int] = []
    summary = project_labels(
        bitext,
        out,
        labeller=labeller,
        encoder=encoder,
        target_lang="sw",
        labels={"PERSON": "PER", "GPE": "LOC", "ORG": "ORG"},
        chunk=2,
        say=done.append,
    )
    assert entities(out) == [
        [("Nairobi", "LOC"), ("Amina Juma", "PER")],
        [("Mombasa", "LOC"), ("Benki Kuu", "ORG")],
        [],
    ]
    assert (summary.read, summary.written, done) == (3, 3, [2, 3])
    assert summary.projected == {"LOC": 2, "PER": 1, "ORG": 1}
    assert sum(summary.histogram) == 4
    for doc in read_docs(out):
        group = doc.spans[SPANS_KEY]
        assert [span.text for span in group] == [entity.text for entity in doc.ents]
        assert len(group.attrs["scores"]) == len(group)
        assert all(0 < score <= 1 for score in group.attrs["scores"])


def test_labels_outside_the_map_and_below_the_threshold_are_left_out(
    tmp_path, labeller, encoder, bitext
):
    out = tmp_path / "out.spacy"
    settings = {"labeller": labeller, "encoder": encoder, "target_lang": "sw"}
    project_labels(bitext, out, labels={"PERSON": "PER"}, threshold=0.0, **settings)
    assert entities(out) == [[("Amina Juma", "PER")], [], []]
    sure = [s for doc in read_docs(out) for s in doc.spans[SPANS_KEY].attrs["scores"]]
    summary = project_labels(bitext, out, labels={"PERSON": "PER"}, threshold=1.0, **settings)
    assert summary.unsure == sum(score < 1 for score in sure)
    assert summary.projected.total() == 1 - summary.unsure


def test_pairs_that_cannot_be_used_are_raised_or_counted(tmp_path, labeller, encoder, bitext):
    out = tmp_path / "out.spacy"
    strict = AlignConfig(skip_below=0.99)
    settings = {"labeller": labeller, "encoder": encoder, "target_lang": "sw", "config": strict}
    with pytest.raises(OpticalError, match=r"E320.*line 1"):
        project_labels(bitext, out, **settings)
    assert not out.exists()
    with pytest.raises(OpticalError, match=r"E322.*sw\.jsonl could be used \(3 E320\)"):
        project_labels(bitext, out, on_error="skip", **settings)
    assert not out.exists()
    settings["config"] = None
    with bitext.open("a") as file:
        file.write("broken\n")
    with pytest.raises(OpticalError, match=r"E220.*line 4"):
        project_labels(bitext, out, **settings)
    summary = project_labels(bitext, out, on_error="skip", **settings)
    assert summary.skipped == {"E220": 1}
    assert summary.written == 3
    with bitext.open("a") as file:
        file.write('{"en": "So sad \\ud83d", "sw": "Pole sana"}\n')  # half of an emoji
    summary = project_labels(bitext, out, on_error="skip", **settings)
    assert summary.skipped == {"E220": 2}


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.9])
def test_align_keeps_what_project_labels_writes(tmp_path, labeller, encoder, threshold):
    """The two commands once differed in weight and threshold."""
    pairs = [*PAIRS, ("Amina Juma came.", "Habari gani Nairobi."), ("Mombasa, Nairobi", "Kwa na .")]
    config = AlignConfig(skip_below=0.2, full_weight_above=0.9)
    written, kept = [], []
    for source, target in pairs:
        path, out = tmp_path / "sw.jsonl", tmp_path / "out.spacy"
        path.write_text(json.dumps({"en": source, "sw": target}))
        settings = {"labeller": labeller, "target_lang": "sw", "threshold": threshold}
        pair = align_pair(source, target, encoder, config, **settings)
        kept.append([(pair.target.words[s.start], s.label) for s in pair.kept])
        if not pair.usable:
            with pytest.raises(OpticalError, match="E320"):
                project_labels(path, out, encoder=encoder, config=config, **settings)
            written.append([])
            continue
        project_labels(path, out, encoder=encoder, config=config, **settings)
        (doc,) = read_docs(out)
        written.append([(e[0].text, e.label_) for e in doc.ents])
        scores = doc.spans[SPANS_KEY].attrs["scores"]
        assert scores == [round(s.confidence, 4) for s in pair.kept]
        assert json.loads(json.dumps(scores)) == scores
    assert written == kept


def test_align_and_project_labels_have_the_same_threshold():
    functions = (align_pair, project_pair, project_labels)
    assert {signature(f).parameters["threshold"].default for f in functions} == {THRESHOLD}


def test_unlike_pairs_leave_less_confidence(tmp_path, labeller, encoder, bitext):
    """Between `skip_below` and `full_weight_above`, a pair's confidences shrink by one factor."""
    settings = {"labeller": labeller, "encoder": encoder, "target_lang": "sw"}

    def scores(**align):
        out = tmp_path / "out.spacy"
        project_labels(bitext, out, config=AlignConfig(**align), **settings)
        return read_docs(out)[0].spans[SPANS_KEY].attrs["scores"]

    full, less = scores(full_weight_above=0.25), scores(skip_below=0.0, full_weight_above=1.0)
    factors = [b / a for a, b in zip(full, less, strict=True)]
    assert factors == pytest.approx([factors[0]] * 2, abs=0.001)
    assert 0.25 < factors[0] < 1


def test_shards_hold_what_one_file_does(tmp_path, labeller, encoder, bitext):
    bitext.write_text(bitext.read_text() * 2)
    settings = {"labeller": labeller, "encoder": encoder, "target_lang": "sw", "chunk": 4}
    whole = project_labels(bitext, tmp_path / "one.spacy", **settings)
    for _ in range(2):  # the second run takes the place of the first
        summary = project_labels(bitext, tmp_path / "many", shard_size=5, **settings)
        assert summary == whole
        names = sorted(path.name for path in (tmp_path / "many").iterdir())
        assert names == ["00001.spacy", "00002.spacy", "projection.json"]
    nlp = spacy.blank("xx")
    for path in ("one.spacy", "many"):
        docs = [example.reference for example in Corpus(tmp_path / path)(nlp)]
        assert len(docs) == 6
        assert [[(e.text, e.label_) for e in doc.ents] for doc in docs] == entities(
            tmp_path / "one.spacy"
        )
    assert len(read_docs(tmp_path / "many" / "00001.spacy")) == 5
    told = json.loads((tmp_path / "many" / "projection.json").read_text())
    assert (told["written"], told["projected"]) == (6, dict(whole.projected))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["many", "one.spacy", "sw.jsonl"]


def test_words_of_a_shard_outlive_the_chunk_that_made_them(tmp_path, labeller, encoder):
    # The words of Lingala are in no vocabulary of another test.
    bitext, settings = tmp_path / "ln.jsonl", {"labeller": labeller, "encoder": encoder}
    rows = [{"en": f"Leila{at}.", "ln": f"neno{at} kazi{at} Leila{at}."} for at in range(60)]
    bitext.write_text("".join(json.dumps(row) + "\n" for row in rows))
    settings |= {"target_lang": "ln", "chunk": 8, "on_error": "skip"}
    for name, size in (("many", 13), ("one.spacy", None)):
        project_labels(bitext, tmp_path / name, shard_size=size, **settings)
    many, one = (
        [doc.reference.text for doc in Corpus(tmp_path / name)(spacy.blank("xx"))]
        for name in ("many", "one.spacy")
    )
    assert many == one
    assert len(one) > 13


def test_nothing_is_left_where_shards_failed(tmp_path, labeller, encoder, bitext):
    bitext.write_text(bitext.read_text() + "broken\n")
    settings = {"labeller": labeller, "encoder": encoder, "target_lang": "sw", "chunk": 1}
    with pytest.raises(OpticalError, match="E220"):
        project_labels(bitext, tmp_path / "many", shard_size=1, **settings)
    assert [path.name for path in tmp_path.iterdir()] == ["sw.jsonl"]


def test_foreign_things_in_the_way_are_left_alone(tmp_path, labeller, encoder, bitext):
    settings = {"labeller": labeller, "encoder": encoder, "target_lang": "sw"}
    for shard_size in (None, 2):
        with pytest.raises(OpticalError, match="E004"):
            project_labels(bitext, tmp_path, shard_size=shard_size, **settings)
    assert [path.name for path in tmp_path.iterdir()] == ["sw.jsonl"]


def test_the_bitext_is_not_overwritten(tmp_path, labeller, encoder, bitext):
    before = bitext.read_bytes()
    with pytest.raises(OpticalError, match=r"E010.*sw.jsonl"):
        project_labels(bitext, bitext, labeller=labeller, encoder=encoder)
    assert bitext.read_bytes() == before


def test_shards_are_written_as_they_fill(tmp_path, labeller, encoder, bitext):
    """So that no more than one file's documents are held, however long the bitext is."""
    bitext.write_text(bitext.read_text() * 4)
    written: list[int] = []
    project_labels(
        bitext,
        tmp_path / "many",
        labeller=labeller,
        encoder=encoder,
        target_lang="sw",
        shard_size=2,
        chunk=3,
        say=lambda done: written.append(len(list(tmp_path.glob(".many*/*.spacy")))),
    )
    assert written == [1, 3, 4, 6]


def test_pair_without_words_is_named(tmp_path, labeller, encoder, bitext):
    with bitext.open("a") as file:
        file.write(json.dumps({"en": "Nairobi.", "sw": "\u2028\u200a"}) + "\n")
    settings = {"labeller": labeller, "encoder": encoder, "target_lang": "sw"}
    out = tmp_path / "out.spacy"
    with pytest.raises(OpticalError, match=r"line 4"):
        project_labels(bitext, out, **settings)
    summary = project_labels(bitext, out, on_error="skip", **settings)
    assert summary.skipped.total() == 1


def test_vectors_with_nan_never_make_a_plan(tmp_path, labeller, bitext):
    class Broken:
        def vectors(self, sentences):
            return [np.full((len(words), 4), np.nan) for words in sentences]

    out = tmp_path / "out.spacy"
    settings = {"labeller": labeller, "encoder": Broken(), "target_lang": "sw"}
    with pytest.raises(OpticalError, match="E302"):
        project_labels(bitext, out, **settings)


def test_a_language_without_a_tokenizer_is_refused_before_the_work_begins(tmp_path, labeller):
    class Never:
        def vectors(self, sentences):
            raise AssertionError

    path = tmp_path / "km.jsonl"
    path.write_text(json.dumps({"en": "Amina Juma left.", "km": "អាមីណាបានចាកចេញ។"}))
    with pytest.raises(OpticalError, match=r"E251\] 'km'"):
        project_labels(
            path, tmp_path / "out.spacy", labeller=labeller, encoder=Never(), target_lang="km"
        )
    assert [path.name for path in tmp_path.iterdir()] == ["km.jsonl"]


def test_the_target_language_is_read_off_the_name():
    assert target_language("corpus/bitext/sw.jsonl") == "sw"
    assert target_language("en-hau.tsv.gz") == "hau"
    with pytest.raises(OpticalError, match="E319"):
        target_language("bitext.jsonl")
