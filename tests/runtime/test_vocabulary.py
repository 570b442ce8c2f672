"""A vocabulary that is read a part at a time, against the whole file read at once."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_optical.runtime.vocabulary import taken_apart

ENTRIES = st.lists(
    st.tuples(
        st.text(st.one_of(st.sampled_from('"\\[],{}:\0 '), st.characters()), max_size=6),
        st.floats(-20, 0),
    ).map(list),
    max_size=12,
)


def tokenizer(vocabulary: Any, **layout: Any) -> bytes:
    setup = {"added_tokens": ['"vocab":['], "model": {"unk_id": 0, "vocab": vocabulary, "x": []}}
    return json.dumps(setup, **layout).encode("utf8", "surrogatepass")


@given(ENTRIES, st.booleans(), st.sampled_from([None, 1, "\t"]))
def test_it_reads_what_is_there(
    entries: list[list[Any]], only_ascii: bool, indent: str | int | None
) -> None:
    content = tokenizer(entries, ensure_ascii=only_ascii, indent=indent)
    setup, found = taken_apart(content)
    assert list(found) == entries
    assert setup == {"added_tokens": ['"vocab":['], "model": {"unk_id": 0, "x": []}}


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 512, 1000])
def test_parts_of_any_number(size: int) -> None:
    entries = [[f"neno{at}", -1.0] for at in range(size)]
    assert list(taken_apart(tokenizer(entries))[1]) == entries


@given(ENTRIES, st.integers(min_value=0), st.sampled_from(list(b'[],"{}: 0e\\\0')), st.booleans())
def test_damaged_files_are_refused_or_read_as_they_are(
    entries: list[list[Any]], at: int, byte: int, instead: bool
) -> None:
    content = bytearray(tokenizer(entries, ensure_ascii=False))
    at %= len(content)
    content[at : at + instead] = bytes([byte])
    try:
        setup, found = taken_apart(bytes(content))
        read = list(found)
    except ValueError:
        return
    expected = json.loads(bytes(content))
    assert read == expected["model"].pop("vocab")
    assert setup == expected


@pytest.mark.parametrize("size", [2, 256, 257, 512, 513])
@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("comma", ["", ",,"])
def test_commas_count(size: int, place: int, comma: str) -> None:
    entries = [f'["neno{at}",-1.0]' for at in range(size)]
    inner = ",".join(entries)
    if place == 2:  # behind the last
        inner += comma or ","
    else:  # between two, in the middle of a part or between parts
        before = min((1, 256)[place], size - 1)
        inner = ",".join(entries[:before]) + comma + ",".join(entries[before:])
    with pytest.raises(ValueError, match=r"."):
        list(taken_apart(f'{{"model":{{"vocab":[{inner}]}}}}'.encode())[1])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b'{"vocab":[["a",0]]}',
        b'{"model":{"vocab":{"a":0}}}',
        b'{"model":{"vocab":[["a",0],7]}}',
        b'{"model":{"vocab":[["a",[0]]]}}',
        b'{"model":{"vocab":[["a",0]]},"x":{"vocab":[]}}',
        b'{"model":{},"x":{"vocab":[["a",0]]}}',
        b'{"model":{"vocab":[["a",0]]},"model":{}}',
        b'{"model":{"vocab":[["a",0]]',
    ],
)
def test_no_vocabulary_in_a_list(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        list(taken_apart(content)[1])
