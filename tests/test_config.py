"""Config files in spaCy's format."""

from pathlib import Path

import pytest

from spacy_optical.config import read_sections
from spacy_optical.errors import OpticalError


def test_a_file_saved_by_a_windows_editor_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.cfg"
    path.write_bytes(b"\xef\xbb\xbf[general]\r\nseed = 1\r\n")
    assert read_sections(path) == {"general": {"seed": 1}}


def test_a_file_that_may_not_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a.cfg").touch()
    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(OpticalError, match=r"E401.*a\.cfg.*Permission denied"):
        read_sections(tmp_path / "a.cfg")
