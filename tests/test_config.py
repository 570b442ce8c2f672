"""Config files in spaCy's format."""

from pathlib import Path

from spacy_optical.config import read_sections


def test_a_file_saved_by_a_windows_editor_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.cfg"
    path.write_bytes(b"\xef\xbb\xbf[general]\r\nseed = 1\r\n")
    assert read_sections(path) == {"general": {"seed": 1}}
