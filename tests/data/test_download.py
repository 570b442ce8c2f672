"""Files from pinned addresses: a server of our own in this process stands for the network."""

import json
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest

from spacy_optical.data import download as module
from spacy_optical.data.download import RECORD, DataFile, fetch
from spacy_optical.errors import OpticalError

CONTENT = bytes(range(256)) * 800
HASH = sha256(CONTENT).hexdigest()


class Server(BaseHTTPRequestHandler):
    """Serves CONTENT at /a/b.txt; the first answers may break off after some bytes."""

    breaks: ClassVar[list[int]] = []
    asked: ClassVar[list[str]] = []
    ranges = True

    def do_GET(self) -> None:
        part = self.headers.get("Range", "") if self.ranges else ""
        self.asked.append(part)
        start = int(part.removeprefix("bytes=").rstrip("-")) if part else 0
        if self.path != "/a/b.txt":
            self.send_error(404)
            return
        if start >= len(CONTENT):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(CONTENT)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = CONTENT[start:]
        self.send_response(206 if part else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: self.breaks.pop(0)] if self.breaks else body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def host() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    Thread(target=server.serve_forever, daemon=True).start()
    Server.breaks, Server.asked, Server.ranges = [], [], True
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_source_is_read_from_its_address():
    source = DataFile.parse(f"https://data.example/a%20b/c.txt?x=1#sha256={HASH}&optional=yes")
    assert source.host == "data.example"
    assert source.path == "a b/c.txt"
    assert (source.sha256, source.optional) == (HASH, True)
    assert source.place(Path("f")) == Path("f/data.example/a b/c.txt")


@pytest.mark.parametrize("path", ["assets/a.txt", "/data/a.txt", r"C:\data\a.txt", "c:/data/a.txt"])
def test_a_path_is_used_where_it_is(path):
    local = DataFile.parse(path)
    assert (local.host, local.optional, local.place(Path("f"))) == ("", False, Path(path))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ftp://data.example/a.txt",
        "https://data.example/",
        "https://data.example/a/../../b.txt",
        "https://data.example/..%5C..%5Cb.txt",
        "https://data.example/a.txt#optional=true",
        "https://data.example/a.txt#sha256=abc",
        "https://data.example/a.txt#md5=abc",
        "https://data.example/a.txt#sha256",
    ],
)
def test_what_names_no_file_is_said(text):
    with pytest.raises(OpticalError, match="E230"):
        DataFile.parse(text)


def test_mirror_stands_for_the_network(tmp_path):
    for name in ("mirror/a/b.txt", "mirror/data.example/c.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(CONTENT)
    sources = [
        DataFile.parse(f"https://data.example/a/b.txt#sha256={HASH}"),
        DataFile.parse("https://data.example/c.txt"),
        DataFile.parse("https://data.example/none.txt#optional=yes"),
    ]
    folder, mirror = tmp_path / "files", tmp_path / "mirror"
    assert fetch(sources, folder, mirror=mirror) == Counter(mirrored=2, left_out=1)
    assert fetch(sources, folder, mirror=mirror) == Counter(kept=2, left_out=1)
    (folder / "data.example/a/b.txt").write_bytes(b"damaged")
    assert fetch(sources, folder, mirror=mirror) == Counter(kept=1, mirrored=1, left_out=1)
    with pytest.raises(OpticalError, match=r"E232.*no needed\.txt"):
        fetch([DataFile.parse("https://data.example/needed.txt")], folder, mirror=mirror)


def test_hash_of_the_first_fetch_is_kept_where_none_is_pinned(tmp_path):
    source = DataFile.parse("https://data.example/c.txt")
    mirror, folder = tmp_path / "mirror", tmp_path / "files"
    mirror.mkdir()
    (mirror / "c.txt").write_bytes(CONTENT)
    said: list[str] = []
    fetch([source], folder, mirror=mirror, say=said.append)
    assert "no SHA-256 is pinned" in said[0]
    assert json.loads((folder / RECORD).read_text()) == {"https://data.example/c.txt": HASH}
    (folder / "data.example/c.txt").unlink()
    (mirror / "c.txt").write_bytes(b"another version")
    with pytest.raises(OpticalError, match="E233"):
        fetch([source], folder, mirror=mirror)
    assert not (folder / "data.example/c.txt").exists()


def test_download_is_continued_where_it_broke_off(tmp_path, host):
    Server.breaks = [100_000, 70_000]  # of which whole blocks of 65,536 are kept
    source = DataFile.parse(f"{host}/a/b.txt#sha256={HASH}")
    assert fetch([source], tmp_path) == Counter(downloaded=1)
    assert source.place(tmp_path).read_bytes() == CONTENT
    assert Server.asked == ["", "bytes=65536-", "bytes=131072-"]
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize("ranges", [True, False])
def test_next_run_takes_up_a_partial_file(tmp_path, host, ranges):
    Server.ranges = ranges
    Server.breaks = [100_000, 0, 0]
    source = DataFile.parse(f"{host}/a/b.txt#sha256={HASH}")
    with pytest.raises(OpticalError, match=r"E231.*run the same command again"):
        fetch([source], tmp_path)
    assert not source.place(tmp_path).exists()
    assert fetch([source], tmp_path) == Counter(downloaded=1)
    assert source.place(tmp_path).read_bytes() == CONTENT


def test_a_partial_file_of_unknown_version_is_not_continued(tmp_path, host):
    source = DataFile.parse(f"{host}/a/b.txt")
    path = source.place(tmp_path)
    path.parent.mkdir(parents=True)
    path.with_name("b.txt.part").write_bytes(b"another version")
    fetch([source], tmp_path)
    assert path.read_bytes() == CONTENT


def test_addresses_with_the_same_place_are_refused(tmp_path, host):
    sources = [DataFile.parse(f"{host}/a/b.txt?id={number}") for number in (1, 2)]
    with pytest.raises(OpticalError, match=r"E008.*b\.txt.*id=1 and .*id=2"):
        fetch(sources, tmp_path)


@pytest.mark.parametrize("extra", [b"", b"more"])
def test_partial_file_that_is_whole_or_too_long_does_no_harm(tmp_path, host, extra):
    source = DataFile.parse(f"{host}/a/b.txt#sha256={HASH}")
    path = source.place(tmp_path)
    path.parent.mkdir(parents=True)
    path.with_name("b.txt.part").write_bytes(CONTENT + extra)
    fetch([source], tmp_path)
    assert path.read_bytes() == CONTENT


def test_another_file_at_the_address_is_refused(tmp_path, host):
    source = DataFile.parse(f"{host}/a/b.txt#sha256={'0' * 64}")
    with pytest.raises(OpticalError, match="E233"):
        fetch([source], tmp_path)
    assert not list(tmp_path.rglob("b.txt*"))


def test_what_the_server_does_not_have_is_asked_for_once(tmp_path, host):
    with pytest.raises(OpticalError, match=r"E231.*404"):
        fetch([DataFile.parse(f"{host}/none.txt")], tmp_path)
    assert len(Server.asked) == 1


def test_unreachable_host_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "TIMEOUT", 0.5)
    with pytest.raises(OpticalError, match=r"E231.*--mirror"):
        fetch([DataFile.parse("http://127.0.0.1:9/a.txt")], tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [("https://data.example/a.txt", "E234.*fetch-data"), ("assets/a.txt", "E002.*a.txt")],
)
def test_a_missing_file_is_to_be_fetched_only_where_that_helps(tmp_path, text, said):
    with pytest.raises(OpticalError, match=said):
        module.check(DataFile.parse(text), tmp_path / "a.txt")
