"""Texts from files."""

import json
from pathlib import Path

from ..errors import Errors, OpticalError
from .docs import read_docs
from .lines import read_lines


def read_texts(path: Path) -> list[str]:
    """Read texts: one per line, JSON lines with `text`, or the documents of a `.spacy` file.

    path (Path): A file named `.txt`, `.jsonl` or `.spacy`.
    RETURNS (List[str]): The texts that are not blank.
    RAISES (OpticalError): If it is missing, of another kind, not UTF-8, damaged, or empty.
    """
    path = Path(path)
    if path.suffix == ".spacy":
        texts = [doc.text for doc in read_docs(path)]
    else:
        lines = list(read_lines(path, "file of texts", skip_blank=True))
        if path.suffix == ".txt":
            texts = [line.text for line in lines]
        elif path.suffix == ".jsonl":
            texts = [_text_of(line.text, line.where) for line in lines]
        else:
            raise OpticalError(Errors.E606.format(path=path))
    texts = [text for text in texts if text.strip()]
    if not texts:
        raise OpticalError(Errors.E206.format(path=path))
    return texts


def _text_of(line: str, where: str) -> str:
    try:
        text = json.loads(line)["text"]
    except (json.JSONDecodeError, KeyError, TypeError):
        text = None
    if not isinstance(text, str):
        raise OpticalError(Errors.E607.format(where=where))
    return text
