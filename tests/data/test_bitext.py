import gzip
import io
import json
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from spacy_optical.data.bitext import BitextPair, read_bitext
from spacy_optical.errors import OpticalError

PAIRS = [("a1", "Amina came.", "Amina alikuja."), ("a2", "He left.", "Aliondoka.")]
TMX = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE tmx SYSTEM "tmx14.dtd">
<tmx version="1.4"><header srclang="en"/><body>
<tu tuid="a1"><tuv xml:lang="EN-gb"><seg>Amina <ph>x</ph>came.</seg></tuv>
<tuv xml:lang="sw"><seg>Amina alikuja.</seg></tuv></tu>
<tu><tuv lang="en"><seg>He left.</seg></tuv><tuv lang="sw_KE"><seg>Aliondoka.</seg></tuv></tu>
</body></tmx>
"""
BOMB = """<?xml version="1.0"?>
<!DOCTYPE tmx [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>
<tmx><body><tu><tuv xml:lang="en"><seg>&c;</seg></tuv></tu></body></tmx>
"""
OUTSIDE = """<?xml version="1.0"?>
<!DOCTYPE tmx [<!ENTITY a SYSTEM "file:///etc/hostname">]>
<tmx><body><tu><tuv xml:lang="en"><seg>&a;</seg></tuv></tu></body></tmx>
"""


def jsonl(pairs=PAIRS, wrap=lambda row: row):
    return "".join(
        json.dumps({"id": name, **wrap({"en": source, "sw": target})}, ensure_ascii=False) + "\n"
        for name, source, target in pairs
    )


def read(path, **settings):
    return list(read_bitext(path, target_lang="sw", **settings))


def triples(pairs):
    return [(pair.id, pair.source, pair.target) for pair in pairs]


CONLLU = """# newdoc id = n1
# sent_id = a1
# text = Amina alikuja.
# text_en = Amina came.
1\tAmina\tAmina\tPROPN\t_\t_\t2\tnsubj\t_\t_

# sent_id = a2
# text_en = He left.
# text = Aliondoka.
1\t#\t#\tSYM\t_\t_\t0\troot\t_\t_
"""


def zipped(name, data):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("_about.txt", "who made it")
        archive.writestr(name, data)
    return file.getvalue()


@pytest.mark.parametrize("packed", ["", ".gz", ".zip"])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("b.jsonl", jsonl()),
        ("b.json", jsonl(wrap=lambda row: {"translation": row})),
        ("b.tsv", "\r\n".join("\t".join(row) for row in PAIRS) + "\r\n"),
        (
            "b.tmx",
            TMX.replace("<tu><tuv lang", '<tu tuid="a2"><tuv lang'),
        ),
        ("b.conllu", CONLLU),
    ],
)
def test_every_format_gives_the_same_pairs(tmp_path, name, content, packed):
    data = content.encode("utf8")
    path = tmp_path / (name + packed)
    form = {"": data, ".gz": gzip.compress(data), ".zip": zipped(name, data)}
    path.write_bytes(form[packed])
    assert triples(read(path)) == PAIRS


def test_an_archive_of_several_files_or_none_is_named(tmp_path):
    path = tmp_path / "b.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("b.tsv", "a\tb\n")
        archive.writestr("c/d.tsv", "a\tb\n")
    with pytest.raises(OpticalError, match=r"E247.*b\.tsv, c/d\.tsv"):
        read(path)
    path.write_bytes(b"no archive")
    with pytest.raises(OpticalError, match=r"E223.*b\.zip"):
        read(path)
    whole = zipped("b.jsonl", jsonl())
    path.write_bytes(whole.replace(whole[60:70], b"0123456789"))
    with pytest.raises(OpticalError, match=r"E223.*b\.zip"):
        read(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("b.jsonl", jsonl())
    whole = path.read_bytes()
    path.write_bytes(whole.replace(whole[60:70], b"0123456789"))
    with pytest.raises(OpticalError, match=r"E223.*b\.zip"):
        read(path)


def test_two_files_of_any_name_are_read_side_by_side(tmp_path):
    source, target = tmp_path / "newstest-src.eng.txt", tmp_path / "newstest-ref.swa.txt"
    source.write_text("".join(f"{row[1]}\n" for row in PAIRS))
    target.write_text("".join(f"{row[2]}\n" for row in PAIRS))
    found = list(read_bitext(source, target, target_lang="sw", format="moses"))
    assert triples(found) == [(str(i), *row[1:]) for i, row in enumerate(PAIRS, 1)]
    with pytest.raises(OpticalError, match=r"E002.*none"):
        list(read_bitext(source, tmp_path / "none", target_lang="sw", format="moses"))


def test_treebanks_of_the_same_text_are_joined_by_their_ids(tmp_path):
    source, target = tmp_path / "en.conllu", tmp_path / "sw.conllu"
    source.write_text(
        "# sent_id = a2\n# text = He left.\n1\tx\n\n# sent_id = a1\n# text = Amina came.\n"
    )
    target.write_text(CONLLU.replace("text_en", "gloss") + "\n# sent_id = a3\n# text = Ndiyo.\n")
    skipped: Counter[str] = Counter()
    settings = {"target_lang": "sw", "on_error": "skip", "skipped": skipped}
    assert triples(read_bitext(source, target, **settings)) == PAIRS
    assert skipped == {"E208": 1}


def test_named_keys_choose_what_json_lines_and_treebanks_call_both_sides(tmp_path):
    path = tmp_path / "queries.json"
    row = {"id": 7, "question": "Nani?", "translated_question": "Who?", "lang": "swa"}
    path.write_text(json.dumps(row) + "\n")
    assert triples(read(path, keys=("translated_question", "question"))) == [("7", "Who?", "Nani?")]
    path = tmp_path / "b.conllu"
    path.write_text(CONLLU.replace("text_en", "gloss"))
    assert triples(read(path, keys=("gloss", "text"))) == PAIRS


@pytest.mark.parametrize("packed", [False, True])
def test_moses_files_are_read_side_by_side(tmp_path, packed):
    for lang, column in (("en", 1), ("sw", 2)):
        data = "".join(row[column] + "\n" for row in PAIRS).encode()
        end = ".gz" if packed else ""
        (tmp_path / f"corpus.{lang}{end}").write_bytes(gzip.compress(data) if packed else data)
    found = read(tmp_path / "corpus")
    assert found == [BitextPair(str(i), *row[1:]) for i, row in enumerate(PAIRS, 1)]


def test_moses_files_may_stand_beside_a_folder_of_the_same_name(tmp_path):
    (tmp_path / "c").mkdir()
    (tmp_path / "c.en").write_text("One.\n")
    (tmp_path / "c.sw").write_text("Moja.\n")
    assert triples(read(tmp_path / "c")) == [("1", "One.", "Moja.")]


@pytest.mark.parametrize("name", ["b.tsv.GZ", "B.TSV.ZIP"])
def test_packed_files_may_have_names_in_capitals(tmp_path, name):
    data = b"One.\tMoja.\n"
    path = tmp_path / name
    path.write_bytes(gzip.compress(data) if name.endswith("GZ") else zipped("b.tsv", data))
    assert triples(read(path)) == [("1", "One.", "Moja.")]


def test_a_file_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "b.tsv").write_text("One.\tMoja.\n")
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(OpticalError, match=r"E223.*b\.tsv.*Permission denied"):
        read(tmp_path / "b.tsv")


def test_moses_files_of_different_length_say_how_long_each_is(tmp_path):
    (tmp_path / "c.en").write_text("one\ntwo\nthree\n")
    (tmp_path / "c.sw").write_text("moja\n")
    with pytest.raises(OpticalError, match=r"E225.*c\.en has 3 lines and .*c\.sw 1"):
        read(tmp_path / "c")


def test_a_tsv_without_ids_is_numbered_and_a_mark_at_the_start_is_no_text(tmp_path):
    path = tmp_path / "b.tsv"
    path.write_bytes(b"\xef\xbb\xbfOne.\tMoja.\n\nTwo.\tMbili.\n")
    assert triples(read(path)) == [("1", "One.", "Moja."), ("3", "Two.", "Mbili.")]


def test_tmx_takes_varieties_of_a_language_and_text_around_markup(tmp_path):
    path = tmp_path / "b.tmx"
    path.write_text(TMX)
    assert triples(read(path)) == [PAIRS[0], ("2", *PAIRS[1][1:])]


def test_tmx_units_do_not_pile_up(tmp_path):
    unit = TMX[TMX.index("<tu tuid") : TMX.index("<tu><tuv lang")]
    path = tmp_path / "b.tmx"
    path.write_text(TMX.replace(unit, unit * 500))
    reader = read_bitext(path, target_lang="sw")
    for _ in range(400):
        next(reader)
    # The reader's own frame holds the tree; what was read is no longer in it.
    root = reader.gi_frame.f_locals["pairs"].gi_frame.f_locals["root"]
    assert sum(1 for _ in root.iter()) < 50


@pytest.mark.parametrize("content", [BOMB, OUTSIDE])
def test_tmx_with_entities_of_its_own_is_refused(tmp_path, content):
    path = tmp_path / "b.tmx"
    path.write_text(content)
    with pytest.raises(OpticalError, match=r"E224.*declares entities"):
        read(path)


def test_a_tmx_that_ends_early_names_the_unit(tmp_path):
    path = tmp_path / "b.tmx"
    path.write_text(TMX[: TMX.index("Aliondoka")])
    with pytest.raises(OpticalError, match=r"E224.*unit 1"):
        read(path)


@pytest.mark.parametrize("encoding", ["gb2312", "klingon"])
def test_a_tmx_in_an_unknown_encoding_is_named(tmp_path, encoding):
    path = tmp_path / "b.tmx"
    path.write_text(TMX.replace("UTF-8", encoding))
    with pytest.raises(OpticalError, match=r"E224.*b\.tmx.*encoding"):
        read(path)


def test_a_tmx_with_endless_nesting_names_the_unit(tmp_path):
    path = tmp_path / "b.tmx"
    path.write_text(TMX.replace("He left.", "<hi>" * 5_000 + "He left." + "</hi>" * 5_000))
    with pytest.raises(OpticalError, match=r"E224.*unit 2"):
        read(path)


@pytest.mark.parametrize("cut", [12, -9])
def test_a_truncated_gzip_names_file_and_line(tmp_path, cut):
    path = tmp_path / "b.jsonl.gz"
    path.write_bytes(gzip.compress(jsonl().encode())[:cut])
    with pytest.raises(OpticalError, match=r"E223.*b\.jsonl\.gz, line \d"):
        read(path, on_error="skip")


def test_a_gzip_that_is_none_is_named(tmp_path):
    path = tmp_path / "b.jsonl.gz"
    path.write_text(jsonl())
    with pytest.raises(OpticalError, match="E223"):
        read(path)


BAD_LINES = [
    (b'{"id": 3, "en": "x"}', "E220"),
    (b'{"en": "x", "sw": 7}', "E220"),
    (b"not json", "E220"),
    (b"[" * 100_000, "E220"),
    (b'{"id": ' + b"1" * 5_000 + b', "en": "x", "sw": "y"}', "E220"),
    (b'{"id": "\\ud83d", "en": "x", "sw": "y"}', "E220"),
    (b'["en", "sw"]', "E220"),
    (b'{"en": "x", "sw": "  "}', "E208"),
    (b'{"en": "caf\xe9", "sw": "x"}', "E222"),
]


@pytest.mark.parametrize(("line", "code"), BAD_LINES)
def test_bad_lines_are_named_by_file_and_line(tmp_path, line, code):
    path = tmp_path / "b.jsonl"
    path.write_bytes(jsonl(PAIRS[:1]).encode() + line + b"\n" + jsonl(PAIRS[1:]).encode())
    with pytest.raises(OpticalError, match=rf"{code}.*b\.jsonl, line 2"):
        read(path)


def test_bad_lines_are_skipped_and_counted_when_asked(tmp_path):
    path = tmp_path / "b.jsonl"
    lines = [jsonl(PAIRS[:1]).encode(), *(line + b"\n" for line, _ in BAD_LINES)]
    path.write_bytes(b"".join(lines) + jsonl(PAIRS[1:]).encode())
    skipped: Counter[str] = Counter()
    assert triples(read(path, on_error="skip", skipped=skipped)) == PAIRS
    assert skipped == Counter(code for _, code in BAD_LINES)


TATOEBA = "Go.\tNenda.\tCC-BY 2.0 #1 (a) & #2 (b)\nRoom 7.\tChumba 7.\tCC-BY 2.0 #3 (c) & #4 (d)\n"


@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_an_attribution_is_not_taken_for_the_translation(tmp_path, on_error):
    path = tmp_path / "b.tsv"
    path.write_text(TATOEBA)
    with pytest.raises(OpticalError, match=r"E243.*line 1.*'Go\.', 'Nenda\.'.*--keys.*keys = "):
        read(path, on_error=on_error)
    found = triples(read(path, keys=("1", "2")))
    assert found == [("1", "Go.", "Nenda."), ("2", "Room 7.", "Chumba 7.")]


def test_a_sentence_among_ids_is_an_error_of_its_line(tmp_path):
    path = tmp_path / "b.tsv"
    path.write_text("s-1\tOne.\tMoja.\nTwo of us.\tSisi.\tx\nCMU_1:3\tThree.\tTatu.\n")
    skipped: Counter[str] = Counter()
    found = triples(read(path, on_error="skip", skipped=skipped))
    assert found == [("s-1", "One.", "Moja."), ("CMU_1:3", "Three.", "Tatu.")]
    assert skipped == {"E243": 1}


@pytest.mark.parametrize(
    ("header", "row", "settings"),
    [
        ("en\tsw", "One.\tMoja.", {}),
        ("SW\tEN", "Moja.\tOne.", {}),
        ("source\ttarget", "One.\tMoja.", {}),
        ("en\tsw\tattribution", "One.\tMoja.\tCC-BY", {}),
        ("rank\tEnglish\tSwahili", "x\tOne.\tMoja.", {"keys": ("English", "Swahili")}),
        ("rank\ten\tsw", "x\tOne.\tMoja.", {"keys": ("2", "3")}),
    ],
)
def test_a_line_that_names_the_columns_is_skipped_and_counted(tmp_path, header, row, settings):
    path = tmp_path / "b.tsv"
    path.write_text(f"{header}\n{row}\n")
    skipped: Counter[str] = Counter()
    assert triples(read(path, skipped=skipped, **settings)) == [("2", "One.", "Moja.")]
    assert skipped == {"header": 1}


def test_the_id_column_may_be_named(tmp_path):
    path = tmp_path / "b.tsv"
    path.write_text("sw\tid\ten\nMoja.\tx\tOne.\n")
    assert triples(read(path)) == [("x", "One.", "Moja.")]


@pytest.mark.parametrize(
    ("keys", "code"), [(("English", "Swahili"), "E245"), (("1", "4"), "E244"), (("0", "1"), "E245")]
)
def test_columns_that_are_not_there_are_named(tmp_path, keys, code):
    path = tmp_path / "b.tsv"
    path.write_text("1\tOne.\tMoja.\n")
    with pytest.raises(OpticalError, match=rf"{code}.*line 1"):
        read(path, keys=keys)


INLINE = (
    'Click <bpt i="1">&lt;b&gt;</bpt><hi>the <it pos="begin">&lt;i&gt;</it>red</hi>'
    '<ept i="1">&lt;/b&gt;</ept> button<ph>&lt;img alt="<sub>, here</sub>"/&gt;</ph><ut>{x}</ut>.'
)


def test_tmx_codes_are_no_text_and_text_inside_them_is(tmp_path):
    path = tmp_path / "b.tmx"
    path.write_text(TMX.replace("Amina <ph>x</ph>came.", INLINE))
    assert read(path)[0].source == "Click the red button, here."


@pytest.mark.parametrize("asked", ["sw_KE", "sw-KE", "SW-ke", "sw"])
@pytest.mark.parametrize("written", ["sw-KE", "sw_KE"])
def test_tmx_languages_match_however_they_are_written(tmp_path, asked, written):
    path = tmp_path / "b.tmx"
    path.write_text(TMX.replace('"sw_KE"', f'"{written}"').replace('"sw"', f'"{written}"'))
    found = list(read_bitext(path, target_lang=asked, source_lang="en_GB", on_error="skip"))
    assert [pair.target for pair in found] == ["Amina alikuja."]


def test_tmx_takes_no_other_variety_than_the_one_that_was_asked_for(tmp_path):
    path = tmp_path / "b.tmx"
    path.write_text(TMX)
    with pytest.raises(OpticalError, match=r"E208.*'sw_TZ'"):
        list(read_bitext(path, target_lang="sw_TZ"))


ESCAPED = [
    ("a", "Tom &amp; Amina", "Tom na Amina"),
    ("b", '"He said ""hi"" to me."', "&quot;Habari&quot;"),
    ("c", 'He said ""hi"".', "Alisema."),
    ("d", "Research & Development; AT&T", '"Kawaida."'),
    ("e", "1 &amp;lt; 2", "Moja &#39;a&#x27;"),
]


@pytest.mark.parametrize("unescape", [False, True])
def test_html_and_csv_are_counted_and_unescaped_on_request(tmp_path, unescape):
    path = tmp_path / "b.jsonl"
    path.write_text(jsonl(ESCAPED))
    escaped: Counter[str] = Counter()
    found = triples(read(path, unescape=unescape, escaped=escaped))
    assert escaped == {"html": 3, "quotes": 2}
    if not unescape:
        assert found == ESCAPED
        return
    assert [row[1:] for row in found] == [
        ("Tom & Amina", "Tom na Amina"),
        ('He said "hi" to me.', '"Habari"'),
        ('He said "hi".', "Alisema."),
        ("Research & Development; AT&T", '"Kawaida."'),
        ("1 < 2", "Moja 'a'"),
    ]


def test_a_sentence_that_is_only_an_entity_is_empty(tmp_path):
    path = tmp_path / "b.jsonl"
    path.write_text(jsonl([("a", "One.", "&nbsp;")]))
    with pytest.raises(OpticalError, match=r"E208.*line 1.*'sw'"):
        read(path, unescape=True)


def test_an_empty_field_of_csv_is_empty(tmp_path):
    path = tmp_path / "b.tsv"
    path.write_text('One.\t""\n')
    with pytest.raises(OpticalError, match=r"E208.*line 1.*'sw'"):
        read(path, unescape=True)


def test_tsv_lines_with_other_columns_are_named(tmp_path):
    path = tmp_path / "b.tsv"
    path.write_text("One.\tMoja.\nonly one\n")
    with pytest.raises(OpticalError, match=r"E221.*line 2.*1 columns"):
        read(path)


def test_missing_files_and_unknown_formats_are_named(tmp_path):
    with pytest.raises(OpticalError, match="E002"):
        read(tmp_path / "none.jsonl")
    (tmp_path / "b.docx").write_text("x")
    with pytest.raises(OpticalError, match=r"E226.*jsonl, tsv, tmx, conllu, moses"):
        read(tmp_path / "b.docx")


def test_pairs_come_one_at_a_time(tmp_path):
    path = tmp_path / "b.jsonl"
    path.write_bytes(jsonl().encode() + b"broken\n")
    reader = read_bitext(path, target_lang="sw")
    assert next(reader).id == "a1"
    assert next(reader).id == "a2"
    with pytest.raises(OpticalError):
        next(reader)
