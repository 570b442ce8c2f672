"""Students that pool pieces to words, in the model of spacy-transformers.

The encoder of such a student needs to know which piece belongs to which token. `_forward` is the
`forward` of spacy-transformers, with the alignment as an additional input of the encoder.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc, Span
from spacy_transformers.align import get_alignment_via_offset_mapping, get_token_positions
from spacy_transformers.data_classes import FullTransformerBatch, WordpieceBatch
from spacy_transformers.layers.transformer_model import (
    TransformerModel,
    _convert_transformer_inputs,
    forward,
    huggingface_tokenize,
)
from spacy_transformers.truncate import truncate_oversize_splits
from thinc.api import xp2torch
from thinc.types import ArgsKwargs, Ragged

from ..encoders.folder import pool_after
from ..encoders.word_pooling import PooledEncoder
from ..runtime.word_tokens import is_word


class PoolingTransformer(TransformerModel):
    """The model of spacy-transformers, with an encoder that may pool pieces to words."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._func = _forward
        (encoder,) = self.layers
        encoder.attrs["convert_inputs"] = _inputs
        shim: Any = encoder.shims[0]
        shim.model_cls = PooledEncoder

    def copy(self) -> Any:
        """Copy the model."""
        copied: Any = super().copy()
        copied._func = self._func
        return copied


def _words_of_pieces(
    spans: Sequence[Span], offsets: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Get the token of each piece, by its last character, and which tokens have a piece."""
    # The offsets [spans, pieces, 2] of special and padding pieces are 0. Such pieces get `count`.
    count = max(map(len, spans))
    word_of_piece = np.full(offsets.shape[:2], count, dtype=np.int64)
    has_piece = np.zeros((len(spans), count), dtype=bool)
    for row, span in enumerate(spans):
        of_character = np.full(len(span.text) + 1, -1, dtype=np.int64)
        for number, token in enumerate(span):
            start = token.idx - span[0].idx
            if is_word(token.text):
                of_character[start : start + len(token)] = number
        following = count  # a piece that is only white space belongs to the token after it
        for piece in reversed(range(1, offsets.shape[1])):
            start, end = offsets[row, piece]
            if end > start:
                number = int(of_character[end - 1])
                following = following if number < 0 else number
                word_of_piece[row, piece] = following
        words = word_of_piece[row]
        has_piece[row, words[words < count]] = True
    return word_of_piece, has_piece


def _own_pieces(spans: Sequence[Span], align: Ragged, word_of_piece: NDArray[np.int64]) -> Ragged:
    """Align each token with the pieces of its own word, if there are any."""
    # In spacy-transformers, a piece that begins with a space also belongs to the token before it.
    position = get_token_positions(list(spans))
    owner = np.full(word_of_piece.shape, -1, dtype=np.int64)
    for row, span in enumerate(spans):
        of_number = [position[token] for token in span]
        inside = word_of_piece[row] < len(span)
        owner[row, inside] = np.array(of_number, dtype=np.int64)[word_of_piece[row, inside]]
    kept, lengths, end = [], [], 0
    for token, length in enumerate(align.lengths):
        pieces = align.data[end : end + length].ravel()
        end += int(length)
        own = pieces[owner.ravel()[pieces] == token]
        kept.append(own if len(own) else pieces)
        lengths.append(len(kept[-1]))
    flat: Any = np.concatenate(kept).astype("i")  # for thinc's array types
    counts: Any = np.array(lengths, dtype="i")
    return Ragged(flat, counts)


def _forward(
    model: TransformerModel, docs: list[Doc], is_train: bool
) -> tuple[FullTransformerBatch, Callable]:
    if pool_after(model.transformer.config) is None:
        return forward(model, docs, is_train)
    nested = model.attrs["get_spans"](docs)
    spans = [span for part in nested for span in part]
    encoded = huggingface_tokenize(model.tokenizer, [span.text for span in spans])
    offsets = encoded["offset_mapping"]
    pieces, align = truncate_oversize_splits(
        WordpieceBatch.from_batch_encoding(encoded),
        get_alignment_via_offset_mapping(spans, offsets),
        model.tokenizer.model_max_length,
    )
    words = _words_of_pieces(spans, offsets[:, : pieces.input_ids.shape[1]])
    align = _own_pieces(spans, align, words[0])
    (encoder,) = model.layers
    output, finish = encoder((pieces, *words), is_train)
    batch = FullTransformerBatch(spans=nested, wordpieces=pieces, model_output=output, align=align)

    def backprop(d_output: FullTransformerBatch) -> list[Doc]:
        finish(d_output.model_output)
        return docs

    return batch, backprop


def _inputs(model: Any, batch: Any, is_train: bool) -> tuple[ArgsKwargs, Callable]:
    """Convert the pieces to torch, and if the encoder pools, the alignment with words too."""
    if isinstance(batch, WordpieceBatch):
        return _convert_transformer_inputs(model, batch, is_train)
    pieces, word_of_piece, words = batch
    arrays = {
        "input_ids": pieces.input_ids,
        "attention_mask": pieces.attention_mask,
        "word_of_piece": word_of_piece,
        "words": words,
    }
    device = model.shims[0]._hfmodel.transformer.device
    tensors = {name: xp2torch(array, device=device) for name, array in arrays.items()}
    return ArgsKwargs(args=(), kwargs=tensors), lambda dX: []
