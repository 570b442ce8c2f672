"""English sentences that are in several pairs, read once.

Some bitext has the same English sentences in every language. They are read before the languages, in
the order in which they occur: what is read together depends on the data alone. What was read is on
disk beside the arrays until all of them are whole.
"""

import json
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path

import numpy as np

from ..data.bitext import read_bitext
from ..data.layout import CorpusFolder
from ..data.word_tokenizer import tokenizer_for
from ..files import write_json
from .config import DistillConfig
from .plan_store import RaggedWriter, read_ragged
from .plan_writer import CHUNK, JOURNAL, Readers, cut_sentence, read_aligned, read_journal
from .teacher_outputs import WordOutput

REPEATED = "repeated"
ARRAYS = ("logits", "middle", "aligned")


class RepeatedSources(Mapping[str, WordOutput]):
    """What `write_repeated_sources` wrote: outputs by sentence, without `last`.

    folder (Path): Its folder.
    """

    def __init__(self, folder: Path) -> None:
        texts = json.loads((folder / f"{REPEATED}-texts.json").read_text(encoding="utf8"))
        self._numbers = {text: number for number, text in enumerate(texts)}
        names = ARRAYS if texts else ()
        self._arrays = {name: read_ragged(folder / f"{REPEATED}-{name}") for name in names}

    def __getitem__(self, text: str) -> WordOutput:
        number = self._numbers[text]
        arrays = {name: ragged[number] for name, ragged in self._arrays.items()}
        return WordOutput(last=arrays["middle"][:0], **arrays)

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)


def write_repeated_sources(
    config: DistillConfig, folder: Path, readers: Readers, say: Callable[[str], None]
) -> None:
    """Read the English sentences that are in several pairs, from where an earlier run left off.

    config (DistillConfig): The config.
    folder (Path): Where the outputs are written.
    readers (Readers): The models that read the bitext.
    say (Callable[[str], None]): Receives a line for each chunk.
    RAISES (OpticalError): If a bitext is broken, or the journal or an array is damaged.
    """
    whole, path = folder / f"{REPEATED}-texts.json", folder / f"{REPEATED}-{JOURNAL}"
    if whole.is_file():
        return
    source, most = config.data.source, config.training.max_pieces - 2
    tokenizer, pieces = tokenizer_for(source), readers.pieces
    with tokenizer.memory_zone():  # without it, spaCy keeps every word that it has seen
        texts = [t for t in _repeated(config) if 0 < len(cut_sentence(t, source, pieces)) <= most]
    journal = read_journal(path)
    width = readers.tagger.model.config.hidden_size
    shapes = dict.fromkeys(ARRAYS, (width,)) | {"logits": (len(readers.tagger.tags),)}
    # In full precision: rounded scores and vectors would align otherwise.
    writers = {
        name: RaggedWriter(
            folder / f"{REPEATED}-{name}",
            np.float32,
            shape,
            items=journal.read,
            rows=journal.rows.get(name, 0),
        )
        for name, shape in shapes.items()
    }
    try:
        for start in range(journal.read, len(texts), CHUNK):
            with tokenizer.memory_zone():
                part = [cut_sentence(t, source, pieces) for t in texts[start : start + CHUNK]]
            outputs = read_aligned(config, readers, part)
            for name, writer in writers.items():
                writer.append(getattr(output, name) for output in outputs)
                writer.flush()
                journal.rows[name] = writer.rows
            journal.read += len(part)
            write_json(path, asdict(journal))
            say(f"{journal.read} of {len(texts)} {source} sentences read that are in several pairs")
    finally:
        for writer in writers.values():
            writer.close()
    write_json(whole, texts)


def _repeated(config: DistillConfig) -> list[str]:
    """Give the sentences in their order; memory is that of these, and 8 bytes a pair."""
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
