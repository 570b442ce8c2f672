"""Writing found entities to a document, beside or over those that it has."""

import numpy as np
from spacy.tokens import Doc, Span, SpanGroup

from ..runtime.decode import LabelledSpan

# spaCy's code for the first token of an entity; with no type it marks a token as blocked.
IOB_BEGIN = 3


def write_entities(
    doc: Doc, found: list[LabelledSpan], *, spans_key: str, overwrite: bool = False
) -> None:
    """Set `doc.ents` and the scored `doc.spans[spans_key]`.

    doc (Doc): The document; changed in place.
    found (List[LabelledSpan]): Entities in tokens; they do not overlap.
    spans_key (str): The group that gets all of them, with scores in `.attrs["scores"]` (NDArray
        [float32], one a span).
    overwrite (bool): Whether a found entity replaces the entities and blocked tokens of the
        document that it overlaps. If not, those stay as they are, and it is in the group only.
    """
    ents = [Span(doc, span.start, span.end, label=span.label) for span in found]
    scores = np.asarray([span.score for span in found], dtype=np.float32)
    doc.spans[spans_key] = SpanGroup(doc, name=spans_key, spans=ents, attrs={"scores": scores})
    iob, types = doc.to_array(["ENT_IOB", "ENT_TYPE"]).reshape(-1, 2).T
    if not (iob == IOB_BEGIN).any():
        doc.set_ents(ents)
        return
    earlier = list(doc.ents)
    blocked_tokens = np.flatnonzero((iob == IOB_BEGIN) & (types == 0)).tolist()
    blocked = [Span(doc, at, at + 1) for at in blocked_tokens]
    if overwrite:
        taken = _tokens(ents)
        for ent in earlier:
            if not _free(ent, taken):
                for token in ent:
                    token.ent_id = token.ent_kb_id = 0
        earlier = [ent for ent in earlier if _free(ent, taken)]
        blocked = [span for span in blocked if _free(span, taken)]
    else:
        taken = _tokens([*earlier, *blocked])
        ents = [ent for ent in ents if _free(ent, taken)]
    doc.set_ents([*earlier, *ents], blocked=blocked)


def _tokens(spans: list[Span]) -> set[int]:
    return {at for span in spans for at in range(span.start, span.end)}


def _free(span: Span, taken: set[int]) -> bool:
    return taken.isdisjoint(range(span.start, span.end))
