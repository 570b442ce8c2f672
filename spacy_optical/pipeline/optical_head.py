"""`optical_head`: the teacher's linear layer on top of a `transformer` component.

With the `transformer` of spacy-transformers, it runs the teacher as a spaCy pipeline with torch, to
compare it with `optical_ner`.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import srsly
from spacy import util
from spacy.language import Language
from spacy.pipeline.pipe import Pipe
from spacy.tokens import Doc

from ..runtime.decode import LabelledSpan, bio_tags, decode
from ..runtime.unigram import SPACE
from ..runtime.word_tokens import word_tokens
from .entities import sentence_starts, write_entities


@Language.factory(
    "optical_head",
    requires=["doc._.trf_data"],
    assigns=["doc.ents", "token.ent_iob", "token.ent_type", "span._.score"],
    default_config={"scorer": {"@scorers": "spacy.ner_scorer.v1"}},
    default_score_weights={"ents_f": 1.0, "ents_p": 0.0, "ents_r": 0.0, "ents_per_type": None},
)
class OpticalHead(Pipe):
    """Finds named entities with the transformer's vector of each word's first piece.

    nlp (Language): The pipeline.
    name (str): The component's name in the pipeline.
    scorer (Optional[Callable]): The scoring method.
    """

    def __init__(self, nlp: Language, name: str = "optical_head", scorer: Any = None) -> None:
        self.name = name
        self.scorer = scorer
        self._labels: tuple[str, ...] = ()
        self.weight = np.zeros((0, 0), dtype=np.float32)
        self.bias = np.zeros(0, dtype=np.float32)

    @property
    def labels(self) -> tuple[str, ...]:
        """The entity labels."""
        return self._labels

    def set_weights(self, labels: Iterable[str], weight: np.ndarray, bias: np.ndarray) -> None:
        """Set the weights of the layer.

        labels (Iterable[str]): The entity labels, sorted.
        weight (ndarray): [tags, width], tags in the order of `bio_tags`.
        bias (ndarray): [tags].
        """
        self._labels = tuple(labels)
        self.weight = np.asarray(weight, dtype=np.float32)
        self.bias = np.asarray(bias, dtype=np.float32)

    def __call__(self, doc: Doc) -> Doc:
        """Find the entities of one document.

        doc (Doc): The document, with `doc._.trf_data`; changed in place.
        RETURNS (Doc): The same document.
        """
        words = [token.i for token in word_tokens(doc)]
        data = doc._.trf_data
        entities: list[LabelledSpan] = []
        if words and len(data.align.data):
            hidden = data.model_output.last_hidden_state.reshape(-1, self.weight.shape[1])
            starts = np.cumsum(data.align.lengths) - data.align.lengths
            # A token without pieces has the position of the next token's pieces.
            starts = np.minimum(starts, len(data.align.data) - 1)
            firsts = data.align.data[starts[words]].ravel()
            # spacy-transformers aligns a piece that is only a space with the token before it. In
            # training, such a piece is the first piece of the word after it.
            strings = np.array([piece for row in data.wordpieces.strings for piece in row])
            firsts = np.where(strings[firsts - 1] == SPACE, firsts - 1, firsts)
            scores = np.asarray(hidden[firsts]) @ self.weight.T + self.bias
            tags = bio_tags(self._labels)
            entities = [
                replace(span, start=words[span.start], end=words[span.end - 1] + 1)
                for span in decode(scores, tags, sent_starts=sentence_starts(doc, words))
            ]
        write_entities(doc, entities)
        return doc

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Serialize labels and weights to a byte string."""
        return srsly.msgpack_dumps(self._state())

    def from_bytes(self, data: bytes, *, exclude: Iterable[str] = ()) -> "OpticalHead":
        """Load labels and weights from a byte string."""
        self.set_weights(**srsly.msgpack_loads(data))
        return self

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Save labels and weights to a folder."""
        util.ensure_path(path).mkdir(parents=True, exist_ok=True)
        srsly.write_msgpack(Path(path) / "head.msgpack", self._state())

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> "OpticalHead":
        """Load labels and weights from a folder."""
        self.set_weights(**srsly.read_msgpack(Path(path) / "head.msgpack"))
        return self

    def _state(self) -> dict[str, Any]:
        return {"labels": list(self._labels), "weight": self.weight, "bias": self.bias}


make_optical_head = OpticalHead  # the name in the entry points of installations
