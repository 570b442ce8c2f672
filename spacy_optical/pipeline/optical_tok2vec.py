"""`optical_tok2vec`: the word vectors of a bundle's encoder, for other components, without torch.

`ner`, `tagger`, `textcat`, `spancat` and other components can be trained on it with
`spacy.Tok2VecListener.v1`. The encoder is frozen.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language
from spacy.pipeline.tok2vec import Tok2Vec, Tok2VecListener
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Model, Optimizer

from ..errors import Errors, OpticalError
from ..runtime.bundle import BundleInfo
from ..runtime.shared import CPU
from ..runtime.word_tokens import words_to_read
from .bundle_pipe import BundlePipe

Vectors = list[NDArray[np.float32]]


@Language.factory(
    "optical_tok2vec", assigns=["doc.tensor"], default_config={"providers": list(CPU)}
)
class OpticalTok2Vec(BundlePipe, Tok2Vec):
    """Writes the vectors of tokens to `doc.tensor`, and passes them to listeners in training.

    They are the output of the encoder's last layer for words, float32 [tokens, width]. The vectors
    of whitespace tokens are zeros. Long texts are divided into overlapping windows.

    nlp (Language): The pipeline.
    name (str): The component's name in the pipeline.
    model (Optional[str]): The name of a model of the package, or a bundle's folder. It
        is loaded at first use, unless `from_disk` or `from_bytes` has loaded a bundle.
    threads (int): The number of threads that run the model.
    max_batch_pieces (int): The maximum number of subword pieces in one batch, padding included.
    overlap (int): The number of pieces that two consecutive windows of a long text share.
    providers (Sequence[str]): ONNX Runtime's execution providers, in order of preference.
    RAISES (OpticalError): If a setting is out of range, there is no bundle, or it has no word
        vectors. When spaCy loads a pipeline, the bundle in the pipeline is checked instead.
    """

    def __init__(
        self,
        nlp: Language,
        name: str = "optical_tok2vec",
        model: str | None = None,
        threads: int = 1,
        max_batch_pieces: int = 1024,
        overlap: int = 32,
        providers: Sequence[str] = CPU,
    ) -> None:
        attributes = {"replace_listener": _refuse_replacing}
        super().__init__(nlp.vocab, Model("optical_tok2vec", _no_forward, attrs=attributes), name)
        self._configure(model, threads, max_batch_pieces, overlap, providers)
        self._check_path()

    @property
    def width(self) -> int:
        """The width of the vectors, for the `width` of listeners."""
        return self.runtime.bundle.info.vectors

    def predict(self, docs: Iterable[Doc]) -> Vectors:
        """Compute vectors without changing the documents.

        docs (Iterable[Doc]): The documents.
        RETURNS (List[ndarray]): For each document float32 [tokens, width], on the device of spaCy.
        """
        docs = list(docs)
        words = [words_to_read(doc) for doc in docs]
        found = self.runtime.vectors([texts for _, texts in words])
        for number, (doc, (tokens, _)) in enumerate(zip(docs, words, strict=True)):
            if len(tokens) < len(doc):
                vectors = np.zeros((len(doc), found[number].shape[1]), dtype=np.float32)
                vectors[tokens] = found[number]
                found[number] = vectors
        device: Any = self.model.ops
        return [device.asarray2f(vectors) for vectors in found]

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optimizer | None = None,
        losses: dict[str, float] | None = None,
    ) -> dict[str, float]:
        """Pass the vectors of a batch to the listeners. The component is not trained.

        examples (Iterable[Example]): The batch.
        drop, sgd: Not used.
        losses (Optional[Dict[str, float]]): Losses by component. The loss of this one is 0.
        RETURNS (Dict[str, float]): The same losses.
        """
        docs = [example.predicted for example in examples]
        vectors = self.predict(docs)
        batch = Tok2VecListener.get_batch_id(docs)
        for listener in self.listeners:
            listener.receive(batch, vectors, _no_gradient)
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        return losses

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
    ) -> None:
        """Check that the listeners have the width of the vectors.

        get_examples (Callable[[], Iterable[Example]]): Not used.
        nlp (Optional[Language]): The pipeline.
        RAISES (OpticalError): If a listener has another width, or the bundle cannot be loaded.
        """
        for component, listeners in self.listener_map.items():
            for listener in listeners:
                found = listener.get_dim("nO")
                if found != self.width:
                    message = Errors.E121.format(
                        component=component, found=found, name=self.name, width=self.width
                    )
                    raise OpticalError(message)

    def _check(self, info: BundleInfo, where: str | Path) -> None:
        """Raise an error if a bundle has no word vectors."""
        if not info.vectors:
            raise OpticalError(Errors.E120.format(path=where))


def _no_gradient(gradients: Any) -> list[Any]:
    return []


def _no_forward(model: Model, docs: Any, is_train: bool) -> Any:
    """The Thinc model that spaCy expects. It is not used."""
    raise NotImplementedError


def _refuse_replacing(model: Model) -> Model:
    raise OpticalError(Errors.E122)


make_optical_tok2vec = OpticalTok2Vec  # the name in the entry points of installations
