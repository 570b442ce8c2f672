from pathlib import Path

import pytest

from spacy_optical.data.layout import CorpusFolder, gold_files
from spacy_optical.errors import OpticalError


def test_gold_files(tmp_path: Path):
    for name in ("sw-dev", "fi-dev", "fi-test"):
        (tmp_path / f"{name}.spacy").touch()
    found = gold_files(tmp_path, "dev")
    assert {lang: path.name for lang, path in found.items()} == {
        "fi": "fi-dev.spacy",
        "sw": "sw-dev.spacy",
    }
    with pytest.raises(OpticalError, match=r"E002.*train gold"):
        gold_files(tmp_path, "train")


def test_gold_files_are_found_where_a_corpus_puts_them(tmp_path: Path):
    corpus = CorpusFolder(tmp_path)
    corpus.gold("sw", "dev").parent.mkdir()
    corpus.gold("sw", "dev").touch()
    assert gold_files(corpus.gold("fi", "test").parent, "dev") == {"sw": corpus.gold("sw", "dev")}
