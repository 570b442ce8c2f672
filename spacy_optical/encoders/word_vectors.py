"""Word vectors from a middle layer of an encoder."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..compat import require
from ..errors import Errors, OpticalError
from ..runtime.batching import Row, pack, read_windows
from ..runtime.pieces import WordPieces
from .folder import TOKENIZER, check_encoder, most_pieces, pool_after

Vectors = NDArray[np.float32]
DEFAULT_LAYERS = (7,)
OVERLAP = 64


class WordEncoder:
    """Encodes words in context as the mean of their pieces' vectors in one or several layers.

    folder (Path): A local Hugging Face folder of an encoder.
    layer (Union[int, Iterable[int]]): The hidden layer; 0 is the embedding. Several layers are
        averaged. Layers above are not computed.
    max_batch_pieces (int): The maximum number of pieces in a batch, padding included.
    device (str): The device of the encoder, e.g. "cuda".
    threads (Optional[int]): The number of torch's threads in this process. By default, it is not
        changed.
    RAISES (OpticalError): If the folder is incomplete or there is no such layer.
    """

    def __init__(
        self,
        folder: str | Path,
        layer: int | Iterable[int] = DEFAULT_LAYERS,
        *,
        max_batch_pieces: int = 4096,
        device: str = "cpu",
        threads: int | None = None,
    ) -> None:
        folder = Path(folder)
        check_encoder(folder)
        self.layers = (layer,) if isinstance(layer, int) else tuple(layer)
        self.pieces = WordPieces((folder / TOKENIZER).read_bytes())
        self.max_batch_pieces = max_batch_pieces
        transformers = require("transformers")
        transformers.logging.set_verbosity_error()
        self._torch = require("torch")
        if threads is not None:
            self._torch.set_num_threads(threads)
        model = transformers.AutoModel.from_pretrained(
            folder, local_files_only=True, attn_implementation="sdpa"
        )
        self._model = model.to(device).eval()
        config = self._model.config
        # Layers above `pool_after` were trained on words.
        on_pieces = pool_after(config)
        depth = config.num_hidden_layers if on_pieces is None else on_pieces
        for number in self.layers:
            if not 0 <= number <= depth:
                raise OpticalError(Errors.E406.format(layer=number, layers=depth + 1))
        self.max_pieces = most_pieces(self._model)
        blocks = self._model.encoder.layer
        self._model.encoder.layer = blocks[: max(1, *self.layers)]

    def vectors(
        self, sentences: Sequence[Sequence[str]], cut: Sequence[Row] | None = None
    ) -> list[Vectors]:
        """Encode sentences in batches of similar length.

        sentences (Sequence[Sequence[str]]): The words of each sentence. Sentences that are longer
            than the encoder's input are split into overlapping windows.
        cut (Optional[Sequence[Sequence[Tuple[int, ...]]]]): The pieces of the words from the
            encoder's tokenizer, if they are known.
        RETURNS (List[ndarray]): An array [words, d], float32, for each sentence. Up to rounding, it
            does not depend on the other sentences.
        """
        return read_windows(
            [self.pieces.pieces(words) for words in sentences] if cut is None else cut,
            self._encode,
            self._model.config.hidden_size,
            max_pieces=self.max_pieces,
            special=self.pieces.frame,
            overlap=OVERLAP,
            max_batch_pieces=self.max_batch_pieces,
        )

    def _encode(self, rows: list[Row], length: int) -> Iterator[Vectors]:
        torch = self._torch
        packed = pack(rows, self.pieces, length)
        with torch.inference_mode():
            hidden = self._model(
                input_ids=torch.from_numpy(packed.input_ids).to(self._model.device),
                attention_mask=torch.from_numpy(packed.attention_mask).to(self._model.device),
                output_hidden_states=True,
            ).hidden_states
            mixed = (sum(hidden[layer] for layer in self.layers) / len(self.layers)).cpu().numpy()
        for row, firsts, vectors in zip(rows, packed.first_pieces, mixed, strict=True):
            counts = np.array([len(pieces) for pieces in row])
            end = firsts[0] + counts.sum()
            sums = np.add.reduceat(vectors[:end], firsts[: len(row)], axis=0)
            yield (sums / counts[:, None]).astype(np.float32)
