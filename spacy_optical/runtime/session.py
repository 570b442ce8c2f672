"""ONNX Runtime behind one small interface: lists of words in, arrays of word scores out.

The graph contract. Inputs: `input_ids` and `attention_mask`, int64 [batch, pieces], and
`first_pieces`, int64 [batch, words], the position of each word's first piece in its row (0 is
padding). Output: `logits`, float32 [batch, words, tags], tags as `bio_tags` lists them; and
`vectors`, float32 [batch, words, width], where the manifest says so.
"""

import os
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import Errors, OpticalError
from .batching import Row, pack, read_windows
from .bundle import INPUTS, OUTPUT, VECTORS, Bundle
from .decode import bio_tags
from .pieces import WordPieces
from .recent_scores import RecentScores
from .shared import (
    CPU,
    check_providers,
    failure,
    ort_errors,
    pieces_of,
    recent_scores_of,
    session_of,
)

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


def check_settings(
    *, threads: int, max_batch_pieces: int, overlap: int, providers: Sequence[str]
) -> None:
    """Check the settings of a `Runtime`.

    threads (int): At least 1.
    max_batch_pieces (int): At least 1.
    overlap (int): At least 0.
    providers (Sequence[str]): Names that the installed ONNX Runtime knows.
    RAISES (OpticalError): If one is out of range.
    """
    for name, value, least in (
        ("threads", threads, 1),
        ("max_batch_pieces", max_batch_pieces, 1),
        ("overlap", overlap, 0),
    ):
        if value < least:
            expected = f"at least {least}"
            raise OpticalError(Errors.E114.format(name=name, value=value, expected=expected))
    check_providers(providers)


class Runtime:
    """Runs a bundle's model, on a CPU if not told otherwise.

    The session is built at first use, once in each process for all instances with this model, and
    is left out of pickles. Instances may be shared by threads.

    bundle (Bundle): Model, tokenizer and manifest.
    threads (int): Threads of one run, the caller's included.
    max_batch_pieces (int): The most pieces of one run, padding included. Bounds memory: only a
        single window may pass it.
    overlap (int): Pieces that neighbouring windows of a long text share.
    providers (Sequence[str]): ONNX Runtime's execution providers, in order of preference.
    RAISES (OpticalError): If a number is out of range, or ONNX Runtime lacks a provider.
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
        check_settings(
            threads=threads,
            max_batch_pieces=max_batch_pieces,
            overlap=overlap,
            providers=providers,
        )
        self.bundle = bundle
        self.threads = threads
        self.max_batch_pieces = max_batch_pieces
        self.overlap = overlap
        self.providers = tuple(providers)
        self._session: tuple[int, InferenceSession] | None = None
        self._recent: tuple[int, RecentScores] | None = None

    @cached_property
    def tags(self) -> list[str]:
        """The tags that the columns of the scores stand for."""
        return bio_tags(self.bundle.info.labels)

    @cached_property
    def rows_alone(self) -> bool:
        """Whether windows must be run one by one for scores that do not depend on neighbours.

        Dynamic quantisation scales activations by the largest of the whole batch.
        """
        return b"DynamicQuantize" in self.bundle.model  # an operator's name is spelt out

    @cached_property
    def words_to_pieces(self) -> WordPieces:
        """The bundle's tokenizer."""
        return pieces_of(self.bundle)

    @property
    def session(self) -> "InferenceSession":
        """The ONNX Runtime session of this process.

        RAISES (OpticalError): If the model cannot be read or breaks the graph contract.
        """
        held, process = self._session, os.getpid()
        if held is None or held[0] != process:
            held = self._session = process, session_of(self.bundle, self.threads, self.providers)
        return held[1]

    def scores(self, texts: Sequence[Sequence[str]]) -> list[NDArray[np.float32]]:
        """Score the words of texts of any length.

        texts (Sequence[Sequence[str]]): The words of each text.
        RETURNS (List[NDArray[float32]]): For each text its logits, [words, tags].
        RAISES (OpticalError): If the model cannot be run or gives anything but finite numbers.
        """
        if not self.bundle.info.vectors:
            return self._read(texts, {OUTPUT: len(self.tags)})
        # Another component may have run the model on these texts for their vectors.
        held = [self.recent.get(words) for words in texts]
        left = [words for words, scores in zip(texts, held, strict=True) if scores is None]
        fresh = iter(self._read(left, {OUTPUT: len(self.tags)}))
        return [next(fresh) if scores is None else scores for scores in held]

    def vectors(self, texts: Sequence[Sequence[str]]) -> list[NDArray[np.float32]]:
        """Give the encoder's vectors of the words of texts of any length.

        texts (Sequence[Sequence[str]]): The words of each text.
        RETURNS (List[NDArray[float32]]): For each text [words, width].
        RAISES (OpticalError): If the bundle has no vectors, or as `scores`.
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
        """The scores that this process's runtimes of the model share."""
        held, process = self._recent, os.getpid()
        if held is None or held[0] != process:
            held = self._recent = process, recent_scores_of(self.bundle, self.overlap)
        return held[1]

    def _read(
        self, texts: Sequence[Sequence[str]], outputs: dict[str, int]
    ) -> list[NDArray[np.float32]]:
        """Give some outputs of the graph, by name and width, side by side for each word."""
        cutter = self.words_to_pieces

        def read(rows: list[Row], length: int) -> NDArray[np.float32]:
            return self._run(outputs, *pack(rows, cutter, length))

        return read_windows(
            [cutter.pieces(words) for words in texts],
            read,
            sum(outputs.values()),
            max_pieces=self.bundle.info.max_pieces,
            special=cutter.frame,
            overlap=self.overlap,
            max_batch_pieces=self.max_batch_pieces,
            # Padding makes rows alike; a row that runs alone has none to be like.
            alone=self.rows_alone,
        )

    def _run(self, outputs: dict[str, int], *inputs: NDArray[np.int64]) -> NDArray[np.float32]:
        where = self.bundle.where
        try:
            found = self.session.run([*outputs], dict(zip(INPUTS, inputs, strict=True)))
        except ort_errors() as err:
            raise failure(err, Errors.E112, self.bundle) from err
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
        state.update(_session=None, _recent=None)
        state.pop("words_to_pieces", None)
        return state
