"""`span._.score`: the score of an entity.

spaCy stores the extension attributes of a span in `doc.user_data`, by its character offsets. They
are kept when a document is retokenized, copied or serialized.
"""

from typing import Any

from spacy.tokens import Span
from spacy.tokens.underscore import is_writable_attr

SCORE = "score"
# The label of the entity with the score. A later component may set another label.
LABEL = "score_label"


def register_score() -> bool:
    """Register the extension attribute, unless it exists.

    RETURNS (bool): Whether scores can be written to it. Not if the application has registered it
        with a method, or with a getter and no setter.
    """
    if not Span.has_extension(SCORE):
        # Without `force`, this is an error if another thread has registered it just now.
        Span.set_extension(SCORE, getter=get_score, setter=set_score, force=True)
    return is_writable_attr(Span.get_extension(SCORE))


def get_score(span: Span) -> float | None:
    """Get the score of an entity.

    span (Span): The entity.
    RETURNS (Optional[float]): The score, 0 to 1. None if no score was set for a span with these
        characters and this label.
    """
    data: dict[Any, Any] = span.doc.user_data
    label = data.get(_key(span, LABEL))
    if label is not None and label != span.label_:
        return None
    return data.get(_key(span, SCORE))


def set_score(span: Span, score: float) -> None:
    """Set the score of an entity, 0 to 1."""
    data: dict[Any, Any] = span.doc.user_data
    data[_key(span, SCORE)] = score
    if span.label_:
        data[_key(span, LABEL)] = span.label_


def _key(span: Span, name: str) -> tuple[str, str, int, int]:
    """Get the key that spaCy uses, so that `Doc.from_docs` and `Span.as_doc` copy the value."""
    return "._.", name, span.start_char, span.end_char
