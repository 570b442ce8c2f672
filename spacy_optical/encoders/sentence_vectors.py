"""Sentence vectors from the word embeddings of an encoder. No layer is run."""

import json
from collections import Counter
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import Errors, OpticalError
from .folder import TOKENIZER, WEIGHTS, check_encoder

COMMON = 0.1
_TABLE = "word_embeddings.weight"
_TYPES = {"F32": np.float32, "F16": np.float16}


class SentenceEncoder:
    r"""Encodes sentences as weighted means of their pieces' embeddings.

    $$ v_s = \frac{\sum_{p \in s} w_p e_p}{\sum_{p \in s} w_p}, \qquad w_p = \frac{a}{a + f_p} $$

    where $f_p$ is the share of the sentences that have the piece and $a$ is 0.1 (Arora, Liang and
    Ma 2017).

    folder (Union[str, Path]): A Hugging Face folder of an encoder.
    RAISES (OpticalError): If the folder is incomplete or damaged.
    """

    def __init__(self, folder: str | Path) -> None:
        from tokenizers import Tokenizer

        folder = Path(folder)
        check_encoder(folder)
        self._table = _table(folder / WEIGHTS)
        self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float16]:
        """Encode sentences.

        texts (Sequence[str]): The sentences, all in one language.
        RETURNS (ndarray): The vectors, [n, d], float16; zeros for a sentence without pieces.
        """
        sentences: list[NDArray[np.int32]] = []
        for at in range(0, len(texts), 1000):
            part = list(texts[at : at + 1000])
            encoded = self._tokenizer.encode_batch(part, add_special_tokens=False)
            sentences += [np.array(one.ids, np.int32) for one in encoded]
        counts = Counter(chain.from_iterable(set(ids.tolist()) for ids in sentences))
        used = np.array(sorted(counts), np.int64)
        share = np.array([counts[piece] for piece in used.tolist()], np.float32) / len(texts)
        weights = COMMON / (COMMON + share)
        rows = self._table[used].astype(np.float32) * weights[:, None]
        found = np.zeros((len(texts), self._table.shape[1]), np.float16)
        for vector, ids in zip(found, sentences, strict=True):
            if len(ids):
                places = np.searchsorted(used, ids)
                vector[:] = rows[places].sum(axis=0) / weights[places].sum()
        return found


def _table(path: Path) -> NDArray[np.generic]:
    """Open the word embeddings as a memory map."""
    with path.open("rb") as file:
        head = int.from_bytes(file.read(8), "little")
        tensors = json.loads(file.read(head))
    table = next((tensors[name] for name in tensors if name.endswith(_TABLE)), None)
    if table is None or table["dtype"] not in _TYPES:
        reason = f"it has no {_TABLE} in {' or '.join(_TYPES)}"
        raise OpticalError(Errors.E703.format(path=path, reason=reason))
    start = 8 + head + table["data_offsets"][0]
    return np.memmap(path, _TYPES[table["dtype"]], "r", start, tuple(table["shape"]))
