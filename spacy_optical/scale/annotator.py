"""Texts in, rows of entities out: the function that every engine runs."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
from spacy.language import Language
from spacy.tokens import Doc, Span

from ..errors import Errors, OpticalError
from ..files import folder_contents
from ..runtime.load_model import load_model
from .text_parts import Text

# What is held at once; spaCy forgets the words of a batch when its memory zone ends.
BATCH_TEXTS = 1_000
BATCH_CHARACTERS = 1_000_000
MOST_REASON = 300

# Start, end, label, text, score and error, as in `row_schema`.
Row = tuple[int | None, int | None, str | None, str | None, float | None, str | None]


def row_schema(id_type: pa.DataType) -> pa.Schema:
    """Give the columns of a row: an entity in characters, `end` excluded, or a text that failed."""
    columns = {"start": pa.int32(), "end": pa.int32(), "label": pa.string(), "text": pa.string()}
    return pa.schema({"id": id_type, **columns, "score": pa.float32(), "error": pa.string()})


# The last pipeline of this process, by its fingerprint.
_held: dict[str, Language] = {}


def load_pipeline(model: str | None, content: str) -> Language:
    """Load a pipeline once a process.

    model (Optional[str]): As for `annotate`.
    content (str): Its `fingerprint`. A process that lives on does not take an earlier pipeline
        for one that was written to the same folder.
    RETURNS (Language): The pipeline.
    RAISES (OpticalError): If it cannot be loaded.
    """
    nlp = _held.get(content)
    return nlp if nlp is not None else _hold(_loaded(model), content)


def _hold(nlp: Language, content: str) -> Language:
    _held.clear()
    _held[content] = nlp
    return nlp


def _loaded(model: str | None) -> Language:
    """Load a pipeline and read a first text."""
    try:
        nlp = load_model(model)
        nlp("Amina Juma")  # a model that does not run should stop the run, not fail every text
    except OpticalError:
        raise
    except Exception as err:
        raise OpticalError(Errors.E805.format(model=model, reason=_reason(err))) from err
    return nlp


def fingerprint(model: str | None) -> str:
    """Load a pipeline from its files, for this process too, and hash them.

    RAISES (OpticalError): If it cannot be loaded.
    """
    nlp = _loaded(model)
    component: Any = None if nlp.path else nlp.get_pipe("optical_ner")
    content = folder_contents(nlp.path or component.path)[1]
    _hold(nlp, content)
    return content


def entity_rows(nlp: Language, texts: Sequence[Text], id_type: pa.DataType) -> pa.Table:
    """Find the entities of a batch of texts, as rows in the order of the texts.

    A text without entities has no row; a text that fails has one with the reason in `error`.
    """
    with nlp.memory_zone():
        found = [(text.id, *row) for text, rows in _read(nlp, texts) for row in rows]
    schema = row_schema(id_type)
    columns = zip(*found, strict=True) if found else [()] * len(schema)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.table(arrays, schema=schema)


def in_batches(texts: Iterable[Text]) -> Iterator[list[Text]]:
    """Divide texts into batches with a maximum number of texts and of characters."""
    batch: list[Text] = []
    characters = 0
    for text in texts:
        batch.append(text)
        characters += len(text.text or "")
        if len(batch) >= BATCH_TEXTS or characters >= BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _read(nlp: Language, texts: Sequence[Text]) -> Iterator[tuple[Text, list[Row]]]:
    pairs = [(text.text, at) for at, text in enumerate(texts) if text.text is not None]
    found: dict[int, list[Row]] = {}
    try:
        for doc, at in nlp.pipe(pairs, as_tuples=True):
            found[at] = _entities(doc)
    except Exception:  # handled below: the texts that are left are read one by one
        pass
    for at, text in enumerate(texts):
        if text.text is None:
            yield text, [_failure(text.error)]
            continue
        try:
            yield text, found[at] if at in found else _entities(nlp(text.text))
        except Exception as err:  # becomes a row: one text must not end a run of millions
            yield text, [_failure(_reason(err))]


def _entities(doc: Doc) -> list[Row]:
    scored = Span.has_extension("score")
    rows: list[Row] = []
    for ent in doc.ents:
        score: Any = ent._.score if scored else None
        rows.append((ent.start_char, ent.end_char, ent.label_, ent.text, score, None))
    return rows


def _failure(reason: str | None) -> Row:
    return None, None, None, None, None, reason


def _reason(err: Exception) -> str:
    reason = " ".join(f"{type(err).__name__}: {err}".split())
    return reason.encode("utf8", "backslashreplace").decode("utf8")[:MOST_REASON]
