"""Gold files of other people's data sets, in the forms that they come in, read into one.

Tagged words in columns (CoNLL, Universal NER), tables with a header and a sentence number, JSON
lines of tokens and tags, spaCy's own files, and sentences with marked entities.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Literal

from spacy.tokens import Doc, Span

from ..errors import Errors, OpticalError
from ..runtime.word_tokens import word_tokens
from .conll import DOCSTART, TaggedSentence, checked_tag, read_iob2, sentence_of_tags
from .docs import EVALUATION_ONLY, NOT_LABELLED, labels_not_labelled, make_doc, read_docs
from .markup import MarkedEntity, MarkedText
from .parallel import read_groups
from .word_tokenizer import tokenizer_for

GoldFormat = Literal["iob2", "table", "jsonl", "spacy", "marked"]
Columns = tuple[str, str, str]
Rename = Callable[[str], str]
_Sentences = Iterator[TaggedSentence | None]
_SUFFIXES: dict[str, GoldFormat] = {".jsonl": "jsonl", ".json": "jsonl", ".spacy": "spacy"}


def read_tagged(
    path: Path,
    labels: Mapping[str, str],
    *,
    language: str,
    source: str = "",
    format: GoldFormat | None = None,
    columns: Columns = ("words", "labels", "sentence_id"),
) -> list[TaggedSentence]:
    """Read a gold file.

    path (Path): The file.
    labels (Mapping[str, str]): New names by the file's own: of types (`PERSON` to `PER`) or of
        whole tags (`BNEP` to `B-PER`, `3` to `I-ORG`); empty for what is left out. What is not in
        it keeps its name.
    language (str): The language; of `marked` files, the key of the sentence.
    source (str): Of `marked` files, the language whose sentence must have the same entities, where
        a group has one.
    format (Optional[str]): `iob2` (see `read_iob2`), `table` (tabs, a header; a sentence ends where
        its number changes), `jsonl` (`{"tokens": […], "ner_tags": […]}`), `spacy` or `marked` (see
        `read_groups`); by default told from the name, `iob2` where that says nothing.
    columns (Tuple[str, str, str]): Of a table: the columns of word, tag and sentence number.
    RETURNS (List[TaggedSentence]): The sentences in order.
    RAISES (OpticalError): Naming file and line: on a missing, empty or damaged file, a line of
        another form, or a tag that after renaming is of no scheme that `checked_tag` knows.
    """
    path = Path(path)
    rename = renamer(labels)
    kind = format or _SUFFIXES.get(path.suffix.lower(), "iob2")
    if kind == "iob2":
        return read_iob2(path, rename)
    if not path.is_file():
        raise OpticalError(Errors.E002.format(what="gold file", path=path))
    if kind == "table":
        sentences = _table(path, columns, rename)
    elif kind == "jsonl":
        sentences = _jsonl(path, rename)
    elif kind == "spacy":
        sentences = _spacy(path, rename)
    else:
        sentences = _marked(path, language, source, rename)
    found = [sentence for sentence in sentences if sentence is not None]
    if not found:
        raise OpticalError(Errors.E206.format(path=path))
    return found


def renamer(labels: Mapping[str, str]) -> Rename:
    """Give the function that renames tags: whole ones first, else the type behind B- or I-.

    labels (Mapping[str, str]): As for `read_tagged`.
    RETURNS (Callable[[str], str]): From a file's tag to ours.

    >>> rename = renamer({"PERSON": "PER", "DATE": "", "BNEL": "B-LOC"})
    >>> [rename(tag) for tag in ("B-PERSON", "I-DATE", "BNEL", "B-ORG", "O")]
    ['B-PER', 'O', 'B-LOC', 'B-ORG', 'O']
    """

    def rename(tag: str) -> str:
        if tag in labels:
            return labels[tag] or "O"
        prefix, dash, kind = tag.partition("-")
        if dash and kind in labels:
            return f"{prefix}-{labels[kind]}" if labels[kind] else "O"
        return tag

    return rename


def tagged_doc(sentence: TaggedSentence, *, evaluation_only: bool, missing: bool = False) -> Doc:
    """Make a document of a data set's own words.

    sentence (TaggedSentence): Words and spans.
    evaluation_only (bool): Whether the document may only judge, never train.
    missing (bool): Whether words without an entity get spaCy's missing annotation where some labels
        were not looked for. It is for training: spaCy does not score predictions on such words.
    RETURNS (Doc): The document.
    """
    # Any vocabulary does: the words are given, and files of documents do not keep it.
    spaces = None if sentence.spaces is None else list(sentence.spaces)
    doc = Doc(tokenizer_for("xx").vocab, words=list(sentence.words), spaces=spaces)
    doc.set_ents(
        [Span(doc, start, end, label=label) for start, end, label in sentence.spans],
        default="missing" if missing and sentence.not_labelled else "outside",
    )
    if sentence.not_labelled:
        doc.user_data[NOT_LABELLED] = list(sentence.not_labelled)
    if evaluation_only:
        doc.user_data[EVALUATION_ONLY] = True
    return doc


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    for number, raw in enumerate(path.read_bytes().split(b"\n"), 1):
        where = f"{path}, line {number}"
        try:
            yield where, raw.decode("utf-8-sig" if number == 1 else "utf8").rstrip("\r")
        except UnicodeDecodeError as err:
            raise OpticalError(Errors.E222.format(where=where, reason=err)) from err


def _table(path: Path, columns: Columns, rename: Rename) -> _Sentences:
    lines = _lines(path)
    header = next(lines)[1].split("\t")
    for column in columns:
        if column not in header:
            found = ", ".join(header)
            raise OpticalError(Errors.E236.format(path=path, column=column, found=found))
    word_at, tag_at, sentence_at = (header.index(column) for column in columns)

    def rows() -> Iterator[tuple[str, str, str]]:
        for where, line in lines:
            if not line.strip():
                continue
            cells = line.split("\t")
            word = cells[word_at].strip(" ") if len(cells) == len(header) else ""
            if not word:
                raise OpticalError(Errors.E227.format(where=where, line=line))
            tag = "O" if word == DOCSTART else checked_tag(cells[tag_at].strip(), where, rename)
            yield cells[sentence_at].strip(), word, tag

    for name, group in groupby(rows(), key=lambda row: row[0]):
        part = list(group)
        yield sentence_of_tags(name, [word for _, word, _ in part], [tag for *_, tag in part])


def _jsonl(path: Path, rename: Rename) -> _Sentences:
    for where, line in _lines(path):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            words = [str(word).strip(" ") for word in record["tokens"]]
            tags = [str(tag) for tag in record["ner_tags"]]
        except (ValueError, KeyError, TypeError, RecursionError) as err:
            reason = f"{type(err).__name__}: {err}"
            raise OpticalError(Errors.E237.format(where=where, reason=reason)) from err
        if len(words) != len(tags) or not all(words):
            reason = f"{len(words)} tokens, {len(tags)} tags, {words.count('')} tokens empty"
            raise OpticalError(Errors.E237.format(where=where, reason=reason))
        bio = [
            "O" if word == DOCSTART else checked_tag(tag, where, rename)
            for word, tag in zip(words, tags, strict=True)
        ]
        yield sentence_of_tags(str(record.get("id", where)), words, bio)


def _spacy(path: Path, rename: Rename) -> _Sentences:
    for number, doc in enumerate(read_docs(path), 1):
        yield _of_doc(doc, str(number), f"{path}, document {number}", rename)


def _marked(path: Path, language: str, source: str, rename: Rename) -> _Sentences:
    for group in read_groups(path, [language], labels=None, compare=source):
        marked = group.sentences[language]
        doc = make_doc(marked, language, where=group.where, evaluation_only=False)
        yield _of_doc(doc, group.id, group.where, rename)


def _of_doc(doc: Doc, name: str, where: str, rename: Rename) -> TaggedSentence | None:
    """Read a document's words and entities; tokens that are only space are no words."""
    tokens = word_tokens(doc)
    tags = [f"{t.ent_iob_}-{t.ent_type_}" if t.ent_type_ else "O" for t in tokens]
    bio = [checked_tag(tag, where, rename) for tag in tags]
    found = sentence_of_tags(name, [token.text for token in tokens], bio)
    if found is None:
        return None
    found = replace(found, not_labelled=labels_not_labelled(doc))
    if len(found.words) < len(tokens):
        return found
    # Where a space token followed, it was a space all the same.
    spaces = [bool(t.whitespace_) or (t.i + 1 < len(doc) and doc[t.i + 1].is_space) for t in tokens]
    return replace(found, spaces=tuple(spaces))


def labelled_by(doc: Doc, name: str, labels: Mapping[str, str]) -> TaggedSentence | None:
    """Read the words and entities of a document that a pipeline labelled.

    doc (Doc): The document.
    name (str): The sentence's id.
    labels (Mapping[str, str]): New names of the labels; others are left out.
    RETURNS (Optional[TaggedSentence]): The sentence; None where the document has no word.
    """

    def rename(tag: str) -> str:
        prefix, _, kind = tag.partition("-")
        return f"{prefix}-{labels[kind]}" if kind in labels else "O"

    return _of_doc(doc, name, name, rename)


def marked_text(sentence: TaggedSentence) -> MarkedText:
    """Write a sentence as text with entities.

    sentence (TaggedSentence): The sentence.
    RETURNS (MarkedText): Its words with the spaces between, and its spans in characters.
    """
    spaces = sentence.spaces or (True,) * len(sentence.words)
    text, starts, ends = "", [], []
    for word, space in zip(sentence.words, spaces, strict=True):
        starts.append(len(text))
        text += word
        ends.append(len(text))
        text += " " if space else ""
    spans = sorted(sentence.spans)
    entities = [MarkedEntity(starts[start], ends[end - 1], label) for start, end, label in spans]
    return MarkedText(text.rstrip(" "), tuple(entities))
