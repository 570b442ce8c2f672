"""Bundles: what is written comes back, and what is damaged is refused by name."""

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import spacy
import srsly

from spacy_optical.errors import OpticalError
from spacy_optical.runtime.bundle import (
    BUNDLE_FORMAT,
    MANIFEST_FILE,
    MODEL_FILE,
    TOKENIZER_FILE,
    WEIGHTS_FILE,
    Bundle,
    model_path,
)
from spacy_optical.runtime.session import Runtime

from ..util import large_bundle, toy_bundle

FILES = [MANIFEST_FILE, MODEL_FILE, TOKENIZER_FILE, WEIGHTS_FILE]
ENTRY = {"size": 1, "sha256": "0" * 64}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    large_bundle(languages=("sw", "so"), metrics={"f1": 0.5}).to_disk(tmp_path / "bundle")
    return tmp_path / "bundle"


def change_manifest(folder: Path, **values: object) -> None:
    manifest = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf8"))
    manifest.update(values)
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest), encoding="utf8")


def test_disk_round_trip(folder: Path) -> None:
    made, read = large_bundle(languages=("sw", "so"), metrics={"f1": 0.5}), Bundle.from_disk(folder)
    assert read.model == made.model
    assert read.tokenizer == made.tokenizer
    assert read.weights == made.weights
    assert replace(read.info, files={}) == made.info
    assert read.info.files[MODEL_FILE].size == len(made.model)
    assert read.info.files[WEIGHTS_FILE].size == len(made.weights) > len(made.model)


def test_a_model_may_hold_its_weights(tmp_path: Path) -> None:
    toy_bundle().to_disk(tmp_path / "bundle")
    assert not (tmp_path / "bundle" / WEIGHTS_FILE).exists()
    read = Bundle.from_disk(tmp_path / "bundle")
    assert read.weights == b""
    assert Runtime(read).scores([["Amina"]])[0].argmax() == Runtime(read).tags.index("B-PER")


def test_format_1_is_read(tmp_path: Path) -> None:
    """Its models held all weights."""
    toy_bundle().to_disk(tmp_path / "bundle")
    change_manifest(tmp_path / "bundle", format=1)
    read = Bundle.from_disk(tmp_path / "bundle")
    assert Runtime(read).scores([["Amina"]])[0].argmax() == Runtime(read).tags.index("B-PER")
    read.to_disk(tmp_path / "saved")
    assert Bundle.from_disk(tmp_path / "saved").info == read.info


def test_bytes_round_trip(folder: Path) -> None:
    read = Bundle.from_disk(folder)
    again = Bundle.from_bytes(read.to_bytes())
    assert (again.info, again.model, again.tokenizer) == (read.info, read.model, read.tokenizer)
    assert again.weights == read.weights


def test_hashes_follow_the_content(folder: Path, tmp_path: Path) -> None:
    changed = replace(Bundle.from_disk(folder), tokenizer=toy_bundle({"Juba": "B-LOC"}).tokenizer)
    changed.to_disk(tmp_path / "other")
    assert Bundle.from_disk(tmp_path / "other").tokenizer == changed.tokenizer


def test_a_bundle_is_replaced_but_nothing_else_is(folder: Path, tmp_path: Path) -> None:
    toy_bundle(languages=("fi",)).to_disk(folder)
    assert Bundle.from_disk(folder).info.languages == ("fi",)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    with pytest.raises(OpticalError, match="already exists"):
        toy_bundle().to_disk(tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "precious"


def test_other_files_are_left_alone(folder: Path) -> None:
    (folder / "NOTES.md").write_text("see the report")
    assert Bundle.from_disk(folder).info.labels


@pytest.mark.parametrize("name", FILES)
def test_missing_file(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(OpticalError, match=f"{name} is missing"):
        Bundle.from_disk(folder)


@pytest.mark.parametrize("name", FILES)
def test_truncated_file(folder: Path, name: str) -> None:
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(OpticalError, match=name):
        Bundle.from_disk(folder)


@pytest.mark.parametrize("name", [MODEL_FILE, TOKENIZER_FILE, WEIGHTS_FILE])
@pytest.mark.parametrize("place", [0.0, 0.3, 0.6, 1.0])
def test_flipped_bit(folder: Path, name: str, place: float) -> None:
    content = bytearray((folder / name).read_bytes())
    content[int(place * (len(content) - 1))] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(OpticalError, match=f"{name}.*SHA-256"):
        Bundle.from_disk(folder)


def test_flipped_bits_in_bytes() -> None:
    made = large_bundle()
    data = made.to_bytes()
    for at in range(0, len(data), len(data) // 40):
        damaged = bytearray(data)
        damaged[at] ^= 0x41
        # A changed letter of the manifest's free text is no damage to what is run.
        try:
            read = Bundle.from_bytes(bytes(damaged))
        except OpticalError:
            continue
        assert (read.model, read.tokenizer) == (made.model, made.tokenizer)
        assert read.weights == made.weights


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x01", srsly.msgpack_dumps({MODEL_FILE: b""})])
def test_bytes_of_something_else(data: bytes) -> None:
    with pytest.raises(OpticalError):
        Bundle.from_bytes(data)


@pytest.mark.parametrize(
    "manifest",
    [b"", b"{", b"[]", b'"x"', b"{}", b'{"format": "1"}', b"\xff", b'{"a": ' + b"[" * 100_000],
)
def test_manifest_that_is_none(folder: Path, manifest: bytes) -> None:
    (folder / MANIFEST_FILE).write_bytes(manifest)
    with pytest.raises(OpticalError, match=f"{MANIFEST_FILE} is not a bundle's manifest"):
        Bundle.from_disk(folder)


def test_newer_format_says_what_to_install(folder: Path) -> None:
    change_manifest(folder, format=BUNDLE_FORMAT + 1, written_by="9.1.0", labels=42)
    with pytest.raises(OpticalError, match=r"written by spacy_optical 9\.1\.0.*pip install -U"):
        Bundle.from_disk(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": "PER"}, "labels"),
        ({"labels": ["PER", "PER"]}, "twice"),
        ({"labels": [""]}, "labels.0"),
        ({"max_pieces": 1}, "max_pieces"),
        ({"inputs": ["tokens"]}, "inputs"),
        ({"format": 0}, "format 0"),
        ({"files": {}}, "it lists"),
        ({"files": {"../secret": ENTRY}}, "it lists"),
        ({"files": dict.fromkeys([MODEL_FILE, TOKENIZER_FILE, "other.bin"], ENTRY)}, "it lists"),
        ({"files": dict.fromkeys([f"../{MODEL_FILE}", TOKENIZER_FILE], ENTRY)}, "it lists"),
        ({"files": {MODEL_FILE: {"size": -1, "sha256": "0" * 64}}}, "size"),
        ({"files": {MODEL_FILE: {"size": 2**40, "sha256": "0" * 64}}}, "size"),
        ({"files": {MODEL_FILE: {"size": 1, "sha256": "no hash"}}}, "sha256"),
    ],
)
def test_manifest_with_a_wrong_value(folder: Path, change: dict, message: str) -> None:
    change_manifest(folder, **change)
    with pytest.raises(OpticalError, match=f"{MANIFEST_FILE} is not a bundle's.*{message}"):
        Bundle.from_disk(folder)


def test_endless_manifest_is_not_read(folder: Path) -> None:
    with (folder / MANIFEST_FILE).open("ab") as file:
        file.truncate(2**31)
    with pytest.raises(OpticalError, match=MANIFEST_FILE):
        Bundle.from_disk(folder)


def linked(folder: Path, store: Path) -> None:
    """Lay a folder out as huggingface_hub's cache does: files by hash elsewhere, links to them."""
    store.mkdir()
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        blob = store / hashlib.sha256(path.read_bytes()).hexdigest()
        path.rename(blob)
        path.symlink_to(os.path.relpath(blob, path.parent))


def test_files_may_be_links_to_other_places(folder: Path, tmp_path: Path) -> None:
    content = Bundle.from_disk(folder).to_bytes()
    linked(folder, tmp_path / "blobs")
    read = Bundle.from_disk(folder)
    assert read.to_bytes() == content
    assert Runtime(read).scores([["Amina"]])[0].argmax() == Runtime(read).tags.index("B-PER")


def test_the_default_bundle_installed_as_links(tmp_path: Path) -> None:
    """As by `uv pip install --link-mode symlink`."""
    for path in model_path().iterdir():
        (tmp_path / path.name).symlink_to(path)
    nlp = spacy.blank("xx")
    component: Any = nlp.add_pipe("optical_ner", config={"model": str(tmp_path)})
    assert component.labels == ("DATE", "LOC", "ORG", "PER")
    doc = nlp("Rais Samia Suluhu Hassan alizungumza Dodoma.")
    assert [ent.text for ent in doc.ents] == ["Samia Suluhu Hassan", "Dodoma"]


def test_a_saved_pipeline_of_links(folder: Path, tmp_path: Path) -> None:
    nlp = spacy.blank("xx")
    nlp.add_pipe("optical_ner", config={"model": str(folder)})
    nlp.to_disk(tmp_path / "snapshot")
    linked(tmp_path / "snapshot", tmp_path / "blobs")
    read = spacy.load(tmp_path / "snapshot")
    assert [ent.label_ for ent in read("Amina Juma alienda Nairobi").ents] == ["PER", "LOC"]


@pytest.mark.parametrize("name", FILES)
def test_a_link_to_something_else_is_noticed(folder: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "other").write_text("{}")
    (folder / name).unlink()
    (folder / name).symlink_to(tmp_path / "other")
    with pytest.raises(OpticalError, match=name):
        Bundle.from_disk(folder)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("target", ["nowhere", "itself", "."])
def test_a_link_to_nothing(folder: Path, name: str, target: str) -> None:
    (folder / name).unlink()
    (folder / name).symlink_to(name if target == "itself" else target)
    with pytest.raises(OpticalError, match=f"{name} is missing"):
        Bundle.from_disk(folder)


def test_link_to_the_folder_is_fine(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    assert Bundle.from_disk(tmp_path / "link").info.labels


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_named_pipe_is_not_waited_for(folder: Path) -> None:
    (folder / MODEL_FILE).unlink()
    os.mkfifo(folder / MODEL_FILE)
    with pytest.raises(OpticalError, match=MODEL_FILE):
        Bundle.from_disk(folder)


def test_model_that_is_no_protobuf(tmp_path: Path) -> None:
    replace(toy_bundle(), model=b"\x3a\xff\xff").to_disk(tmp_path / "bundle")
    with pytest.raises(OpticalError, match=f"{tmp_path / 'bundle'} breaks the graph contract"):
        _ = Runtime(Bundle.from_disk(tmp_path / "bundle")).session


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(OpticalError, match="No such bundle folder"):
        Bundle.from_disk(tmp_path / "nowhere")


def test_models_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("spacy_optical.runtime.bundle.MODELS", tmp_path)
    with pytest.raises(OpticalError, match=r"no model 'md'.*it has: none"):
        model_path()
    toy_bundle().to_disk(tmp_path / "md")
    assert model_path() == model_path("md") == tmp_path / "md"
    with pytest.raises(OpticalError, match=r"no model 'lg'.*it has: md"):
        model_path("lg")
    assert model_path("./md") == model_path(Path("md")) == Path("md")
