"""CoNLL files of words and tags, such as Universal NER's `.iob2` and MasakhaNER's `.txt`."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import Errors, OpticalError
from .lines import Line, read_lines

DOCSTART = "-DOCSTART-"
# What begins a tag of BILOU and IOBES, in BIO.
_PREFIXES = {"B": "B", "U": "B", "S": "B", "I": "I", "L": "I", "E": "I"}
_BLANKS = re.compile(r"[ \t]+")  # a no-break space may stand inside a word
_NUMBER = re.compile(r"[0-9]{1,9}")
_WHITE = re.compile(r"[^\S\t]")
Rename = Callable[[str], str]


@dataclass(frozen=True)
class TaggedSentence:
    """A sentence's words with its labelled spans (start, end excluded, label), in words.

    spaces says after which words a space comes, where the file tells; else after each. not_labelled
    names the labels that were not looked for: a word without a span may have one of them.
    """

    id: str
    words: tuple[str, ...]
    spans: tuple[tuple[int, int, str], ...]
    spaces: tuple[bool, ...] | None = field(default=None, compare=False)
    not_labelled: tuple[str, ...] = ()


def read_iob2(path: str | Path, rename: Rename = str) -> list[TaggedSentence]:
    """Read a file of tagged sentences.

    path (Union[str, Path]): Sentences with an empty line between, one word a line, its columns
        separated by tabs, or by spaces where the line has no tab. The word is the first column and
        the tag the last. Where the lines of a sentence begin with their numbers, one after the
        other, word and tag are the second and third column (Universal NER). A comment
        `# sent_id = X` names the sentence; without it the id is the sentence's number. Lines of
        -DOCSTART- (CoNLL 2003) and words of white space alone are left out.
    rename (Callable[[str], str]): Turns the file's own tags into those of `checked_tag`.
    RETURNS (List[TaggedSentence]): The sentences in order.
    RAISES (OpticalError): Naming file and line: on a missing or empty file, text that is not UTF-8,
        a line without a tag, or a tag of another scheme.
    """
    blocks = [_without_comments(block, rename) for block in _blocks(Path(path))]
    # A sentence of one word could be "1 Nairobi B-LOC" or "1 CD O": the others tell.
    longer = [lines for _, lines in blocks if len(lines) > 1]
    single_numbered = any(map(_is_numbered, longer)) or not longer
    sentences: list[TaggedSentence] = []
    for name, lines in blocks:
        numbered = _is_numbered(lines) and (len(lines) > 1 or single_numbered)
        rows = [(line.where, *_word_and_tag(line, numbered=numbered)) for line in lines]
        sentences += tagged_sentence(name or str(len(sentences) + 1), rows, rename)
    if not sentences:
        raise OpticalError(Errors.E206.format(path=path))
    return sentences


def tagged_sentence(
    name: str, rows: Iterable[tuple[str, str, str]], rename: Rename
) -> list[TaggedSentence]:
    """Make a sentence of words and tags, without -DOCSTART- and words of white space alone.

    name (str): The sentence's id.
    rows (Iterable[Tuple[str, str, str]]): The place of each word in the file, the word, its tag.
    rename (Callable[[str], str]): As for `read_iob2`.
    RETURNS (List[TaggedSentence]): The sentence; none where no word is left.
    RAISES (OpticalError): As `checked_tag`.
    """
    words, tags = [], []
    for where, word, tag in rows:
        if word.strip() and word != DOCSTART:
            words.append(word.strip(" "))
            tags.append(checked_tag(tag, where, rename))
    return [TaggedSentence(name, tuple(words), _spans_of(tags))] if words else []


def _spans_of(tags: Sequence[str]) -> tuple[tuple[int, int, str], ...]:
    """Give the spans of BIO tags as conlleval reads them; an I that continues nothing begins one.

    >>> _spans_of(["B-PER", "I-PER", "O", "I-LOC"])
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


def checked_tag(tag: str, where: str, rename: Rename = str) -> str:
    """Rename a tag, make sure that it is of a known scheme, and give it in BIO.

    tag (str): The tag as the file has it: of IOB1, BIO, BILOU or IOBES after renaming.
    where (str): File and line, for the error.
    rename (Callable[[str], str]): As for `read_iob2`.
    RETURNS (str): O, B-TYPE or I-TYPE.
    RAISES (OpticalError): If it is of none of these schemes.

    >>> [checked_tag(tag, "here") for tag in ("O", "U-PER", "L-PER", "S-LOC", "E-LOC")]
    ['O', 'B-PER', 'I-PER', 'B-LOC', 'I-LOC']
    """
    renamed = rename(tag)
    if not _is_tag(renamed):
        raise OpticalError(Errors.E228.format(where=where, tag=tag))
    prefix, dash, kind = renamed.partition("-")
    return f"{_PREFIXES[prefix]}-{kind}" if dash else renamed


def _is_tag(text: str) -> bool:
    prefix, dash, kind = text.partition("-")
    return text == "O" or (prefix in _PREFIXES and bool(dash and kind))


def _blocks(path: Path) -> Iterator[list[Line]]:
    """Give the lines between empty ones, and between lines of -DOCSTART-."""
    block: list[Line] = []
    for line in read_lines(path, "tagged file"):
        if line.text.strip(" \t") and _columns(line.text)[0] != DOCSTART:
            block.append(line)
        elif block:
            yield block
            block = []
    if block:
        yield block


def _without_comments(block: Sequence[Line], rename: Rename) -> tuple[str, Sequence[Line]]:
    """Give a sentence's name and its lines of words; comments come before them."""
    # A hashtag can be a word, too: its line then has the form of the sentence's other lines.
    example = next((line.text for line in block if not line.text.startswith("#")), "")
    name = ""
    for at, (_, _, text) in enumerate(block):
        if not text.startswith("#") or _is_word(text, example, rename):
            return name, block[at:]
        key, _, value = text[1:].partition("=")
        if key.strip() == "sent_id":
            name = value.strip()
    return name, []


def _is_word(line: str, example: str, rename: Rename) -> bool:
    if "\t" in line:
        return True
    columns = _columns(line)
    if len(columns) < 2 or " = " in line or not _is_tag(rename(columns[-1])):
        return False
    return not example or ("\t" not in example and len(columns) == len(_columns(example)))


def _is_numbered(lines: Sequence[Line]) -> bool:
    """Whether each line begins with its number and has a word and a tag behind it."""
    rows = [_columns(line.text) for line in lines]
    numbers = [row[0] for row in rows if len(row) > 2 and _NUMBER.fullmatch(row[0])]
    if not rows or len(numbers) < len(rows):
        return False
    start = int(numbers[0])
    counted = numbers == [str(i) for i in range(start, start + len(rows))]
    return counted and (start < 2 or len(rows) > 2)


def _columns(line: str) -> list[str]:
    if "\t" in line:
        return [part.strip(" ") or part for part in line.split("\t")]
    return _BLANKS.split(line.strip(" "))


def _word_and_tag(line: Line, *, numbered: bool) -> tuple[str, str]:
    columns = _columns(line.text)
    if numbered:
        columns = columns[1:3]
    if len(columns) > 1 and columns[0]:
        return columns[0], columns[-1]
    if _WHITE.match(line.text) and (not line.text.strip() or _is_tag(columns[-1])):
        return " ", "O"  # a word of white space alone
    raise OpticalError(Errors.E227.format(where=line.where, line=line.text))
