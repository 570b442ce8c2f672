"""English sentences that occur in several pairs. The teacher labels each of them once.

Some bitext has the same English sentences in every language. They are read before the languages, in
order of occurrence. The outputs are on disk until the plans are complete.
"""

import json
from array import array
from collections.abc import Callable, Iterator
from hashlib import blake2b
from itertools import count
from pathlib import Path

import numpy as np

from ..data.bitext import read_bitext
from ..data.layout import CorpusFolder
from ..data.word_tokenizer import tokenizer_for
from ..files import write_json
from .config import DistillConfig
from .plan_store import ArrayStore, chunk_path, write_chunk
from .plan_writer import CHUNK, Known, Readers, tokenized
from .tagger import WordOutput

REPEATED = "repeated"
TEXTS = f"{REPEATED}-texts.json"


def read_repeated_sources(folder: Path) -> Known:
    """Open the outputs that `write_repeated_sources` wrote, without `last`, by sentence."""
    texts = json.loads((folder / TEXTS).read_text(encoding="utf8"))
    numbers = {text: number for number, text in enumerate(texts)}
    store = ArrayStore(folder, REPEATED) if texts else []
    return lambda text: WordOutput(**store[numbers[text]]) if text in numbers else None


def write_repeated_sources(folder: Path, readers: Readers, say: Callable[[str], None]) -> None:
    """Read the English sentences that are in several pairs, or continue an earlier run.

    folder (Path): The folder of the outputs.
    readers (Readers): The teacher and the encoder.
    say (Callable[[str], None]): Receives a line for each chunk.
    RAISES (OpticalError): If a bitext is invalid.
    """
    if (folder / TEXTS).is_file():
        return
    config, pieces = readers.config, readers.pieces
    source, most = config.data.source, config.training.max_pieces - 2
    tokenizer = tokenizer_for(source)
    with tokenizer.memory_zone():  # without it, spaCy keeps every word in memory
        texts = [t for t in _repeated(config) if 0 < len(tokenized(t, source, pieces)) <= most]
    number = next(n for n in count() if not chunk_path(folder, REPEATED, n).is_file())
    for start in range(number * CHUNK, len(texts), CHUNK):
        part = texts[start : start + CHUNK]
        with tokenizer.memory_zone():
            outputs = readers.read([tokenized(t, source, pieces) for t in part])
        # In float32: rounding would change the plans.
        arrays = [{**output._asdict(), "last": output.last[:0]} for output in outputs]
        write_chunk(chunk_path(folder, REPEATED, start // CHUNK), arrays)
        done = start + len(part)
        say(f"{done} of {len(texts)} {source} sentences read that are in several pairs")
    write_json(folder / TEXTS, texts)


def _repeated(config: DistillConfig) -> list[str]:
    # By hash, which needs 8 bytes a pair.
    hashes = np.array(array("Q", map(_hash, _sources(config))), dtype=np.uint64)
    numbers, counts = np.unique(hashes, return_counts=True)
    repeated = set(numbers[counts > 1].tolist())
    return list(dict.fromkeys(text for text in _sources(config) if _hash(text) in repeated))


def _sources(config: DistillConfig) -> Iterator[str]:
    corpus, source = CorpusFolder(config.paths.corpus), config.data.source
    for language in config.data.languages:
        pairs = read_bitext(corpus.bitext(language), source_lang=source, target_lang=language)
        yield from (pair.source for pair in pairs)


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf8"), digest_size=8).digest(), "little")
