"""A corpus for self-training: each target sentence is its own translation."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

from spacy_optical.data.bitext import read_bitext
from spacy_optical.data.layout import MARKER, CorpusFolder
from spacy_optical.files import folder_written_whole


def self_training_corpus(corpus: Path, out: Path, languages: Iterable[str], source: str) -> None:
    """Copy a corpus, with the target side of its bitext on both sides.

    A teacher that is adapted with it learns the labels that it finds in the target sentences, which
    are aligned with themselves.

    corpus (Path): The corpus folder.
    out (Path): The folder to write.
    languages (Iterable[str]): The languages to copy.
    source (str): The source language.
    RAISES (OpticalError): If a bitext is missing, or out is another kind of folder.
    """
    with folder_written_whole(out, marker=MARKER) as folder:
        for name in ("english", "gold"):
            shutil.copytree(corpus / name, folder / name)
        for language in languages:
            path = CorpusFolder(folder).bitext(language)
            path.parent.mkdir(exist_ok=True)
            pairs = read_bitext(
                CorpusFolder(corpus).bitext(language), source_lang=source, target_lang=language
            )
            rows = ({"id": pair.id, source: pair.target, language: pair.target} for pair in pairs)
            lines = (json.dumps(row, ensure_ascii=False) for row in rows)
            path.write_text("\n".join(lines) + "\n", encoding="utf8")
        shutil.copy(corpus / MARKER, folder / MARKER)
