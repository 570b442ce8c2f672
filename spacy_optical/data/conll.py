"""CoNLL files of words and tags, such as Universal NER's `.iob2` and MasakhaNER's `.txt`."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import Errors, OpticalError

DOCSTART = "-DOCSTART-"
# What begins a tag of BILOU and IOBES, in BIO.
_PREFIXES = {"B": "B", "U": "B", "S": "B", "I": "I", "L": "I", "E": "I"}
_BLANKS = re.compile(r"[ \t]+")  # a no-break space may stand inside a word
_NUMBER = re.compile(r"[0-9]{1,9}")
_Line = tuple[str, str]  # where it is, and its text


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


def read_iob2(path: str | Path, rename: Callable[[str], str] = str) -> list[TaggedSentence]:
    """Read a file of tagged sentences.

    path (Union[str, Path]): Sentences with an empty line between, one word a line, its columns
        separated by tabs, or by spaces where the line has no tab. The word is the first column and
        the tag the last. Where the lines of a sentence begin with their numbers, one after the
        other, word and tag are the second and third column (Universal NER). A comment
        `# sent_id = X` names the sentence; without it the id is the sentence's number. Lines of
        -DOCSTART- (CoNLL 2003) are passed over.
    rename (Callable[[str], str]): Turns the file's own tags into those of `checked_tag`.
    RETURNS (List[TaggedSentence]): The sentences in order.
    RAISES (OpticalError): Naming file and line: on a missing or empty file, text that is not UTF-8,
        a line without a tag, or a tag of another scheme.
    """
    path = Path(path)
    if not path.is_file():
        raise OpticalError(Errors.E002.format(what="tagged file", path=path))
    blocks = [_without_comments(block, rename) for block in _blocks(path)]
    # A sentence of one word could be "1 Nairobi B-LOC" or "1 CD O": the others tell.
    longer = [lines for _, lines in blocks if len(lines) > 1]
    single_numbered = any(map(_is_numbered, longer)) or not longer
    sentences: list[TaggedSentence] = []
    for name, lines in blocks:
        numbered = _is_numbered(lines) and (len(lines) > 1 or single_numbered)
        words, tags = [], []
        for where, line in lines:
            word, tag = _word_and_tag(line, where, numbered=numbered)
            words.append(word)
            tags.append("O" if word == DOCSTART else checked_tag(tag, where, rename))
        sentence = sentence_of_tags(name or str(len(sentences) + 1), words, tags)
        if sentence is not None:
            sentences.append(sentence)
    if not sentences:
        raise OpticalError(Errors.E206.format(path=path))
    return sentences


def sentence_of_tags(name: str, words: Sequence[str], tags: Sequence[str]) -> TaggedSentence | None:
    """Make a sentence of words and BIO tags, without the -DOCSTART- of CoNLL 2003.

    name (str): The sentence's id.
    words (Sequence[str]): The words.
    tags (Sequence[str]): A tag a word, as `checked_tag` gives them.
    RETURNS (Optional[TaggedSentence]): The sentence; None where no word is left.
    """
    kept = [i for i, word in enumerate(words) if word != DOCSTART]
    if not kept:
        return None
    return TaggedSentence(name, tuple(words[i] for i in kept), spans_of([tags[i] for i in kept]))


def spans_of(tags: Sequence[str]) -> tuple[tuple[int, int, str], ...]:
    """Give the spans of BIO tags as conlleval reads them; an I that continues nothing begins one.

    tags (Sequence[str]): O, B-TYPE and I-TYPE (of IOB1 too, where B comes only after a neighbour).
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


def checked_tag(tag: str, where: str, rename: Callable[[str], str] = str) -> str:
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


def _blocks(path: Path) -> Iterator[list[_Line]]:
    """Give the lines between empty ones, and between lines of -DOCSTART-."""
    block: list[_Line] = []
    for number, raw in enumerate(path.read_bytes().split(b"\n"), 1):
        where = f"{path}, line {number}"
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf8").strip("\r\n")
        except UnicodeDecodeError as err:
            raise OpticalError(Errors.E222.format(where=where, reason=err)) from err
        if line.strip(" \t") and _columns(line)[0] != DOCSTART:
            block.append((where, line))
        elif block:
            yield block
            block = []
    if block:
        yield block


def _without_comments(
    block: Sequence[_Line], rename: Callable[[str], str]
) -> tuple[str, list[_Line]]:
    """Give a sentence's name and its lines of words; comments come before them."""
    first = next((i for i, (_, line) in enumerate(block) if not line.startswith("#")), len(block))
    # A hashtag can be a word, too: its line then has the form of the sentence's other lines.
    example = block[first][1] if first < len(block) else ""
    name, at = "", 0
    while at < first and not _is_word(block[at][1], example, rename):
        key, _, value = block[at][1][1:].partition("=")
        if key.strip() == "sent_id":
            name = value.strip()
        at += 1
    return name, list(block[at:])


def _is_word(line: str, example: str, rename: Callable[[str], str]) -> bool:
    if "\t" in line:
        return True
    columns = _columns(line)
    if len(columns) < 2 or " = " in line or not _is_tag(rename(columns[-1])):
        return False
    return not example or ("\t" not in example and len(columns) == len(_columns(example)))


def _is_numbered(lines: Sequence[_Line]) -> bool:
    """Tell whether each line begins with its number and has a word and a tag behind it."""
    rows = [_columns(line) for _, line in lines]
    numbers = [row[0] for row in rows if len(row) > 2 and _NUMBER.fullmatch(row[0])]
    if not rows or len(numbers) < len(rows):
        return False
    start = int(numbers[0])
    counted = numbers == [str(i) for i in range(start, start + len(rows))]
    return counted and (start < 2 or len(rows) > 2)


def _columns(line: str) -> list[str]:
    parts = line.split("\t") if "\t" in line else _BLANKS.split(line.strip(" "))
    return [part.strip(" ") for part in parts]


def _word_and_tag(line: str, where: str, *, numbered: bool) -> tuple[str, str]:
    columns = _columns(line)
    if numbered:
        columns = columns[1:3]
    if len(columns) < 2 or not columns[0]:
        raise OpticalError(Errors.E227.format(where=where, line=line))
    return columns[0], columns[-1]
