from collections import Counter
from pathlib import Path

import pytest

from spacy_optical.data.bitext import BitextPair
from spacy_optical.data.decontamination import GoldIndex
from spacy_optical.data.pair_selection import choose, read_pairs
from spacy_optical.data.sources import BitextSet, TextSet
from spacy_optical.errors import OpticalError

PAIRS = [BitextPair(str(i), f"the {i} th house", f"nyumba ya {i}") for i in range(50)]
NOBODY = GoldIndex([])


def read(part, paths, target="sw", skipped=None, escaped=None):
    counters = (
        Counter() if skipped is None else skipped,
        Counter() if escaped is None else escaped,
    )
    pairs = read_pairs(part, "b", "en", target, paths, skipped=counters[0], escaped=counters[1])
    return [(pair.id, pair.source, pair.target) for pair in pairs]


def test_a_smaller_draw_is_part_of_a_larger_one_and_keeps_the_order():
    draws = [choose(PAIRS, NOBODY, NOBODY, most=n, left_out=Counter()) for n in (5, 20, 0)]
    assert [len(draw) for draw in draws] == [5, 20, 50]
    assert set(draws[0]) < set(draws[1])
    assert draws[1] == [pair for pair in PAIRS if pair in draws[1]]
    assert choose(PAIRS, NOBODY, NOBODY, most=20, seed=1, left_out=Counter()) != draws[1]


def test_what_is_left_out_is_counted():
    left_out: Counter[str] = Counter()
    more = [
        BitextPair("a", "The 3 th house!", "Nyumba ya 3"),
        BitextPair("b", "choose me", "chagua"),
    ]
    kept = choose(
        [*PAIRS, *more],
        GoldIndex([["Nyumba", "ya", "7", "."]]),
        GoldIndex([["Choose", "me"]]),
        most=40,
        left_out=left_out,
    )
    assert len(kept) == 40
    assert left_out == {"duplicate": 1, "in_gold": 1, "in_source_gold": 1, "not_drawn": 9}


def test_files_of_lines_are_paired_in_order(tmp_path: Path):
    names = ("src.eng.txt", "ref.swa.txt", "2.en", "2.sw")
    paths = [tmp_path / name for name in names]
    for path, text in zip(paths, ("one\ntwo\n", "moja\nmbili\n", "six\n", "sita\n"), strict=True):
        path.write_text(text)
    part = BitextSet(files=list(names), format="moses")
    expected = [("b-1", "one", "moja"), ("b-2", "two", "mbili"), ("b-1", "six", "sita")]
    assert read(part, paths) == expected


def test_groups_keep_their_ids_and_the_entities_of_the_source(tmp_path: Path):
    path = tmp_path / "groups.jsonl"
    path.write_text('{"id": "x1", "en": "[Amina](PER) left.", "sw": "[Amina](PER) aliondoka."}\n')
    part = BitextSet(files=["groups.jsonl"], format="marked")
    (pair,) = read_pairs(part, "b", "en", "sw", [path], skipped=Counter(), escaped=Counter())
    assert (pair.id, pair.source, pair.target) == ("x1", "Amina left.", "Amina aliondoka.")
    assert pair.marked is not None
    assert [(e.start, e.end, e.label) for e in pair.marked.entities] == [(0, 5, "PER")]


def test_broken_lines_are_counted_and_a_file_of_them_is_an_error(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"en": "one", "swa": "moja"}\n{"en": "two"}\n')
    skipped: Counter[str] = Counter()
    right = BitextSet(files=["a.jsonl"], keys=("en", "swa"))
    assert read(right, [path], skipped=skipped) == [("b-1", "one", "moja")]
    assert skipped == {"E220": 1}
    with pytest.raises(OpticalError, match=r"E220.*line 1.*'sw'"):
        read(BitextSet(files=["a.jsonl"]), [path])


def test_a_file_of_escaped_text_is_read_as_the_config_says(tmp_path: Path):
    path = tmp_path / "a.tsv"
    path.write_text("en\tsw\nA &amp; B\tA na B\n")
    for unescape, source in ((False, "A &amp; B"), (True, "A & B")):
        skipped, escaped = Counter[str](), Counter[str]()
        part = BitextSet(files=["a.tsv"], unescape=unescape)
        assert read(part, [path], skipped=skipped, escaped=escaped) == [("b-2", source, "A na B")]
        assert (skipped, escaped["html"]) == ({"header": 1}, 1)
    path.write_text("en\tsw\n")
    assert read(BitextSet(files=["a.tsv"]), [path]) == []


def test_pairs_without_a_name_are_kept_by_their_share():
    plain = [BitextPair(f"p{i}", f"He saw {i} birds.", f"ndege {i}") for i in range(400)]
    named = [BitextPair(f"n{i}", f"He saw Pune {i} times.", f"Pune {i}") for i in range(20)]
    for share, least, most in ((0.0, 0, 0), (0.35, 100, 180), (1.0, 400, 400)):
        left_out: Counter[str] = Counter()
        kept = choose([*plain, *named], NOBODY, NOBODY, unnamed_share=share, left_out=left_out)
        assert kept[-20:] == named
        assert least <= len(kept) - 20 <= most
        assert left_out["unnamed"] == 420 - len(kept)


def test_text_is_read_from_lines_comments_columns_and_keys(tmp_path: Path):
    files = {
        "lines": "Moja.\n\nMbili.\n",
        "conllu": "# sent_id = 1\n# text = Moja.\n1\tMoja\n\n# text = Mbili.\n1\tMbili\n",
        "tsv": "Moja.\tx\nMbili.\ty\n",
        "jsonl": '{"sw": "Moja."}\n{"sw": "Mbili."}\n',
    }
    for format, text in files.items():
        path = tmp_path / f"text.{format}"
        path.write_text(text)
        part = TextSet(files=[path.name], format=format)
        assert [row[1:] for row in read(part, [path])] == [("", "Moja."), ("", "Mbili.")]
