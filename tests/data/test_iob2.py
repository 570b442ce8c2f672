import pytest

from spacy_optical.data.iob2 import TaggedSentence, read_iob2
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
        (b"a O\nb S-PER\n", "E228"),
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
