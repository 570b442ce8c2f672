import errno
import os
import tempfile
from pathlib import Path

import pytest

from spacy_optical.errors import OpticalError
from spacy_optical.files import (
    check_no_input,
    check_replaceable,
    folder_written_whole,
    read_record,
    scratch_folder,
    sha256,
    write_json,
    written_whole,
)


def full_disk(*args: object, **kwargs: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_file_appears_whole(tmp_path: Path):
    path = tmp_path / "new" / "file.txt"
    with written_whole(path) as temporary:
        temporary.write_text("half")
        assert not path.exists()
    assert path.read_text() == "half"
    assert names(path.parent) == ["file.txt"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, OSError])
def test_file_keeps_what_it_had(tmp_path: Path, error: type[BaseException]):
    path = tmp_path / "file.txt"
    path.write_text("old")

    def write_half() -> None:
        with written_whole(path) as new:
            new.write_text("half")
            raise error

    with pytest.raises(OpticalError if error is OSError else error):
        write_half()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file.txt"]


def test_full_disk_under_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "record.json"
    write_json(path, {"a": 1})
    monkeypatch.setattr(Path, "write_text", full_disk)
    with pytest.raises(OpticalError, match=r"E003.*record\.json: No space left on device"):
        write_json(path, {"a": 2})
    assert path.read_bytes() == b'{\n  "a": 1\n}\n'
    assert names(tmp_path) == ["record.json"]


def test_full_disk_under_a_scratch_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def fill() -> None:
        with scratch_folder() as folder:
            (folder / "half").touch()
            full_disk()

    with pytest.raises(OpticalError, match=r"E009.*No space left on device. Free some space"):
        fill()
    assert names(tmp_path) == []


def test_nan_is_refused_before_writing(tmp_path: Path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "record.json", float("nan"))
    assert names(tmp_path) == []


def test_folder_takes_the_place_of_its_kind(tmp_path: Path):
    path = tmp_path / "out"
    for content in ("first", "second"):
        with folder_written_whole(path, marker="mark") as folder:
            (folder / "mark").write_text(content)
            (folder / content).touch()
    assert names(path) == ["mark", "second"]
    assert names(tmp_path) == ["out"]


def test_empty_folder_may_be_filled(tmp_path: Path):
    with folder_written_whole(tmp_path, marker="mark") as folder:
        (folder / "mark").touch()
    assert names(tmp_path) == ["mark"]


def test_linked_folder_keeps_what_the_link_meant(tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "mark").write_text("old")
    (tmp_path / "out").symlink_to(tmp_path / "real")
    with folder_written_whole(tmp_path / "out", marker="mark") as folder:
        (folder / "mark").write_text("new")
    assert (tmp_path / "out" / "mark").read_text() == "new"
    assert (tmp_path / "real" / "mark").read_text() == "old"


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_foreign_things_are_left_alone(tmp_path: Path, kind: str):
    path = tmp_path / "thesis"
    if kind == "file":
        path.write_text("mine")
    else:
        path.mkdir()
        (path / "chapter").write_text("mine")
    with (
        pytest.raises(OpticalError, match=r"E004.*thesis"),
        folder_written_whole(path, marker="mark"),
    ):
        pass
    assert (path if kind == "file" else path / "chapter").read_text() == "mine"


@pytest.mark.parametrize("failing", [1, 2])
def test_full_disk_under_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int):
    """The old folder survives whichever of the two moves fails."""
    path = tmp_path / "out"
    path.mkdir()
    (path / "mark").write_text("old")
    move, calls = os.replace, []

    def sometimes(source: Path, target: Path) -> None:
        calls.append(target)
        if len(calls) == failing:
            full_disk()
        move(source, target)

    monkeypatch.setattr(os, "replace", sometimes)
    with (
        pytest.raises(OpticalError, match=r"E003.*Nothing was changed there"),
        folder_written_whole(path, marker="mark") as folder,
    ):
        (folder / "mark").write_text("new")
    assert (path / "mark").read_text() == "old"
    assert names(tmp_path) == ["out"]


def test_interrupt_between_the_moves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "out"
    path.mkdir()
    (path / "mark").write_text("old")
    move, calls = os.replace, []

    def interrupted(source: Path, target: Path) -> None:
        calls.append(target)
        if len(calls) == 2:
            raise KeyboardInterrupt
        move(source, target)

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt), folder_written_whole(path, marker="mark") as folder:
        (folder / "mark").write_text("new")
    assert (path / "mark").read_text() == "old"


@pytest.mark.parametrize("out", ["gold", "gold/sw.spacy", "here/../gold", "link"])
def test_an_input_is_not_replaced(tmp_path: Path, out: str):
    source = tmp_path / "gold" / "sw.spacy"
    source.parent.mkdir()
    source.touch()
    (tmp_path / "link").symlink_to("gold")
    with pytest.raises(OpticalError, match=r"E010.*would replace the input .*sw.spacy"):
        check_no_input(tmp_path / out, [tmp_path / "other", source])
    check_no_input(tmp_path / "gold" / "sw", [source, tmp_path])


def test_hash(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256(tmp_path / "file") == expected


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*args: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(OpticalError, match=r"E003.*Permission denied"):
        check_replaceable(tmp_path, marker="corpus.json")


def test_a_file_that_cannot_be_read_during_a_write_is_named(tmp_path: Path):
    with (
        pytest.raises(OpticalError, match=r"E003.*corpus: No such file.*\(.*names\.txt\)"),
        folder_written_whole(tmp_path / "corpus", marker="corpus.json"),
    ):
        (tmp_path / "names.txt").read_text()


def test_a_record_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*args: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    write_json(tmp_path / "a.json", {})
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(OpticalError, match=r"E602.*a\.json.*Permission denied"):
        read_record(tmp_path / "a.json", dict[str, str])
