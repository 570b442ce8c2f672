"""Write predicted entities to a document."""

from collections.abc import Sequence

import numpy as np
from spacy.tokens import Doc, Span, SpanGroup

from ..runtime.decode import LabelledSpan
from .span_score import SCORE, register_score

# spaCy's code for the first token of an entity. Without an entity type, the token is blocked.
IOB_BEGIN = 3


def sentence_starts(doc: Doc, words: Sequence[int]) -> list[int]:
    """Get the words that start a sentence.

    doc (Doc): The document.
    words (Sequence[int]): The indices of the tokens that are words, in order.
    RETURNS (List[int]): Indices into `words`. If a sentence starts with a token that is not a word,
        this is the next word.
    """
    tokens = np.flatnonzero(doc.to_array("SENT_START") == 1)
    if not tokens.any():  # no sentence starts are set, or only the first token is one
        return []
    starts = np.searchsorted(words, tokens)
    return starts[starts < len(words)].tolist()


def write_entities(
    doc: Doc,
    entities: list[LabelledSpan],
    *,
    spans_key: str | None = None,
    overwrite: bool = False,
) -> None:
    """Write entities to `doc.ents` and their scores to `ent._.score`.

    doc (Doc): The document; changed in place.
    entities (List[LabelledSpan]): The predicted entities, in tokens. They do not overlap.
    spans_key (Optional[str]): A group in `doc.spans` to which all of them are written too, with
        their scores in `.attrs["scores"]` (List[float]).
    overwrite (bool): Whether a predicted entity replaces the entities and blocked tokens of the
        document that it overlaps. If not, they stay, and the entity is not written to `doc.ents`.
    """
    spans = [Span(doc, span.start, span.end, label=span.label) for span in entities]
    scores = [span.score for span in entities]
    ents = list(zip(spans, scores, strict=True))
    if spans_key is not None:
        group = SpanGroup(doc, name=spans_key, spans=spans, attrs={"scores": scores})
        doc.spans[spans_key] = group
    iob, types = doc.to_array(["ENT_IOB", "ENT_TYPE"]).reshape(-1, 2).T
    earlier: list[Span] = []
    blocked: list[Span] = []
    if (iob == IOB_BEGIN).any():
        earlier = list(doc.ents)
        blocked_tokens = np.flatnonzero((iob == IOB_BEGIN) & (types == 0)).tolist()
        blocked = [Span(doc, at, at + 1) for at in blocked_tokens]
        if overwrite:
            taken = _tokens(spans)
            for ent in earlier:
                if not _free(ent, taken):
                    for token in ent:
                        token.ent_id = token.ent_kb_id = 0
            earlier = [ent for ent in earlier if _free(ent, taken)]
            blocked = [span for span in blocked if _free(span, taken)]
        else:
            taken = _tokens([*earlier, *blocked])
            ents = [(span, score) for span, score in ents if _free(span, taken)]
    doc.set_ents([*earlier, *(span for span, _ in ents)], blocked=blocked)
    if register_score():
        for span, score in ents:
            span._.set(SCORE, score)


def _tokens(spans: list[Span]) -> set[int]:
    return {at for span in spans for at in range(span.start, span.end)}


def _free(span: Span, taken: set[int]) -> bool:
    return taken.isdisjoint(range(span.start, span.end))
