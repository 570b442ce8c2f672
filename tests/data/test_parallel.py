import json
from pathlib import Path

import pytest

from spacy_optical.data.parallel import read_groups
from spacy_optical.errors import OpticalError

GOOD = {"id": "1", "genre": "news", "en": "[Amina](PER) left.", "sw": "[Amina](PER) aliondoka."}


def write(path: Path, *records: dict | str) -> Path:
    lines = [r if isinstance(r, str) else json.dumps(r, ensure_ascii=False) for r in records]
    path.write_text("\n".join(lines) + "\n", encoding="utf8")
    return path


def refused(path: Path, *records: dict | str) -> str:
    with pytest.raises(OpticalError) as caught:
        read_groups(write(path, *records), ["en", "sw"])
    return str(caught.value)


def test_reads_groups(tmp_path: Path):
    path = write(tmp_path / "train.jsonl", GOOD, "", {"id": 2, "en": "Hi.", "sw": "Habari."})
    first, second = read_groups(path, ["en", "sw"])
    assert (first.id, first.where) == ("1", f"{path}, line 1")
    assert first.sentences["sw"].text == "Amina aliondoka."
    assert (second.id, second.where) == ("2", f"{path}, line 3")


def test_line_separators_inside_a_sentence(tmp_path: Path):
    """JSON may hold U+2028 and U+0085 as they are; they end no line."""
    odd = {"id": "2", "en": "One\u2028two\x85three.", "sw": "Moja."}
    path = write(tmp_path / "train.jsonl", odd, GOOD)
    groups = read_groups(path, ["en", "sw"])
    assert [group.where for group in groups] == [f"{path}, line 1", f"{path}, line 2"]


def test_broken_markup_names_file_line_language_and_column(tmp_path: Path):
    path = tmp_path / "train.jsonl"
    message = refused(path, GOOD, {"id": "2", "en": "Hi.", "sw": "Habari [Juma."})
    assert message.startswith(f"[E201] {path}, line 2 (sw), column 8: ")


@pytest.mark.parametrize(
    ("line", "column", "told"),
    [
        ('{"id": "2", "en": }', 19, "Expecting value"),
        ('["id"]', 1, "not an object"),
        ('{"en": "a", "sw": "b"}', 1, "no id"),
        ('{"id": "2", "en": "a", "sw": "b", "differs": "sw"}', 1, '"differs" is not a list'),
        ('{"id": "2", "en": "a", "sw": "b', 30, "Unterminated string"),
    ],
)
def test_broken_json(tmp_path: Path, line: str, column: int, told: str):
    path = tmp_path / "train.jsonl"
    message = refused(path, GOOD, line)
    assert message.startswith(f"[E210] {path}, line 2, column {column}: ")
    assert told in message


def test_not_utf8(tmp_path: Path):
    (tmp_path / "train.jsonl").write_bytes(b'{"id": "\xff"}')
    with pytest.raises(OpticalError, match="E222"):
        read_groups(tmp_path / "train.jsonl", ["en"])


@pytest.mark.parametrize("sentence", [None, "", "  ", 5])
def test_missing_language(tmp_path: Path, sentence: object):
    message = refused(tmp_path / "train.jsonl", {**GOOD, "sw": sentence})
    assert "E208" in message
    assert "'sw'" in message


def test_unequal_types(tmp_path: Path):
    path = tmp_path / "train.jsonl"
    other = {"id": "2", "en": "[Pune](LOC), [Lyon](LOC).", "sw": "[Pune](LOC) [Juma](PER)."}
    message = refused(path, GOOD, other)
    assert message.startswith(f"[E211] {path}, line 2: 'sw' has 1 LOC, 1 PER where 'en' has 2 LOC")
    write(path, {**other, "differs": ["sw"]})
    assert len(read_groups(path, ["en", "sw"])) == 1


def test_order_of_types_is_free(tmp_path: Path):
    group = {"id": "2", "en": "[Pune](LOC) [Juma](PER)", "sw": "[Juma](PER) [Pune](LOC)"}
    assert len(read_groups(write(tmp_path / "train.jsonl", group), ["en", "sw"])) == 1


def test_repeated_sentence(tmp_path: Path):
    path = tmp_path / "train.jsonl"
    again = {"id": "2", "en": "Else.", "sw": "AMINA aliondoka.", "differs": ["sw"]}
    assert refused(path, GOOD, again) == (
        f"[E209] {path}, line 2: the same 'sw' sentence is in {path}, line 1. Remove one of them."
    )


def test_empty_and_missing_file(tmp_path: Path):
    assert "E206" in refused(tmp_path / "train.jsonl", "")
    with pytest.raises(OpticalError, match="E002"):
        read_groups(tmp_path / "none.jsonl", ["en"])


def test_types_are_compared_with_a_language_that_is_not_read(tmp_path: Path):
    other = {"id": "2", "en": "[Pune](LOC).", "sw": "[Juma](PER)."}
    path = write(tmp_path / "dev.jsonl", other, {"id": "3", "sw": "[Amina](PER)."})
    with pytest.raises(OpticalError, match=r"E211.*line 1: 'sw' has 1 PER where 'en' has 1 LOC"):
        read_groups(path, ["sw"], compare="en")
    assert len(read_groups(path, ["sw"])) == 2


def test_any_label_may_be_read(tmp_path: Path):
    path = write(tmp_path / "dev.jsonl", {"id": "2", "sw": "[Juma](Drug)."})
    assert read_groups(path, ["sw"])[0].sentences["sw"].entities[0].label == "Drug"


@pytest.mark.parametrize(
    "line", ["[" * 100_000, '{"id": 1, "en": "\\ud83d", "sw": "x"}', '{"id": ' + "1" * 5_000 + "}"]
)
def test_lines_that_cannot_be_read_or_stored_are_named(tmp_path: Path, line: str):
    assert "E210" in refused(tmp_path / "a.jsonl", line)
