"""Texts from files."""

from pathlib import Path

from ..errors import Errors, OpticalError
from .docs import read_docs
from .lines import Line, json_object, read_lines


def read_texts(path: Path) -> list[str]:
    """Read texts: one per line, JSON lines with `text`, or the documents of a `.spacy` file.

    path (Path): A file named `.txt`, `.jsonl` or `.spacy`.
    RETURNS (List[str]): The texts that are not blank.
    RAISES (OpticalError): If it is missing, of another kind, not UTF-8, damaged, or empty.
    """
    path = Path(path)
    lines = read_lines(path, "file of texts", skip_blank=True)
    kind = path.suffix.lower()
    if kind == ".spacy":
        texts = [doc.text for doc in read_docs(path)]
    elif kind == ".txt":
        texts = [line.text for line in lines]
    elif kind == ".jsonl":
        texts = list(map(_text_of, lines))
    else:
        raise OpticalError(Errors.E606.format(path=path))
    texts = [text for text in texts if text.strip()]
    if not texts:
        raise OpticalError(Errors.E206.format(path=path))
    return texts


def _text_of(line: Line) -> str:
    try:
        text = json_object(line.text).get("text")
    except ValueError:
        text = None
    if not isinstance(text, str):
        raise OpticalError(Errors.E607.format(where=line.where))
    return text
