import pytest

from spacy_optical.data.conll import TaggedSentence, read_iob2
from spacy_optical.errors import OpticalError

UNER = """# newdoc id = d1
# sent_id = d1-s1
# text = Amina Juma came to the # 1 shop.
1\tAmina\tB-PER\t-\tx
2\tJuma\tI-PER\t-\tx
3\tcame\tO\t-\t-
4\t#\tO\t-\t-
5\t1\tO\t-\t-

# sent_id = d1-s2
1\tNairobi\tB-LOC\t-\tx
"""


def test_universal_ner_is_read_with_its_ids(tmp_path):
    path = tmp_path / "a.iob2"
    path.write_bytes(UNER.replace("\n", "\r\n").encode())
    assert read_iob2(path) == [
        TaggedSentence("d1-s1", ("Amina", "Juma", "came", "#", "1"), ((0, 2, "PER"),)),
        TaggedSentence("d1-s2", ("Nairobi",), ((0, 1, "LOC"),)),
    ]


def test_words_and_tags_alone_are_numbered(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("# O\nAmina B-PER\n\n\n2024 B-DATE\nMei I-DATE\n", encoding="utf8")
    found = read_iob2(path)
    assert [s.id for s in found] == ["1", "2"]
    assert found[0].words == ("#", "Amina")
    assert found[1].spans == ((0, 2, "DATE"),)


def test_spans_that_begin_with_i_and_touch_are_kept_apart(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("a I-PER\nb I-LOC\nc B-LOC\nd I-LOC\n")
    assert read_iob2(path)[0].spans == ((0, 1, "PER"), (1, 2, "LOC"), (2, 4, "LOC"))


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"a O\nword\n", "E227"),
        (b"a O\nb X-PER\n", "E228"),
        (b"a O\nb B-\n", "E228"),
        (b"a O\ncaf\xe9 O\n", "E222"),
    ],
)
def test_bad_lines_are_named(tmp_path, content, code):
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    with pytest.raises(OpticalError, match=rf"{code}.*a\.txt, line 2"):
        read_iob2(path)


def test_missing_and_empty_files_are_named(tmp_path):
    with pytest.raises(OpticalError, match="E002"):
        read_iob2(tmp_path / "none")
    (tmp_path / "empty").write_text("# nothing\n\n")
    with pytest.raises(OpticalError, match="E206"):
        read_iob2(tmp_path / "empty")


def read(tmp_path, content):
    path = tmp_path / "a.txt"
    path.write_text(content, encoding="utf8")
    return [(s.words, s.spans) for s in read_iob2(path)]


@pytest.mark.parametrize(
    ("content", "words", "spans"),
    [
        ("1954 CD I-NP O\n", ("1954",), ()),
        ("30 NUM B-DATE\nMei NOUN I-DATE\n", ("30", "Mei"), ((0, 2, "DATE"),)),
        ("1 CD B-DATE\n30 CD I-DATE\n", ("1", "30"), ((0, 2, "DATE"),)),
        ("0\tMei\tB-DATE\n1\t2024\tI-DATE\n", ("Mei", "2024"), ((0, 2, "DATE"),)),
        ("7 a O\n8 Juma B-PER\n9 c O\n", ("a", "Juma", "c"), ((1, 2, "PER"),)),
        ("#Mbeya NNP I-NP I-LOC\n", ("#Mbeya",), ((0, 1, "LOC"),)),
        ("#Mbeya NNP I-LOC\nni VB O\n", ("#Mbeya", "ni"), ((0, 1, "LOC"),)),
        ("# text = Vitamin O\na B-PER\n", ("a",), ((0, 1, "PER"),)),
        ("# sent_id = 1\n# 1 O\nb x B-PER\n", ("#", "b"), ((1, 2, "PER"),)),
        ("10\u00a0000 O\n", ("10\u00a0000",), ()),
        ("10\u00a0000\tO\na\u2009b\tB-PER\n", ("10\u00a0000", "a\u2009b"), ((1, 2, "PER"),)),
    ],
)
def test_a_sentence_has_one_form(tmp_path, content, words, spans):
    assert read(tmp_path, content) == [(words, spans)]


@pytest.mark.parametrize(
    "line", ["\u2009\tO", "\u2009 O", " \tB-PER", " O", "\u2009", "\u2009\u2009\tI-PER"]
)
def test_words_of_white_space_alone_are_left_out(tmp_path, line):
    assert read(tmp_path, f"a O\n{line}\nb B-PER\n") == [(("a", "b"), ((1, 2, "PER"),))]
    numbered = "1\ta\tO\n2\t\u2009\tO\n3\tb\tB-PER\n"
    assert read(tmp_path, numbered) == [(("a", "b"), ((1, 2, "PER"),))]
    assert read(tmp_path, f"{line}\n\nb B-PER\n") == [(("b",), ((0, 1, "PER"),))]


def test_a_word_that_is_missing_or_has_no_tag_is_still_named(tmp_path):
    for line in ("\tO", " Amina", "Amina"):
        with pytest.raises(OpticalError, match="E227"):
            read(tmp_path, f"a O\n{line}\n")


def test_a_sentence_of_one_word_is_read_as_the_longer_ones(tmp_path):
    numbered = "1\tNairobi\tB-LOC\n"
    assert read(tmp_path, numbered + "\n1\ta\tO\n2\tb\tO\n")[0][0] == ("Nairobi",)
    assert read(tmp_path, "1 CD O\n\nAmina NN B-PER\nyuko VB O\n")[0][0] == ("1",)


@pytest.mark.parametrize(
    "line",
    [
        "-DOCSTART-",
        "-DOCSTART- O",
        "-DOCSTART-\tO",
        "-DOCSTART- -X- -X- O",
        "-DOCSTART- -X- O O",
        "1\t-DOCSTART-\tO",
        "-DOCSTART- (7)",
    ],
)
@pytest.mark.parametrize("between", ["\n\n", "\n"])
def test_docstart_is_no_word_in_any_form(tmp_path, line, between):
    content = f"{line}{between}a O\nb B-PER\n\n{line}{between}c O\n"
    if line.startswith("1\t"):
        content = f"{line}\n\n1\ta\tO\n2\tb\tB-PER\n\n{line}\n\n1\tc\tO\n"
    assert read(tmp_path, content) == [(("a", "b"), ((1, 2, "PER"),)), (("c",), ())]


def test_a_file_of_docstart_alone_holds_nothing(tmp_path):
    with pytest.raises(OpticalError, match="E206"):
        read(tmp_path, "-DOCSTART- -X- O O\n\n")


@pytest.mark.parametrize(
    "tags",
    [
        ("B-PER", "I-PER", "O", "B-LOC", "B-PER", "I-PER", "I-PER"),
        ("I-PER", "I-PER", "O", "I-LOC", "I-PER", "I-PER", "I-PER"),
        ("B-PER", "L-PER", "O", "U-LOC", "B-PER", "I-PER", "L-PER"),
        ("B-PER", "E-PER", "O", "S-LOC", "B-PER", "I-PER", "E-PER"),
    ],
)
def test_schemes_read_the_same(tmp_path, tags):
    content = "".join(f"w{i} {tag}\n" for i, tag in enumerate(tags))
    assert read(tmp_path, content)[0][1] == ((0, 2, "PER"), (3, 4, "LOC"), (4, 7, "PER"))


def test_single_words_beside_each_other_stay_apart(tmp_path):
    assert read(tmp_path, "a U-PER\nb U-PER\n")[0][1] == ((0, 1, "PER"), (1, 2, "PER"))
    assert read(tmp_path, "a I-PER\nb B-PER\n")[0][1] == ((0, 1, "PER"), (1, 2, "PER"))
