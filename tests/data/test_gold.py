"""One sentence in every form that gold comes in reads the same."""

import json
from pathlib import Path

import pytest

from spacy_optical.data.conll import TaggedSentence
from spacy_optical.data.docs import EVALUATION_ONLY, write_docs
from spacy_optical.data.gold import label_by_patterns, read_tagged, tagged_doc
from spacy_optical.data.sources import LabelledSet
from spacy_optical.errors import OpticalError

WORDS = ("Amina", "Juma", "anaishi", "Nairobi", "tangu", "Mei")
DATES = Path(__file__).parents[2] / "assets/english/dates.jsonl"
SPANS = ((0, 2, "PER"), (3, 4, "LOC"))
TAGS = ("B-PERSON", "I-PERSON", "O", "B-LOC", "O", "B-DATE")
NUMBERS = (3, 4, 0, 1, 0, 7)
LABELS = {"PERSON": "PER", "DATE": ""}
WHOLE = {"3": "B-PER", "4": "I-PER", "0": "O", "1": "B-LOC", "7": ""}


def read(path, language="sw", **settings):
    return read_tagged(path, LabelledSet(**settings), language=language)


def lines(tags):
    return "".join(f"{w} {t}\n" for w, t in zip(WORDS, tags, strict=True))


def json_line(tags):
    return json.dumps({"id": "x", "tokens": WORDS, "ner_tags": tags}) + "\n"


def table(tags):
    rows = [f"{t}\t{w}\t4.0" for w, t in zip(WORDS, tags, strict=True)]
    return "\n".join(["tag\tword\tnumber", *rows, "O\tNdiyo\t5.0"]) + "\n"


@pytest.mark.parametrize(
    ("name", "content", "labels", "settings"),
    [
        ("a.txt", "-DOCSTART- O\n\n" + lines(TAGS), LABELS, {}),
        ("a.jsonl", json_line(TAGS), LABELS, {}),
        ("a.jsonl", json_line(NUMBERS), WHOLE, {}),
        (
            "a.txt",
            table(TAGS),
            LABELS,
            {"gold_format": "table", "columns": ("word", "tag", "number")},
        ),
        (
            "a.jsonl",
            '{"id": "1", "sw": "[Amina Juma](PER) anaishi [Nairobi](LOC) tangu [Mei](DATE)"}\n',
            LABELS,
            {"gold_format": "marked"},
        ),
    ],
)
def test_forms_read_the_same(tmp_path, name, content, labels, settings):
    path = tmp_path / name
    path.write_text(content, encoding="utf8")
    first = read(path, labels=labels, **settings)[0]
    assert (first.words, first.spans) == (WORDS, SPANS)


BILOU = ("B-PERSON", "L-PERSON", "O", "U-LOC", "O", "U-DATE")
IOBES = ("B-PERSON", "E-PERSON", "O", "S-LOC", "O", "S-DATE")
DOCSTART = json.dumps({"tokens": ["-DOCSTART-"], "ner_tags": ["_"]}) + "\n"


@pytest.mark.parametrize("tags", [BILOU, IOBES])
@pytest.mark.parametrize(
    ("form", "settings"),
    [
        (lines, {}),
        (lambda tags: DOCSTART + json_line(tags), {"gold_format": "jsonl"}),
        (table, {"gold_format": "table", "columns": ("word", "tag", "number")}),
    ],
)
def test_other_schemes_read_the_same_in_every_form(tmp_path, tags, form, settings):
    path = tmp_path / "a.txt"
    path.write_text(form(tags), encoding="utf8")
    first = read(path, labels=LABELS, **settings)[0]
    assert (first.words, first.spans) == (WORDS, SPANS)


def test_docstart_is_no_sentence_of_a_table_or_a_document(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("words\tlabels\tsentence_id\n-DOCSTART-\t-X-\t0\nAmina\tB-PER\t1\n")
    assert [s.words for s in read(path, gold_format="table")] == [("Amina",)]
    docs = [tagged_doc(TaggedSentence("1", w, ()), evaluation_only=False)
            for w in (("-DOCSTART-",), ("Amina",))]  # fmt: skip
    write_docs(docs, tmp_path / "a.spacy")
    assert [s.words for s in read(tmp_path / "a.spacy")] == [("Amina",)]


def test_a_no_break_space_stays_in_its_word(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"tokens": ["10\\u00a0000\\u00a0"], "ner_tags": ["O"]}\n')
    assert read(path)[0].words == ("10\u00a0000\u00a0",)


@pytest.mark.parametrize("blank", [" ", "\u2009"])
def test_words_of_white_space_alone_are_left_out_in_every_form(tmp_path, blank):
    words, tags = ("Amina", blank, "Juma"), ("B-PER", "I-PER", "I-PER")
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"tokens": words, "ner_tags": tags}), encoding="utf8")
    rows = [f"{word}\t{tag}\t1" for word, tag in zip(words, tags, strict=True)]
    table = "\n".join(["words\tlabels\tsentence_id", *rows])
    (tmp_path / "a.tsv").write_text(table, encoding="utf8")
    for name, kind in (("a.jsonl", None), ("a.tsv", "table")):
        (found,) = read(tmp_path / name, language="en", gold_format=kind)
        assert (found.words, found.spans) == (("Amina", "Juma"), ((0, 2, "PER"),))


def test_spacys_own_files_round_trip(tmp_path):
    sentence = TaggedSentence("1", WORDS, SPANS)
    doc = tagged_doc(sentence, evaluation_only=True)
    assert doc.user_data[EVALUATION_ONLY]
    write_docs([doc], tmp_path / "a.spacy")
    assert read(tmp_path / "a.spacy") == [sentence]


def test_a_tables_sentences_end_where_the_number_changes(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text(table(TAGS), encoding="utf8")
    found = read(path, labels=LABELS, gold_format="table", columns=("word", "tag", "number"))
    assert [s.words for s in found] == [WORDS, ("Ndiyo",)]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.jsonl", '{"tokens": ["a"], "ner_tags": []}\n', "E237"),
        ("a.jsonl", '{"tokens": ["a"], "ner_tags": ["B_PER"]}\n', "E228"),
        ("a.jsonl", "[]\n", "E237"),
        ("a.jsonl", "\n", "E206"),
        ("a.jsonl", b"\xff\n", "E222"),
        ("a.spacy", b"nonsense", "E205"),
        ("a.tsv", "word\ttag\nx\tO\n", "E236"),
        ("a.tsv", "words\tlabels\tsentence_id\nx\tO\n", "E227"),
        ("none.jsonl", None, "E002"),
    ],
)
def test_bad_files_are_named(tmp_path, name, content, code):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    kind = "table" if name.endswith(".tsv") else None
    with pytest.raises(OpticalError, match=f"{code}.*{path.name}"):
        read(path, gold_format=kind)


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("The vote of 3 March 2021 was void", ["3 March 2021"]),
        ("She left on Monday , May 5 , 2014 , in haste", ["Monday , May 5 , 2014"]),
        ("May I come on a Friday in May ?", ["Friday", "May"]),
        ("It sold 2000 cars in 1998 and again last July", ["1998", "last July"]),
        ("He waited two years until 07/08/2003", ["07/08/2003"]),
        ("Thousands march in may and may march again", []),
    ],
)
def test_patterns_of_the_assets_find_dates_as_its_guidelines_say(text: str, dates: list[str]):
    sentence = TaggedSentence("x", tuple(text.split()), (), not_labelled=("DATE",))
    [found] = label_by_patterns([sentence], DATES)
    assert [" ".join(found.words[start:end]) for start, end, _ in found.spans] == dates
    assert found.not_labelled == ()


def test_patterns_leave_entities_alone_and_other_labels_unknown():
    words = ("Mrs", "May", "met", "Lewis", "in", "May")
    sentence = TaggedSentence("x", words, ((1, 2, "PER"),), not_labelled=("DATE", "LOC"))
    [found] = label_by_patterns([sentence], DATES)
    assert found.spans == ((1, 2, "PER"), (5, 6, "DATE"))
    assert found.not_labelled == ("LOC",)


@pytest.mark.parametrize("text", ["[May](DATE)", '{"label": "DATE"}', '{"pattern": 3, "label": 1}'])
def test_a_file_without_patterns_is_named(text: str, tmp_path: Path):
    path = tmp_path / "dates.jsonl"
    path.write_text(text + "\n", encoding="utf8")
    sentence = TaggedSentence("x", ("May",), (), not_labelled=("DATE",))
    with pytest.raises(OpticalError, match=r"E252.*dates\.jsonl"):
        list(label_by_patterns([sentence], path))


def test_patterns_for_what_is_labelled_are_refused():
    with pytest.raises(OpticalError, match=r"E253.*'DATE'"):
        list(label_by_patterns([TaggedSentence("x", ("May",), ())], DATES))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"tokens": "abc", "ner_tags": "OOO"}', "must be lists"),
        ('{"tokens": ["\\ud83d"], "ner_tags": ["O"]}', "surrogates"),
    ],
)
def test_json_lines_hold_lists_of_texts(tmp_path, line, reason):
    path = tmp_path / "gold.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(OpticalError, match=rf"E237.*line 1.*{reason}"):
        read(path)
