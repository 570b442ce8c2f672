"""Find the entities of texts and return them as rows of a table."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import pyarrow as pa
from spacy.language import Language
from spacy.tokens import Doc, Span

from ..errors import Errors, OpticalError
from ..files import folder_contents
from ..runtime.bundle import model_path
from ..runtime.load_model import load_model
from .text_parts import Text

# The maximum size of a batch. A batch has its own memory zone, which limits spaCy's memory.
BATCH_TEXTS = 1_000
BATCH_CHARACTERS = 1_000_000
MOST_REASON = 300
# A memory zone does not shrink the tables of spaCy's vocabulary: 32 bytes for each word ever seen.
MOST_WORDS = 100_000


def row_schema(id_type: pa.DataType) -> pa.Schema:
    """Get the columns of a row: an entity in characters, `end` excluded, or a text that failed."""
    columns = {"start": pa.int32(), "end": pa.int32(), "label": pa.string(), "text": pa.string()}
    return pa.schema({"id": id_type, **columns, "score": pa.float32(), "error": pa.string()})


# The last pipeline of this process, by its fingerprint.
_held: dict[str, Language] = {}


def load_pipeline(model: str | None, content: str) -> Language:
    """Load a pipeline, or get it if it is the last one that this process loaded.

    `content` is its `fingerprint`. The name is not enough, because a folder can be overwritten. A
    pipeline that has seen `MOST_WORDS` different words is loaded again, so that memory stays flat.
    RAISES (OpticalError): If it cannot be loaded.
    """
    if content not in _held or len(_held[content].vocab) > MOST_WORDS:
        _held.clear()
        _held[content] = _loaded(model)
    return _held[content]


def fingerprint(model: str | None) -> str:
    """Load a pipeline and compute the hash of its files.

    RAISES (OpticalError): If it cannot be loaded.
    """
    nlp = _loaded(model)
    content = folder_contents(nlp.path or model_path(model))[1]
    _held.clear()
    _held[content] = nlp
    return content


def entity_rows(nlp: Language, texts: Sequence[Text], id_type: pa.DataType) -> pa.Table:
    """Find the entities of a batch of texts, as rows in the order of the texts.

    A text without entities has no row. A text that fails has one row, with the reason in `error`.
    """
    with nlp.memory_zone():
        rows = list(_rows(nlp, texts))
    return pa.Table.from_pylist(rows, schema=row_schema(id_type))


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


def _loaded(model: str | None) -> Language:
    try:
        nlp = load_model(model)
        nlp("Amina Juma")  # if the model does not run, raise here and not for each text
    except OpticalError:
        raise
    except Exception as err:
        raise OpticalError(Errors.E805.format(model=model, reason=_reason(err))) from err
    return nlp


def _rows(nlp: Language, texts: Sequence[Text]) -> Iterator[dict[str, Any]]:
    pairs = [(text.text, at) for at, text in enumerate(texts) if text.text is not None]
    found: dict[int, list[dict[str, Any]]] = {}
    with suppress(Exception):  # the remaining texts are then processed one by one
        for doc, at in nlp.pipe(pairs, as_tuples=True):
            found[at] = _entities(doc)
    for at, text in enumerate(texts):
        error = text.error
        if text.text is not None and at not in found:
            try:
                found[at] = _entities(nlp(text.text))
            except Exception as err:  # one text must not stop the run
                error = _reason(err)
        for row in found.get(at, [{"error": error}]):
            yield {"id": text.id, **row}


def _entities(doc: Doc) -> list[dict[str, Any]]:
    rows = []
    for ent in doc.ents:
        place = {"start": ent.start_char, "end": ent.end_char}
        # An application may have registered an attribute of this name for something else.
        score = ent._.score if Span.has_extension("score") else None
        score = score if isinstance(score, float) else None
        rows.append({**place, "label": ent.label_, "text": ent.text, "score": score})
    return rows


def _reason(err: Exception) -> str:
    reason = " ".join(f"{type(err).__name__}: {err}".split())
    return reason.encode("utf8", "backslashreplace").decode("utf8")[:MOST_REASON]
