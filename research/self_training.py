"""A corpus for self-training: each target sentence is its own translation."""

import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from spacy_optical.data.bitext import read_bitext
from spacy_optical.data.layout import MARKER, CorpusFolder
from spacy_optical.data.make_corpus import write_bitext
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
            pairs = read_bitext(
                CorpusFolder(corpus).bitext(language), source_lang=source, target_lang=language
            )
            own = (replace(pair, source=pair.target) for pair in pairs)
            write_bitext(own, source, language, CorpusFolder(folder).bitext(language))
        shutil.copy(corpus / MARKER, folder / MARKER)
