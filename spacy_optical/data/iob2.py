"""CoNLL files of words and BIO tags, such as Universal NER's `.iob2` and MasakhaNER's `.txt`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import Errors, OpticalError


@dataclass(frozen=True)
class TaggedSentence:
    """A sentence's words with its labelled spans (start, end excluded, label), in words."""

    id: str
    words: tuple[str, ...]
    spans: tuple[tuple[int, int, str], ...]


def read_iob2(path: str | Path, rename: Callable[[str], str] = str) -> list[TaggedSentence]:
    """Read a file of tagged sentences.

    path (Union[str, Path]): Sentences with an empty line between, one word a line: either a number,
        the word, its tag and further columns (Universal NER), or the word first and the tag last.
        A comment `# sent_id = X` names the sentence; without it the id is the sentence's number.
        Tags are O, B-TYPE and I-TYPE; an I that continues nothing begins a span, as in conlleval.
        The line -DOCSTART- of CoNLL 2003 is passed over.
    rename (Callable[[str], str]): Turns the file's own tags into such, before they are checked.
    RETURNS (List[TaggedSentence]): The sentences in order.
    RAISES (OpticalError): Naming file and line: on a missing or empty file, text that is not UTF-8,
        a line without a tag, or a tag of another scheme.
    """
    path = Path(path)
    if not path.is_file():
        raise OpticalError(Errors.E002.format(what="tagged file", path=path))
    sentences: list[TaggedSentence] = []
    name = ""
    words: list[str] = []
    tags: list[str] = []
    # A last empty line ends the last sentence.
    for number, raw in enumerate([*path.read_bytes().split(b"\n"), b""], 1):
        where = f"{path}, line {number}"
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf8").strip("\r\n")
        except UnicodeDecodeError as err:
            raise OpticalError(Errors.E222.format(where=where, reason=err)) from err
        if not line.strip():
            if words and words != ["-DOCSTART-"]:
                name = name or str(len(sentences) + 1)
                sentences.append(TaggedSentence(name, tuple(words), spans_of(tags)))
            name, words, tags = "", [], []
        elif not words and _is_comment(line):
            key, _, value = line[1:].partition("=")
            if key.strip() == "sent_id":
                name = value.strip()
        else:
            word, tag = _columns(line, where, rename)
            words.append(word)
            tags.append(tag)
    if not sentences:
        raise OpticalError(Errors.E206.format(path=path))
    return sentences


def spans_of(tags: Sequence[str]) -> tuple[tuple[int, int, str], ...]:
    """Give the spans of BIO tags as conlleval reads them.

    tags (Sequence[str]): O, B-TYPE and I-TYPE.
    RETURNS (Tuple[Tuple[int, int, str], ...]): Start, end (excluded) and type of each.

    >>> spans_of(["B-PER", "I-PER", "O", "I-LOC"])
    ((0, 2, 'PER'), (3, 4, 'LOC'))
    """
    spans: list[tuple[int, int, str]] = []
    start, label = 0, ""
    for i, tag in enumerate([*tags, "O"]):
        prefix, _, kind = tag.partition("-")
        if label and (prefix != "I" or kind != label):
            spans.append((start, i, label))
            label = ""
        if kind and not label:
            start, label = i, kind
    return tuple(spans)


def checked_tag(tag: str, where: str, rename: Callable[[str], str]) -> str:
    """Rename a tag and make sure that it is a BIO tag then.

    tag (str): The tag as the file has it.
    where (str): File and line, for the error.
    rename (Callable[[str], str]): As for `read_iob2`.
    RETURNS (str): O, B-TYPE or I-TYPE.
    RAISES (OpticalError): If it is none of them.
    """
    renamed = rename(tag)
    if not _is_tag(renamed):
        raise OpticalError(Errors.E228.format(where=where, tag=tag))
    return renamed


def _is_comment(line: str) -> bool:
    fields = line.split()
    word_and_tag = len(fields) == 2 and _is_tag(fields[1])
    return line.startswith("#") and "\t" not in line and not word_and_tag


def _is_tag(text: str) -> bool:
    prefix, dash, kind = text.partition("-")
    return text == "O" or (prefix in ("B", "I") and bool(dash and kind))


def _columns(line: str, where: str, rename: Callable[[str], str]) -> tuple[str, str]:
    columns = line.split("\t") if "\t" in line else line.split()
    if len(columns) > 2 and columns[0].isdigit():
        columns = columns[1:3]
    if len(columns) < 2 or not columns[0].strip():
        raise OpticalError(Errors.E227.format(where=where, line=line))
    return columns[0].strip(), checked_tag(columns[-1].strip(), where, rename)
