from collections import Counter
from pathlib import Path

import pytest

from spacy_optical.benchmark.config import Language
from spacy_optical.benchmark.pairs import choose, read_texts, shared_words
from spacy_optical.data.decontamination import Judged
from spacy_optical.errors import OpticalError

PAIRS = [(f"the {i} th house", f"nyumba ya {i}") for i in range(50)]
NOBODY = Judged([])


def test_a_smaller_draw_is_part_of_a_larger_one_and_keeps_the_order():
    draws = [choose(PAIRS, NOBODY, NOBODY, most=n, left_out=Counter()) for n in (5, 20, 0)]
    assert [len(draw) for draw in draws] == [5, 20, 50]
    assert set(draws[0]) < set(draws[1])
    assert draws[1] == [pair for pair in PAIRS if pair in draws[1]]
    assert choose(PAIRS, NOBODY, NOBODY, most=20, seed=1, left_out=Counter()) != draws[1]


def test_what_is_left_out_is_counted():
    left_out: Counter[str] = Counter()
    pairs = [*PAIRS, ("The 3 th house!", "Nyumba ya 3"), ("choose me", "chagua")]
    kept = choose(
        pairs,
        Judged([["Nyumba", "ya", "7", "."]]),
        Judged([["Choose", "me"]]),
        most=40,
        left_out=left_out,
    )
    assert len(kept) == 40
    assert left_out == {"duplicate": 1, "in_gold": 1, "in_source_dev": 1, "not_drawn": 9}


def test_moses_files_are_paired_by_their_endings(tmp_path: Path):
    for name, text in (("b.en", "one\ntwo\n"), ("b.sw", "moja\nmbili\n")):
        (tmp_path / name).write_text(text)
    language = Language(bitext=["b.en", "b.sw"], bitext_format="moses")
    paths = [tmp_path / "b.en", tmp_path / "b.sw"]
    found = list(read_texts(language, "sw", "en", paths, Counter()))
    assert found == [("one", "moja"), ("two", "mbili")]
    with pytest.raises(OpticalError, match="E242"):
        list(read_texts(language, "so", "en", paths, Counter()))


def test_broken_lines_are_counted_and_a_file_of_them_is_an_error(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"en": "one", "swa": "moja"}\n{"en": "two"}\n')
    skipped: Counter[str] = Counter()
    right = Language(bitext=["a.jsonl"], bitext_keys=("en", "swa"))
    assert list(read_texts(right, "sw", "en", [path], skipped)) == [("one", "moja")]
    assert skipped == {"E220": 1}
    wrong = Language(bitext=["a.jsonl"])
    with pytest.raises(OpticalError, match=r"E220.*line 1.*'sw'"):
        list(read_texts(wrong, "sw", "en", [path], Counter()))


def test_a_file_of_escaped_text_is_read_as_the_config_says(tmp_path: Path):
    path = tmp_path / "a.tsv"
    path.write_text("en\tsw\nA &amp; B\tA na B\n")
    for unescape, source in ((False, "A &amp; B"), (True, "A & B")):
        skipped, escaped = Counter[str](), Counter[str]()
        language = Language(bitext=["a.tsv"], unescape=unescape)
        assert list(read_texts(language, "sw", "en", [path], skipped, escaped)) == [
            (source, "A na B")
        ]
        assert (skipped, escaped["html"]) == ({"header": 1}, 1)
    path.write_text("en\tsw\n")
    assert list(read_texts(Language(bitext=["a.tsv"]), "sw", "en", [path], Counter())) == []


def test_shared_words_tell_two_languages_apart():
    gold = [["Nyumba", "ya", "Amina", ",", "12"]]
    assert shared_words(PAIRS, gold) == pytest.approx(2 / 3)
    assert shared_words(PAIRS, [["дом"]]) == 0
    assert shared_words(PAIRS, [["12", "."]]) == 1
