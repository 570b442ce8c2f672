"""Word vectors out of the middle of an encoder."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..compat import require
from ..encoders.fetch import TOKENIZER, check_encoder
from ..encoders.word_pooling import pool_after
from ..errors import Errors, OpticalError
from ..runtime.batching import Window, batches, pack, padded_length, windows
from ..runtime.pieces import WordPieces
from .tagger import position_offset

Vectors = NDArray[np.float32]
DEFAULT_LAYERS = (7,)
OVERLAP = 64


class WordEncoder:
    """Turns words in context into vectors: the mean of a word's pieces, at one or several layers.

    folder (Path): The encoder, in Hugging Face's layout. Nothing is downloaded.
    layer (Union[int, Iterable[int]]): The hidden layer, 0 being the embedding; of several the mean
        is taken. Layers above are not computed.
    max_batch_pieces (int): The most pieces encoded at once, padding included.
    RAISES (OpticalError): If the folder is not whole or has no such layer.
    """

    def __init__(
        self,
        folder: str | Path,
        layer: int | Iterable[int] = DEFAULT_LAYERS,
        *,
        max_batch_pieces: int = 4096,
    ) -> None:
        folder = Path(folder)
        check_encoder(folder)
        self.layers = (layer,) if isinstance(layer, int) else tuple(layer)
        self.pieces = WordPieces((folder / TOKENIZER).read_bytes())
        self.max_batch_pieces = max_batch_pieces
        transformers = require("transformers")
        transformers.logging.set_verbosity_error()
        self._torch = require("torch")
        self._model = transformers.AutoModel.from_pretrained(
            folder, local_files_only=True, attn_implementation="sdpa"
        ).eval()
        # Layers above `pool_after` are trained to read words, not pieces.
        config = self._model.config
        depth = pool_after(config) or config.num_hidden_layers
        for number in self.layers:
            if not 0 <= number <= depth:
                raise OpticalError(Errors.E406.format(layer=number, layers=depth + 1))
        positions = self._model.config.max_position_embeddings
        self.max_pieces = positions - position_offset(self._model)
        blocks = self._model.encoder.layer
        self._model.encoder.layer = blocks[: max(1, *self.layers)]

    def vectors(self, sentences: Sequence[Sequence[str]]) -> list[Vectors]:
        """Encode sentences, those of like length together.

        sentences (Sequence[Sequence[str]]): The words of each sentence; longer than the encoder
            takes, a sentence is read in overlapping windows.
        RETURNS (List[ndarray]): For each sentence an array [words, d], float32, in their order;
            the same whatever the others are, up to rounding.
        """
        frame = len(self.pieces.prefix) + len(self.pieces.suffix)
        rows: list[tuple[int, Window, list[tuple[int, ...]]]] = []
        lengths: list[int] = []
        for index, words in enumerate(sentences):
            cut = self.pieces.pieces(words)
            for window in windows([len(p) for p in cut], self.max_pieces - frame, OVERLAP):
                part = cut[window.start : window.end]
                rows.append((index, window, part))
                lengths.append(padded_length(sum(map(len, part)) + frame, self.max_pieces))
        width = self._model.config.hidden_size
        out = [np.zeros((len(words), width), dtype=np.float32) for words in sentences]
        for batch in batches(lengths, self.max_batch_pieces):
            cuts = [rows[row][2] for row in batch]
            for row, found in zip(batch, self._encode(cuts, lengths[batch[0]]), strict=True):
                index, window, _ = rows[row]
                kept = slice(window.keep_start - window.start, window.keep_end - window.start)
                out[index][window.keep_start : window.keep_end] = found[kept]
        return out

    def _encode(self, rows: list[list[tuple[int, ...]]], length: int) -> Iterator[Vectors]:
        torch = self._torch
        packed = pack(
            rows,
            prefix=self.pieces.prefix,
            suffix=self.pieces.suffix,
            pad_id=self.pieces.pad_id,
            length=length,
        )
        with torch.inference_mode():
            hidden = self._model(
                input_ids=torch.from_numpy(packed.input_ids),
                attention_mask=torch.from_numpy(packed.attention_mask),
                output_hidden_states=True,
            ).hidden_states
            mixed = sum(hidden[layer] for layer in self.layers) / len(self.layers)
        start = len(self.pieces.prefix)
        for row, vectors in zip(rows, mixed.numpy(), strict=True):
            counts = np.array([len(pieces) for pieces in row])
            total = len(list(chain.from_iterable(row)))
            firsts = np.cumsum(counts) - counts
            sums = np.add.reduceat(vectors[start : start + total], firsts, axis=0)
            yield (sums / counts[:, None]).astype(np.float32)
