"""Reading texts from files."""

import json
from pathlib import Path

from ..errors import Errors, OpticalError
from .docs import read_docs


def read_texts(path: Path) -> list[str]:
    """Read texts: a line each, JSON lines with `text`, or the documents of a `.spacy` file.

    path (Path): A file named `.txt`, `.jsonl` or `.spacy`.
    RETURNS (List[str]): The texts that are not blank.
    RAISES (OpticalError): If it is missing, of another kind, not UTF-8, damaged, or empty.
    """
    path = Path(path)
    if not path.is_file():
        raise OpticalError(Errors.E002.format(what="file of texts", path=path))
    if path.suffix == ".spacy":
        texts = [doc.text for doc in read_docs(path)]
    else:
        try:
            lines = path.read_text(encoding="utf8").split("\n")
        except UnicodeDecodeError as err:
            raise OpticalError(Errors.E605.format(path=path, place=err.start)) from err
        if path.suffix == ".txt":
            texts = lines
        elif path.suffix == ".jsonl":
            texts = [
                _text_of(line, f"{path}, line {number}")
                for number, line in enumerate(lines, 1)
                if line.strip()
            ]
        else:
            raise OpticalError(Errors.E606.format(path=path))
    texts = [text for text in texts if text.strip()]
    if not texts:
        raise OpticalError(Errors.E206.format(path=path))
    return texts


def _text_of(line: str, where: str) -> str:
    try:
        value = json.loads(line)
        text = value["text"]
    except (json.JSONDecodeError, KeyError, TypeError) as err:
        raise OpticalError(Errors.E607.format(where=where)) from err
    if not isinstance(text, str):
        raise OpticalError(Errors.E607.format(where=where))
    return text
