"""Run the model of a bundle with ONNX Runtime.

The inputs of the graph are `batching.Packed`. The outputs are `logits`, float32
[batch, words, tags], with the tags in the order of `bio_tags`, and if the manifest has a width of
vectors, `vectors`, float32 [batch, words, width].
"""

import os
from collections.abc import Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..compat import require_onnxruntime
from ..errors import Errors, OpticalError
from .batching import pack, read_windows
from .bundle import INPUTS, OUTPUT, VECTORS, Bundle
from .decode import bio_tags
from .pieces import WordPieces
from .recent_scores import RecentScores
from .shared import CPU, ort_failures, pieces_of, recent_scores_of, session_of

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


def check_settings(
    threads: int, max_batch_pieces: int, overlap: int, providers: Sequence[str]
) -> None:
    """Check the settings of a `Runtime`.

    RAISES (OpticalError): If a number is too small or not whole, or there is no provider or one
        that is not available.
    """
    for name, value, least in (
        ("threads", threads, 1),
        ("max_batch_pieces", max_batch_pieces, 1),
        ("overlap", overlap, 0),
    ):
        if not isinstance(value, Integral) or value < least:
            expected = f"a whole number of at least {least}"
            raise OpticalError(Errors.E114.format(name=name, value=repr(value), expected=expected))
    if tuple(providers) == CPU:
        return
    available = require_onnxruntime().get_available_providers()
    for name in providers or ["[]"]:
        if name not in available:
            raise OpticalError(Errors.E119.format(name=name, available=", ".join(available)))


class Runtime:
    """Runs the model of a bundle.

    The session is built at first use, once in each process for all instances with this model. It
    is not pickled. Threads may share an instance.

    bundle (Bundle): Model, tokenizer and manifest.
    threads (int): The number of threads that run the model.
    max_batch_pieces (int): The maximum number of pieces in one batch, padding included. Limits
        memory. Only a batch of one window may be larger.
    overlap (int): The number of pieces that two consecutive windows of a long text share.
    providers (Sequence[str]): ONNX Runtime's execution providers, in order of preference.
    RAISES (OpticalError): If a setting is out of range, see `check_settings`.
    """

    def __init__(
        self,
        bundle: Bundle,
        *,
        threads: int = 1,
        max_batch_pieces: int = 1024,
        overlap: int = 32,
        providers: Sequence[str] = CPU,
    ) -> None:
        check_settings(threads, max_batch_pieces, overlap, providers)
        self.bundle = bundle
        self.tags = bio_tags(bundle.info.labels)  # in the order of the columns of the scores
        self.threads = threads
        self.max_batch_pieces = max_batch_pieces
        self.overlap = overlap
        self.providers = tuple(providers)
        # Not `cached_property`, whose lock (before Python 3.12) would stay locked in a fork.
        self._rows_alone: bool | None = None
        self._pieces: WordPieces | None = None
        self._session: tuple[int, InferenceSession] | None = None
        self._recent: tuple[int, RecentScores] | None = None

    @property
    def rows_alone(self) -> bool:
        """Whether each window is a batch of its own, so that scores do not depend on the batch.

        Dynamic quantisation scales activations by the largest one in the batch.
        """
        if self._rows_alone is None:  # part of the operator's name
            self._rows_alone = b"DynamicQuantize" in self.bundle.model
        return self._rows_alone

    @property
    def words_to_pieces(self) -> WordPieces:
        """The bundle's tokenizer."""
        if self._pieces is None:
            self._pieces = pieces_of(self.bundle)
        return self._pieces

    @property
    def session(self) -> "InferenceSession":
        """The ONNX Runtime session of this process.

        RAISES (OpticalError): If the model cannot be loaded or has other inputs or outputs.
        """
        held, process = self._session, os.getpid()
        if held is None or held[0] != process:
            held = self._session = process, session_of(self.bundle, self.threads, self.providers)
        return held[1]

    def scores(self, texts: Sequence[Sequence[str]]) -> list[NDArray[np.float32]]:
        """Compute the scores of the words of texts of any length.

        texts (Sequence[Sequence[str]]): The words of each text.
        RETURNS (List[NDArray[float32]]): For each text its logits, [words, tags].
        RAISES (OpticalError): If the model cannot be run, or its output is not finite.
        """
        if not self.bundle.info.vectors:
            return self._read(texts, {OUTPUT: len(self.tags)})
        # Another component may have computed them together with vectors.
        held = [self.recent.get(words) for words in texts]
        left = [words for words, scores in zip(texts, held, strict=True) if scores is None]
        fresh = iter(self._read(left, {OUTPUT: len(self.tags)}))
        return [next(fresh) if scores is None else scores for scores in held]

    def vectors(self, texts: Sequence[Sequence[str]]) -> list[NDArray[np.float32]]:
        """Compute the encoder's vectors of the words of texts of any length.

        texts (Sequence[Sequence[str]]): The words of each text.
        RETURNS (List[NDArray[float32]]): For each text [words, width].
        RAISES (OpticalError): If the bundle has no vectors, or as for `scores`.
        """
        width, tags = self.bundle.info.vectors, len(self.tags)
        if not width:
            raise OpticalError(Errors.E120.format(path=self.bundle.where))
        if not self.recent.wanted:
            return self._read(texts, {VECTORS: width})
        both = self._read(texts, {OUTPUT: tags, VECTORS: width})
        self.recent.keep(texts, [array[:, :tags].copy() for array in both])
        return [array[:, tags:] for array in both]

    @property
    def recent(self) -> RecentScores:
        """The recent scores that the runtimes of the model in this process share."""
        held, process = self._recent, os.getpid()
        if held is None or held[0] != process:
            held = self._recent = process, recent_scores_of(self.bundle, self.overlap)
        return held[1]

    def _read(
        self, texts: Sequence[Sequence[str]], outputs: dict[str, int]
    ) -> list[NDArray[np.float32]]:
        """Compute outputs of the graph, given by name and width, and concatenate them."""
        tokenizer = self.words_to_pieces
        return read_windows(
            [tokenizer.pieces(words) for words in texts],
            lambda rows, length: self._run(outputs, *pack(rows, tokenizer, length)),
            sum(outputs.values()),
            max_pieces=self.bundle.info.max_pieces,
            special=tokenizer.frame,
            overlap=self.overlap,
            max_batch_pieces=self.max_batch_pieces,
            alone=self.rows_alone,
        )

    def _run(self, outputs: dict[str, int], *inputs: NDArray[np.int64]) -> NDArray[np.float32]:
        where = self.bundle.where
        with ort_failures(self.bundle, Errors.E112):
            found = self.session.run([*outputs], dict(zip(INPUTS, inputs, strict=True)))
        for (name, width), array in zip(outputs.items(), found, strict=True):
            expected = (*inputs[2].shape, width)
            if array.shape != expected or array.dtype != np.float32:
                reason = f"{name} of {array.dtype} {array.shape} instead of float32 {expected}"
                raise OpticalError(Errors.E110.format(path=where, reason=reason))
            if not np.isfinite(array).all():
                raise OpticalError(Errors.E111.format(path=where))
        return found[0] if len(found) == 1 else np.concatenate(found, axis=-1)

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        state.update(_pieces=None, _session=None, _recent=None)
        return state
