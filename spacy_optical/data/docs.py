"""Labelled documents: made from text and entities, stored in `.spacy` files, read for training.

Gold labels in target languages are only for evaluation. Such documents are marked, and
`read_training_docs` does not accept a file with such documents.
"""

from collections.abc import Iterable, Mapping
from itertools import chain, islice
from pathlib import Path

import spacy
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from ..errors import Errors, OpticalError
from ..files import written_whole
from ..runtime.decode import OUTSIDE
from ..runtime.word_tokens import is_word, word_tokens
from .markup import MarkedText
from .word_tokenizer import tokenizer_for

Span = tuple[int, int, str]
EVALUATION_ONLY = "spacy_optical.evaluation_only"
NOT_LABELLED = "spacy_optical.not_labelled"


def make_doc(marked: MarkedText, language: str, *, where: str) -> Doc:
    """Make a document with entities from a marked sentence.

    marked (MarkedText): The text and its entities.
    language (str): The language of the tokenizer.
    where (str): File and line, for the error.
    RETURNS (Doc): The document.
    RAISES (OpticalError): If an entity begins or ends inside a word, or as `tokenizer_for`.
    """
    doc = tokenizer_for(language)(marked.text)
    spans = []
    for entity in marked.entities:
        span = doc.char_span(entity.start, entity.end, label=entity.label)
        if span is None:
            surface = marked.surface(entity)
            raise OpticalError(Errors.E204.format(where=where, surface=surface, lang=language))
        spans.append(span)
    doc.set_ents(spans)
    return doc


def write_docs(docs: Iterable[Doc], path: Path) -> None:
    """Write documents to a `.spacy` file, completely or not at all.

    docs (Iterable[Doc]): The documents.
    path (Path): The file.
    """
    # The file is opened first: if it cannot be written, this fails before hours of work.
    with written_whole(path) as temporary:
        store = DocBin(attrs=["ENT_IOB", "ENT_TYPE", "SPACY"], docs=docs, store_user_data=True)
        temporary.write_bytes(store.to_bytes())


def write_shards(docs: Iterable[Doc], folder: Path, size: int) -> None:
    """Write documents to several `.spacy` files, with one file at a time in memory.

    spaCy's corpus reader accepts the folder in place of a file.

    docs (Iterable[Doc]): The documents.
    folder (Path): An existing folder. The files are numbered from 00001.spacy.
    size (int): Documents per file.
    """
    # One document at a time: a list of them would outlive the memory zone that made them.
    docs = iter(docs)
    for number, first in enumerate(docs, 1):
        write_docs(chain([first], islice(docs, size - 1)), folder / f"{number:05}.spacy")


def read_docs(path: Path, vocab: Vocab | None = None) -> list[Doc]:
    """Read the documents of a `.spacy` file, for evaluation.

    path (Path): The file.
    vocab (Optional[Vocab]): The vocabulary of the documents. The default is a new multilingual one.
    RETURNS (List[Doc]): The documents.
    RAISES (OpticalError): If the file is missing, damaged or has no documents.
    """
    path = Path(path)
    if not path.is_file():
        raise OpticalError(Errors.E002.format(what="labelled file", path=path))
    try:
        docs = list(DocBin().from_disk(path).get_docs(vocab or spacy.blank("xx").vocab))
    except Exception as err:  # zlib, msgpack and spaCy raise different errors
        raise OpticalError(Errors.E205.format(path=path, reason=err)) from err
    if not docs:
        raise OpticalError(Errors.E206.format(path=path))
    return docs


def read_training_docs(path: Path) -> list[Doc]:
    """Read the documents of a `.spacy` file, for training.

    path (Path): The file.
    RETURNS (List[Doc]): The documents.
    RAISES (OpticalError): As `read_docs`, or if a document is only for evaluation.
    """
    docs = read_docs(path)
    if any(doc.user_data.get(EVALUATION_ONLY) for doc in docs):
        raise OpticalError(Errors.E207.format(path=path))
    return docs


def labels_not_labelled(doc: Doc) -> tuple[str, ...]:
    """Get the labels that were not annotated in a document. There usually are none."""
    return tuple(doc.user_data.get(NOT_LABELLED, ()))


def word_tags(doc: Doc) -> list[str]:
    """Get the BIO tags of the words of a document, which may begin an entity after whitespace."""
    tags: dict[int, str] = {}
    for ent in doc.ents:
        words = [token.i for token in ent if is_word(token.text)]
        tags |= {i: f"{'I' if at else 'B'}-{ent.label_}" for at, i in enumerate(words)}
    return [tags.get(token.i, OUTSIDE) for token in word_tokens(doc)]


def unannotated_tokens(doc: Doc) -> set[int]:
    """Get the tokens of a gold document that have no annotation.

    In a document with labels that were not annotated, only these are missing: a token without an
    entity has none of the other labels.
    """
    if labels_not_labelled(doc):
        return set()
    return {token.i for token in doc if not token.ent_iob}


def without_unannotated(spans: Iterable[Span], doc: Doc) -> list[Span]:
    """Leave out predictions that gold cannot judge, as spaCy's scorer does.

    spans (Iterable[Tuple[int, int, str]]): Predicted entities: first token, token after the last,
        and label.
    doc (Doc): The gold document.
    RETURNS (List[Tuple[int, int, str]]): Without labels that were not annotated, and without spans
        with a token whose annotation is missing.
    """
    labels, missing = labels_not_labelled(doc), unannotated_tokens(doc)
    return [
        (start, end, label)
        for start, end, label in spans
        if label not in labels and missing.isdisjoint(range(start, end))
    ]


def bare_doc(doc: Doc) -> Doc:
    """Copy the words and spaces of a document, with the same vocabulary and no annotations."""
    spaces = [bool(token.whitespace_) for token in doc]
    return Doc(doc.vocab, words=[token.text for token in doc], spaces=spaces)


def entity_spans(doc: Doc, label_map: Mapping[str, str] | None = None) -> list[Span]:
    """Get the entities of a document as input for `scores.span_counts`.

    doc (Doc): The document.
    label_map (Optional[Mapping[str, str]]): New names of labels. Other labels stay the same.
    RETURNS (List[Tuple[int, int, str]]): First token, token after the last, and label.
    """
    names = label_map or {}
    return [(ent.start, ent.end, names.get(ent.label_, ent.label_)) for ent in doc.ents]
