"""Labelled files in several formats, read as tagged sentences.

The formats are columns of words and tags (CoNLL, Universal NER), tables with a header and a
sentence number, JSON lines with tokens and tags, `.spacy` files and sentences with marked entities.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path

from spacy.pipeline import EntityRuler
from spacy.tokens import Doc, Span

from ..errors import Errors, OpticalError
from ..runtime.word_tokens import word_tokens
from .conll import Rename, TaggedSentence, read_iob2, tagged_sentence
from .docs import EVALUATION_ONLY, NOT_LABELLED, labels_not_labelled, make_doc, read_docs
from .lines import json_object, read_lines
from .markup import MarkedEntity, MarkedText
from .parallel import read_groups
from .sources import Columns, GoldFormat, LabelledSet
from .word_tokenizer import tokenizer_for

_SUFFIXES: dict[str, GoldFormat] = {".jsonl": "jsonl", ".json": "jsonl", ".spacy": "spacy"}


def read_tagged(
    path: Path, part: LabelledSet, *, language: str, source: str = ""
) -> list[TaggedSentence]:
    """Read a labelled file.

    path (Path): The file.
    part (LabelledSet): The data set of the file. `labels` are new names for types (`PERSON` to
        `PER`) or whole tags (`BNEP` to `B-PER`, `3` to `I-ORG`); an empty name removes them, other
        names stay. `gold_format` is `iob2` (see `read_iob2`), `table` (tab-separated, with a
        header; a sentence ends where its number changes), `jsonl`
        (`{"tokens": […], "ner_tags": […]}`), `spacy` or `marked` (see `read_groups`). The default
        is taken from the file name, or is `iob2`. `columns` are the columns of word, tag and
        sentence number of a table.
    language (str): The language. In `marked` files, the key of the sentence.
    source (str): In `marked` files, the language whose sentence must have the same entities, if
        there is one.
    RETURNS (List[TaggedSentence]): The sentences in order.
    RAISES (OpticalError): On a missing, empty or damaged file, a line of another form, or a renamed
        tag that is not of a scheme that `read_iob2` allows. The error names file and line.
    """
    path = Path(path)
    rename = partial(_renamed, part.labels)
    kind = part.gold_format or _SUFFIXES.get(path.suffix.lower(), "iob2")
    if kind == "iob2":
        return read_iob2(path, rename)
    if kind == "table":
        sentences = _table(path, part.columns, rename)
    elif kind == "jsonl":
        sentences = _jsonl(path, rename)
    elif kind == "spacy":
        docs = enumerate(read_docs(path), 1)
        sentences = (_of_doc(doc, str(n), f"{path}, document {n}", rename) for n, doc in docs)
    else:
        groups = read_groups(path, [language], compare=source)
        made = ((g, make_doc(g.sentences[language], language, where=g.where)) for g in groups)
        sentences = (_of_doc(doc, group.id, group.where, rename) for group, doc in made)
    all_sentences = list(chain.from_iterable(sentences))
    if not all_sentences:
        raise OpticalError(Errors.E206.format(path=path))
    return all_sentences


def _renamed(labels: Mapping[str, str], tag: str) -> str:
    """Rename a whole tag, or else the type after its prefix."""
    if tag in labels:
        return labels[tag] or "O"
    prefix, dash, kind = tag.partition("-")
    if dash and kind in labels:
        return f"{prefix}-{labels[kind]}" if labels[kind] else "O"
    return tag


def tagged_doc(
    sentence: TaggedSentence, *, evaluation_only: bool = False, missing: bool = False
) -> Doc:
    """Make a document of the words and spans of a sentence.

    sentence (TaggedSentence): The sentence.
    evaluation_only (bool): Whether the document may only be used for evaluation.
    missing (bool): Whether words without an entity get spaCy's missing annotation if some labels
        were not annotated. Only for training: spaCy does not score predictions on such words.
    RETURNS (Doc): The document.
    """
    # The vocabulary does not matter: the words are given, and `.spacy` files do not store it.
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


def _table(path: Path, columns: Columns, rename: Rename) -> Iterator[list[TaggedSentence]]:
    lines = read_lines(path, "gold file")
    first = next(lines, None)
    header = first.text.split("\t") if first else []
    for column in columns:
        if column not in header:
            found = ", ".join(header)
            raise OpticalError(Errors.E236.format(path=path, column=column, found=found))
    rows = []
    for _, where, text in lines:
        if text.strip():
            cells = dict(zip(header, text.split("\t"), strict=False))
            word, tag, number = (cells.get(column, "") for column in columns)
            if not word or text.count("\t") != len(header) - 1:
                raise OpticalError(Errors.E227.format(where=where, line=text))
            rows.append((number.strip(), where, word, tag.strip()))
    for number, sentence in groupby(rows, key=itemgetter(0)):
        yield tagged_sentence(number, [row[1:] for row in sentence], rename)


def _jsonl(path: Path, rename: Rename) -> Iterator[list[TaggedSentence]]:
    for _, where, text in read_lines(path, "gold file", skip_blank=True):
        try:
            record = json_object(text)
            words, tags = record.get("tokens"), record.get("ner_tags")
            if not isinstance(words, list) or not isinstance(tags, list):
                raise ValueError("tokens and ner_tags must be lists")
            words, tags = list(map(str, words)), list(map(str, tags))
            if len(words) != len(tags) or not all(words):
                empty = words.count("")
                raise ValueError(f"{len(words)} tokens, {len(tags)} tags, {empty} tokens empty")
        except ValueError as err:
            raise OpticalError(Errors.E237.format(where=where, reason=err)) from err
        rows = [(where, word, tag) for word, tag in zip(words, tags, strict=True)]
        yield tagged_sentence(str(record.get("id", where)), rows, rename)


def _of_doc(doc: Doc, name: str, where: str, rename: Rename) -> list[TaggedSentence]:
    """Convert a document, without tokens that are only white space."""
    tokens = word_tokens(doc)
    tags = [f"{t.ent_iob_}-{t.ent_type_}" if t.ent_type_ else "O" for t in tokens]
    rows = [(where, token.text, tag) for token, tag in zip(tokens, tags, strict=True)]
    # A white space token after a word is a space, too.
    spaces = [bool(t.whitespace_) or (t.i + 1 < len(doc) and doc[t.i + 1].is_space) for t in tokens]
    return [
        replace(
            sentence,
            not_labelled=labels_not_labelled(doc),
            spaces=tuple(spaces) if len(sentence.words) == len(tokens) else None,
        )
        for sentence in tagged_sentence(name, rows, rename)
    ]


def label_by_patterns(
    sentences: Iterable[TaggedSentence], patterns: Path
) -> Iterator[TaggedSentence]:
    """Add entities for labels that were not annotated, using patterns.

    sentences (Iterable[TaggedSentence]): The sentences.
    patterns (Path): Patterns for spaCy's EntityRuler, as JSON lines. They can only match on the
        words.
    YIELDS (TaggedSentence): The sentences with their own entities, and matches that do not overlap
        with them. The labels of the patterns then count as annotated.
    RAISES (OpticalError): If the file has no patterns, or patterns for an annotated label.
    """
    ruler = EntityRuler(tokenizer_for("xx"))
    try:
        ruler.from_disk(patterns)
        if not ruler.patterns:
            raise ValueError("no pattern that is a text or a list of tokens")
    except (ValueError, KeyError, TypeError) as err:
        reason = str(err).partition("\n")[0]
        raise OpticalError(Errors.E252.format(path=patterns, reason=reason)) from err
    found = set(ruler.labels)
    for sentence in sentences:
        if known := sorted(found.difference(sentence.not_labelled)):
            raise OpticalError(Errors.E253.format(path=patterns, label=known[0]))
        doc = tagged_doc(sentence)
        for token in doc:
            token.is_sent_start = token.i == 0
        spans = tuple((ent.start, ent.end, ent.label_) for ent in ruler(doc).ents)
        lacks = tuple(label for label in sentence.not_labelled if label not in found)
        yield replace(sentence, spans=spans, not_labelled=lacks)


def marked_text(sentence: TaggedSentence) -> MarkedText:
    """Convert a sentence to text with entities.

    sentence (TaggedSentence): The sentence.
    RETURNS (MarkedText): The text, with the spans in characters.
    """
    doc = tagged_doc(sentence)
    entities = (MarkedEntity(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents)
    return MarkedText(doc.text.rstrip(" "), tuple(entities))
