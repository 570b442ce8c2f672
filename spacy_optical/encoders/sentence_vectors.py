"""Sentence vectors from an encoder's table of pieces. No layer is run, so they cost little."""

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
    r"""Gives each sentence the mean of its pieces' vectors, in which frequent pieces weigh less.

    $$ v_s = \frac{\sum_{p \in s} w_p e_p}{\sum_{p \in s} w_p}, \qquad w_p = \frac{a}{a + f_p} $$

    where $f_p$ is the share of the sentences that have the piece (Arora, Liang and Ma 2017) and
    $a$ is 0.1. Of the table, only the rows that are needed are read.

    folder (Union[str, Path]): An encoder, in Hugging Face's layout.
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
        RETURNS (ndarray): [n, d], float16; zeros for a sentence without pieces.
        """
        sentences: list[NDArray[np.int32]] = []
        for at in range(0, len(texts), 1000):
            batch = self._tokenizer.encode_batch(
                list(texts[at : at + 1000]), add_special_tokens=False
            )
            sentences += [np.array(one.ids, np.int32) for one in batch]
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
    """Map the vectors of the pieces into memory."""
    with path.open("rb") as file:
        head = int.from_bytes(file.read(8), "little")
        tensors = json.loads(file.read(head))
    name = next((name for name in tensors if name.endswith(_TABLE)), None)
    if name is None or tensors[name]["dtype"] not in _TYPES:
        reason = f"it has no {_TABLE} in {' or '.join(_TYPES)}"
        raise OpticalError(Errors.E703.format(path=path, reason=reason))
    start = 8 + head + tensors[name]["data_offsets"][0]
    kind = _TYPES[tensors[name]["dtype"]]
    return np.memmap(path, kind, "r", start, tuple(tensors[name]["shape"]))
