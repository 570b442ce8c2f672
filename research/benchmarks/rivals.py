"""Components for comparison with the runtime. Importing this file registers them."""

from typing import Any

from spacy.language import Language
from spacy.tokens import Doc


@Language.component("benchmark_nothing", assigns=["doc.ents"])
def nothing(doc: Doc) -> Doc:
    """Set no entities, to measure the time of spaCy itself."""
    return doc


@Language.factory("benchmark_hf_pipeline", assigns=["doc.ents"], default_config={"model": ""})
class HuggingFacePipeline:
    """`transformers.pipeline("token-classification")` as a spaCy component.

    model (str): A Hugging Face folder.
    """

    def __init__(self, nlp: Language, name: str, model: str) -> None:
        from transformers import pipeline

        self.find: Any = pipeline(
            "token-classification", model=model, aggregation_strategy="simple", device="cpu"
        )

    def __call__(self, doc: Doc) -> Doc:
        """Find the entities of one text."""
        return self._write(doc, self.find(doc.text) if doc.text.strip() else [])

    def pipe(self, stream: Any, *, batch_size: int = 64) -> Any:
        """Find the entities of many texts."""
        from spacy.util import minibatch

        for docs in minibatch(stream, batch_size):
            found = self.find([doc.text or " " for doc in docs], batch_size=batch_size)
            yield from map(self._write, docs, found)

    @staticmethod
    def _write(doc: Doc, found: list[dict[str, Any]]) -> Doc:
        spans = (
            doc.char_span(one["start"], one["end"], one["entity_group"], alignment_mode="expand")
            for one in found
        )
        from spacy.util import filter_spans

        doc.set_ents(filter_spans([span for span in spans if span is not None]))
        return doc
