import shutil
from itertools import islice
from pathlib import Path

import pytest
import spacy
from spacy.tokens import DocBin

from spacy_optical.cli._amounts import parse_numbers
from spacy_optical.cli._app import named_values
from spacy_optical.data.plain_texts import read_texts
from spacy_optical.errors import OpticalError
from spacy_optical.profiling.measure import profile
from spacy_optical.profiling.options import Options
from spacy_optical.profiling.workload import Target, Workload, read_gold


def test_targets_are_told_apart(places: Path) -> None:
    assert Target.parse(f"my={places / 'bundle'}").kind == "bundle"
    assert Target.parse(f"my={places / 'bundle'}").name == "my"
    plain = Target.parse(str(places / "ruler"))
    assert (plain.name, plain.kind) == ("ruler", "pipeline")
    default = Target.parse("small=optical_ner")
    assert (default.name, default.kind) == ("small", "bundle")
    assert (Path(default.path) / "model.onnx").is_file()


def test_a_folder_may_have_an_equals_sign(places: Path, tmp_path: Path) -> None:
    folder = tmp_path / "lr=0.1"
    shutil.copytree(places / "ruler", folder)
    assert Target.parse(str(folder)) == Target("lr=0.1", str(folder), "pipeline")
    assert Target.parse(f"my={folder}") == Target("my", str(folder), "pipeline")


@pytest.mark.parametrize("text", ["nothing_here", "name=", "name=tests", "x=no/such/folder"])
def test_what_is_no_pipeline_is_refused(text: str) -> None:
    with pytest.raises(OpticalError, match="neither an installed pipeline"):
        Target.parse(text)


def test_an_empty_path_is_not_the_current_folder(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(places / "ruler")
    with pytest.raises(OpticalError, match="neither an installed pipeline"):
        Target.parse("name=")


def test_texts_are_read_from_each_kind_of_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Moja\n\nMbili ̇\n", encoding="utf8")
    # A line separator inside a string ends no line.
    (tmp_path / "a.jsonl").write_text('{"text": "Moja\u2028na"}\n\n{"text": "Mbili"}\n')
    DocBin(docs=[spacy.blank("xx")("Moja"), spacy.blank("xx")("Mbili")]).to_disk(
        tmp_path / "a.spacy"
    )
    assert read_texts(tmp_path / "a.txt") == ["Moja", "Mbili ̇"]
    assert read_texts(tmp_path / "a.jsonl") == ["Moja\u2028na", "Mbili"]
    assert read_texts(tmp_path / "a.spacy") == ["Moja", "Mbili"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"\xff\xfe", r"E222.*line 1: not UTF-8"),
        ("a.txt", b" \n", "is empty"),
        ("a.jsonl", b'{"text": 1}', "line 1: not a JSON object with a text"),
        ("a.jsonl", b'{"text": "a"}\n[]', "line 2: not a JSON object with a text"),
        ("a.jsonl", b'{"text": "\\ud83d"}', "line 1: not a JSON object with a text"),
        ("a.jsonl", b"[" * 100_000, "line 1: not a JSON object with a text"),
        ("a.docx", b"\xff\xfe", "unknown format"),
        ("a.jsonl", b"text", "line 1: not a JSON object with a text"),
        ("a.csv", b"a", "unknown format"),
        ("a.spacy", b"a", "damaged"),
    ],
)
def test_bad_texts_are_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(OpticalError, match=message):
        read_texts(tmp_path / name)


def test_missing_texts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OpticalError, match="No such file of texts"):
        read_texts(tmp_path / "a.txt")


def test_gold_without_entities_is_refused(tmp_path: Path) -> None:
    DocBin(docs=[spacy.blank("xx")("Moja")]).to_disk(tmp_path / "a.spacy")
    with pytest.raises(OpticalError, match="has no entity"):
        read_gold(tmp_path / "a.spacy")


def test_without_texts_and_gold_there_is_nothing_to_do() -> None:
    with pytest.raises(OpticalError, match="nothing to run"):
        profile(["optical_ner"])


def test_without_pipelines_there_is_nothing_to_do(gold: dict[str, Path]) -> None:
    with pytest.raises(OpticalError, match="pipelines must be one or more"):
        profile([], gold=gold)


def test_the_order_depends_on_the_seed_and_the_hash_does_not() -> None:
    docs = [spacy.blank("xx")(f"text {number}") for number in range(20)]
    first, same, other = (Workload(docs, seed) for seed in (0, 0, 1))
    assert first.texts == same.texts
    assert first.texts != other.texts
    assert first.sha256 == other.sha256


def test_blank_texts_are_left_out_and_blocks_go_round() -> None:
    docs = spacy.blank("xx").pipe(["one two three", " ", "one"])
    workload = Workload(docs, seed=0)
    assert sorted(workload.texts) == ["one", "one two three"]
    assert workload.texts[workload.longest_first[0]] == "one two three"
    blocks = list(islice(workload.blocks(3), 2))
    assert blocks == [[0, 1, 0], [1, 0, 1]]
    assert workload.words(blocks[0]) == sum(workload.word_counts) + workload.word_counts[0]


@pytest.mark.parametrize(
    "change",
    [
        {"threads": 0},
        {"rounds": 0},
        {"starts": 0},
        {"seconds": 0},
        {"seconds": float("nan")},
        {"seed": -1},
        {"seed": 2**32},
        {"processes": 0},
        {"batch_sizes": (0,)},
        {"batch_sizes": ()},
    ],
)
def test_numbers_out_of_range_are_refused(change: dict) -> None:
    with pytest.raises(OpticalError, match="must be"):
        Options(**change)


def test_arguments_are_read() -> None:
    assert named_values(["sw=a.spacy", "fi=b=c"]) == {"sw": "a.spacy", "fi": "b=c"}
    assert parse_numbers("1, 16") == (1, 16)
    with pytest.raises(OpticalError, match="'sw' is not of the form A=B"):
        named_values(["sw"], "A=B")
    with pytest.raises(OpticalError, match="does not have the form"):
        parse_numbers("1,-2")
