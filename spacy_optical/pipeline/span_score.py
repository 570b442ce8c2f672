"""`span._.score`: where a component keeps the score of an entity.

spaCy stores an extension attribute of a span by its characters, in `doc.user_data`. There the score
survives retokenisation, copying and serialisation. A span group does not survive retokenisation.
"""

from typing import Any

from spacy.tokens import Span
from spacy.tokens.underscore import is_writable_attr

SCORE = "score"
# The label of the scored entity: a later component may give the characters another one.
LABEL = "score_label"


def register_score() -> bool:
    """Register the extension attribute, unless there is one with its name already.

    RETURNS (bool): Whether scores can be written to the attribute. They cannot if the application
        has an attribute of that name with a method, or with a getter and no setter.
    """
    if not Span.has_extension(SCORE):
        # Another thread may have just registered it; without `force` that would be an error.
        Span.set_extension(SCORE, getter=get_score, setter=set_score, force=True)
    return is_writable_attr(Span.get_extension(SCORE))


def get_score(span: Span) -> float | None:
    """Get the score of an entity.

    span (Span): The entity.
    RETURNS (Optional[float]): The score, 0 to 1. None if no component gave one to a span of these
        characters with this label.
    """
    data: dict[Any, Any] = span.doc.user_data
    label = data.get(_key(span, LABEL))
    if label is not None and label != span.label_:
        return None
    return data.get(_key(span, SCORE))


def set_score(span: Span, score: float) -> None:
    """Set the score of an entity.

    span (Span): The entity.
    score (float): The score, 0 to 1.
    """
    data: dict[Any, Any] = span.doc.user_data
    data[_key(span, SCORE)] = score
    if span.label_:
        data[_key(span, LABEL)] = span.label_


def _key(span: Span, name: str) -> tuple[str, str, int, int]:
    """Make the key that spaCy uses, so that `Doc.from_docs` and `Span.as_doc` move the value."""
    return "._.", name, span.start_char, span.end_char
