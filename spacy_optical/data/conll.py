"""CoNLL files with words and tags, such as Universal NER's `.iob2` and MasakhaNER's `.txt`."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from spacy.training import iob_to_biluo
from spacy.training.iob_utils import tags_to_entities

from ..errors import Errors, OpticalError
from .lines import Line, read_lines

DOCSTART = "-DOCSTART-"
# Prefixes of BILOU and IOBES tags, and the prefixes in BIO.
_PREFIXES = {"B": "B", "U": "B", "S": "B", "I": "I", "L": "I", "E": "I"}
_BLANKS = re.compile(r"[ \t]+")  # not `\s`: a word can contain a no-break space
_NUMBER = re.compile(r"[0-9]{1,9}")
_WHITE = re.compile(r"[^\S\t]")
Rename = Callable[[str], str]


@dataclass(frozen=True)
class TaggedSentence:
    """The words of a sentence and its labelled spans.

    id (str): The id.
    words (Tuple[str, ...]): The words.
    spans (Tuple[Tuple[int, int, str], ...]): First word, word after the last, and label.
    spaces (Optional[Tuple[bool, ...]]): Whether each word has a trailing space. None if the file
        does not say it: all words have one.
    not_labelled (Tuple[str, ...]): Labels that were not annotated. A word without a span may have
        one of them.
    """

    id: str
    words: tuple[str, ...]
    spans: tuple[tuple[int, int, str], ...]
    spaces: tuple[bool, ...] | None = field(default=None, compare=False)
    not_labelled: tuple[str, ...] = ()


def read_iob2(path: str | Path, rename: Rename = str) -> list[TaggedSentence]:
    """Read a file of tagged sentences.

    path (Union[str, Path]): The file: one word per line, and a blank line between sentences.
        Columns are separated by tabs, or by spaces if the line has no tab. The word is the first
        column and the tag is the last. If the lines of a sentence are numbered, word and tag are
        the second and third column (Universal NER). A comment `# sent_id = X` sets the id of the
        sentence. The default is its number. Lines with -DOCSTART- (CoNLL 2003) and words that are
        only white space are skipped.
    rename (Callable[[str], str]): Converts the tags of the file to IOB1, BIO, BILOU or IOBES.
    RETURNS (List[TaggedSentence]): The sentences in order.
    RAISES (OpticalError): On a missing or empty file, text that is not UTF-8, a line without a tag,
        or a tag of another scheme. The error names file and line.
    """
    groups = groupby(read_lines(path, "tagged file"), key=_is_in_sentence)
    blocks = [_without_comments(list(group), rename) for inside, group in groups if inside]
    # "1 Nairobi B-LOC" or "1 CD O": longer sentences show whether the lines are numbered.
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
    """Make a sentence of words and tags, without -DOCSTART- and words that are only white space.

    name (str): The id of the sentence.
    rows (Iterable[Tuple[str, str, str]]): Place in the file, word and tag of each word.
    rename (Callable[[str], str]): As for `read_iob2`.
    RETURNS (List[TaggedSentence]): The sentence; an empty list if no word is left.
    RAISES (OpticalError): If a tag is not of a scheme that `read_iob2` allows.
    """
    words, tags = [], []
    for where, word, tag in rows:
        if word.strip() and word != DOCSTART:
            renamed = rename(tag)
            if not _is_tag(renamed):
                raise OpticalError(Errors.E228.format(where=where, tag=tag))
            prefix, dash, label = renamed.partition("-")
            words.append(word.strip(" "))
            tags.append(f"{_PREFIXES[prefix]}-{label}" if dash else renamed)
    return [TaggedSentence(name, tuple(words), _spans_of(tags))] if words else []


def _spans_of(tags: Sequence[str]) -> tuple[tuple[int, int, str], ...]:
    """Get the spans of IOB1 or BIO tags.

    >>> _spans_of(["B-PER", "I-PER", "O", "I-LOC"])
    ((0, 2, 'PER'), (3, 4, 'LOC'))
    """
    entities = tags_to_entities(iob_to_biluo(tags))
    return tuple((start, last + 1, label) for label, start, last in entities)


def _is_tag(text: str) -> bool:
    prefix, dash, label = text.partition("-")
    return text == "O" or (prefix in _PREFIXES and bool(dash and label))


def _is_in_sentence(line: Line) -> bool:
    return bool(line.text.strip(" \t")) and _columns(line.text)[0] != DOCSTART


def _without_comments(block: Sequence[Line], rename: Rename) -> tuple[str, Sequence[Line]]:
    """Get the id of a sentence and its lines of words. Comments come before them."""
    # A hashtag can be a word: its line has the same columns as the other lines.
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
    """Whether each line has its number, a word and a tag."""
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
        return " ", "O"  # the word is only white space
    raise OpticalError(Errors.E227.format(where=line.where, line=line.text))
