"""`optical_tok2vec`: the word vectors of a bundle's encoder, for other components, without torch.

`ner`, `tagger`, `textcat`, `spancat` and the rest train on it through `spacy.Tok2VecListener.v1`.
The encoder is frozen: their gradients end here.
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
from ..runtime.word_tokens import word_tokens, words_to_read
from .bundle_pipe import BundlePipe

Vectors = list[NDArray[np.float32]]


@Language.factory(
    "optical_tok2vec", assigns=["doc.tensor"], default_config={"providers": list(CPU)}
)
class OpticalTok2Vec(BundlePipe, Tok2Vec):
    """Writes the vector of each token to `doc.tensor`, and gives it to listeners in training.

    The vectors are those that the encoder's last layer gives for words, float32 [tokens, width].
    A whitespace token, which the encoder does not see, has zeros. Texts of any length are read in
    overlapping windows.

    nlp (Language): The pipeline.
    name (str): The component's name in it.
    model (Optional[Union[str, Path]]): The name of a model of the package, or a bundle's folder. It
        is read at first use, unless `from_disk` or `from_bytes` has read a bundle.
    threads (int): The number of threads that run the model.
    max_batch_pieces (int): The maximum number of subword pieces in one batch, padding included.
    overlap (int): The number of pieces that two consecutive windows of a long text share.
    providers (Sequence[str]): ONNX Runtime's execution providers, in order of preference.
    RAISES (OpticalError): If a setting is out of range, there is no bundle, or it has no word
        vectors. When spaCy loads a pipeline, the bundle that the pipeline holds is checked instead.
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
        """The width of the vectors, which listeners need as their `width`."""
        return self.runtime.bundle.info.vectors

    def predict(self, docs: Iterable[Doc]) -> Vectors:
        """Compute vectors without changing the documents.

        docs (Iterable[Doc]): The documents.
        RETURNS (List[ndarray]): For each document float32 [tokens, width].
        """
        docs = list(docs)
        words = [word_tokens(doc) for doc in docs]
        read = self.runtime.vectors([words_to_read(row) for row in words])
        found = []
        for doc, row, vectors in zip(docs, words, read, strict=True):
            every = vectors
            if len(row) < len(doc):
                every = np.zeros((len(doc), vectors.shape[1]), dtype=np.float32)
                every[[token.i for token in row]] = vectors
            found.append(every)
        return found

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optimizer | None = None,
        losses: dict[str, float] | None = None,
    ) -> dict[str, float]:
        """Give the listeners the vectors of a batch. Nothing is learned here.

        examples (Iterable[Example]): The batch.
        drop, sgd: Not used.
        losses (Optional[Dict[str, float]]): Losses by component; this one's is 0.
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
        """Check that listeners have the width of the vectors.

        get_examples (Callable[[], Iterable[Example]]): Not used.
        nlp (Optional[Language]): The pipeline.
        RAISES (OpticalError): If one has another width, or the bundle cannot be read.
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
        """Refuse a bundle without word vectors."""
        if not info.vectors:
            raise OpticalError(Errors.E120.format(path=where))


def _no_gradient(gradients: Any) -> list[Any]:
    """End a listener's backward pass."""
    return []


def _no_forward(model: Model, docs: Any, is_train: bool) -> Any:
    """Stand where spaCy expects a model of thinc's; the component runs ONNX Runtime instead."""
    raise NotImplementedError


def _refuse_replacing(model: Model) -> Model:
    """Refuse to copy the encoder into a component that listens to it."""
    raise OpticalError(Errors.E122)


make_optical_tok2vec = OpticalTok2Vec  # the name in the entry points of installations
