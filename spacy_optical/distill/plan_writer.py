"""One language's bitext read by the teacher, aligned and written, a chunk at a time.

After each chunk a journal beside the arrays says how far they go. Whoever finds the journal after
a kill cuts the arrays back to it and reads on from there, to the same bytes that an undisturbed
run writes: what is read together depends on the line alone.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
from spacy.tokens import Doc

from ..align.cost import pair_weight
from ..align.transport import align_words
from ..data.bitext import read_bitext
from ..data.layout import CorpusFolder
from ..data.word_tokenizer import tokenizer_for
from ..encoders.word_vectors import WordEncoder
from ..errors import Errors, OpticalError
from ..files import write_json
from ..projection.distributions import project_to_target, source_distributions
from ..runtime.pieces import WordPieces
from ..runtime.word_tokens import word_tokens
from .config import DistillConfig
from .plan_store import CELL, RaggedWriter, sparse, words_as_bytes
from .sentences import Sentence, plain_sentence
from .tagger import WordTagger
from .teacher_outputs import read_sentences

CHUNK = 1000  # pairs read together: enough to batch by length, and a few hundred megabytes
JOURNAL = "journal.json"


@dataclass(frozen=True)
class Pair:
    """A sentence and its translation, as words and the teacher's pieces."""

    source: Sentence
    target: Sentence


@dataclass(frozen=True)
class Readers:
    """What reads the bitext.

    tagger (WordTagger): The teacher.
    pieces (WordPieces): Its tokenizer.
    encoder (WordEncoder): The encoder whose vectors are aligned.
    gold (Dict): Gold tags of English sentences, by their words.
    one_tokenizer (bool): Whether the encoder has the teacher's tokenizer.
    """

    tagger: WordTagger
    pieces: WordPieces
    encoder: WordEncoder
    gold: dict[tuple[str, ...], tuple[int, ...] | None]
    one_tokenizer: bool


@dataclass
class Journal:
    """How far a language's arrays go.

    read (int): Pairs of the bitext that were read.
    pairs (int): Those of them that are in the arrays.
    unlike (int): Those left out because their sides are too unlike.
    moved (float): The mass that the pairs' plans move, added up.
    weight (float): How much the pairs count, added up.
    seconds (float): Time spent.
    rows (Dict[str, int]): Rows by array.
    whole (bool): Whether the bitext was read to its end.
    """

    read: int = 0
    pairs: int = 0
    unlike: int = 0
    moved: float = 0.0
    weight: float = 0.0
    seconds: float = 0.0
    rows: dict[str, int] = field(default_factory=dict)
    whole: bool = False


def read_pairs(
    config: DistillConfig, language: str, pieces: WordPieces, *, start: int = 0
) -> Iterator[Pair | None]:
    """Read a language's bitext as words and pieces, one pair at a time.

    config (DistillConfig): The config.
    language (str): The target language.
    pieces (WordPieces): The teacher's tokenizer.
    start (int): How many pairs to pass over.
    YIELDS (Optional[Pair]): The pairs; None for one that does not fit the window.
    RAISES (OpticalError): If there is no bitext or a line of it is broken.
    """
    path = CorpusFolder(config.paths.corpus).bitext(language)
    if not path.is_file():
        raise OpticalError(Errors.E409.format(lang=language, path=path))
    most = config.training.max_pieces - 2
    source = config.data.source
    for row in islice(read_bitext(path, source_lang=source, target_lang=language), start, None):
        pair = Pair(_sentence(row.source, source, pieces), _sentence(row.target, language, pieces))
        fits = 0 < len(pair.source) <= most and 0 < len(pair.target) <= most
        yield pair if fits else None


def write_language_plans(
    config: DistillConfig,
    language: str,
    folder: Path,
    readers: Readers,
    say: Callable[[str], None] = lambda text: None,
) -> Journal:
    """Write the arrays of a language, from where an earlier run left off.

    config (DistillConfig): The config.
    language (str): The language.
    folder (Path): Where the arrays and the journal are.
    readers (Readers): The models that read the bitext.
    say (Callable[[str], None]): Receives a line for each chunk.
    RETURNS (Journal): Counts and time.
    RAISES (OpticalError): If the bitext is missing, broken or without a pair that fits, the
        journal or an array is damaged, or as `align_words`.
    """
    path = folder / f"{language}-{JOURNAL}"
    journal = _read_journal(path)
    if journal.whole:
        return journal
    if journal.read:
        say(f"{language}: continuing after {journal.read} pairs")
    writers = {
        name: RaggedWriter(
            folder / f"{language}-{name}",
            *kind,
            items=journal.pairs,
            rows=journal.rows.get(name, 0),
        )
        for name, kind in _arrays(readers.tagger).items()
    }
    pairs = read_pairs(config, language, readers.pieces, start=journal.read)
    source, target = tokenizer_for(config.data.source), tokenizer_for(language)
    try:
        while not journal.whole:
            start = time.perf_counter()
            # Without a memory zone, spaCy keeps every word that it has seen.
            with source.memory_zone(), target.memory_zone():
                chunk = list(islice(pairs, CHUNK))
            kept = [pair for pair in chunk if pair is not None]
            if kept:
                arrays, moved = _read_chunk(config, readers, kept)
                for name, items in arrays.items():
                    writers[name].append(items)
                journal.pairs += len(moved)
                journal.unlike += len(kept) - len(moved)
                journal.moved += sum(moved)
                journal.weight += float(np.sum(arrays["weight"]))
            for writer in writers.values():
                writer.flush()
            journal.read += len(chunk)
            journal.rows = {name: writer.rows for name, writer in writers.items()}
            journal.whole = len(chunk) < CHUNK
            if journal.whole and not journal.pairs:
                raise OpticalError(
                    _nothing_left(CorpusFolder(config.paths.corpus).bitext(language), journal)
                )
            journal.seconds += time.perf_counter() - start
            write_json(path, asdict(journal))
            if not journal.whole:
                say(f"{language}: {journal.read} pairs read")
    finally:
        for writer in writers.values():
            writer.close()
    return journal


def _arrays(tagger: WordTagger) -> dict[str, tuple[np.dtype, tuple[int, ...]]]:
    """Name the arrays of a language with what their rows are."""
    half, byte = np.dtype(np.float16), np.dtype(np.uint8)
    tags, width = len(tagger.tags), tagger.model.config.hidden_size
    return {
        "source-words": (byte, ()),
        "target-words": (byte, ()),
        "logits": (half, (tags,)),
        "last": (half, (width,)),
        "source": (half, (width,)),
        "plan": (CELL, ()),
        "carried": (half, (tags,)),
        "trust": (half, ()),
        "weight": (half, ()),
    }


def _nothing_left(path: Path, journal: Journal) -> str:
    if not journal.read:
        return Errors.E206.format(path=path)
    long = journal.read - journal.unlike
    return Errors.E417.format(path=path, read=journal.read, long=long, unlike=journal.unlike)


def _read_journal(path: Path) -> Journal:
    if not path.is_file():
        return Journal()
    try:
        return Journal(**json.loads(path.read_text(encoding="utf8")))
    except (ValueError, TypeError) as err:
        raise OpticalError(Errors.E205.format(path=path, reason=err)) from err


def _sentence(text: str, language: str, pieces: WordPieces) -> Sentence:
    doc: Doc = tokenizer_for(language)(text)
    return plain_sentence((token.text for token in word_tokens(doc)), pieces)


def _vectors(readers: Readers, sentences: Sequence[Sentence]) -> list[np.ndarray]:
    cut = [sentence.pieces for sentence in sentences] if readers.one_tokenizer else None
    return readers.encoder.vectors([sentence.words for sentence in sentences], cut)


def _read_chunk(
    config: DistillConfig, readers: Readers, pairs: Sequence[Pair]
) -> tuple[dict[str, list[np.ndarray]], list[float]]:
    """Give the arrays of the pairs that are parallel at all, and the mass that each plan moves."""
    tagger, middle = readers.tagger, config.student.middle[1]
    sources = read_sentences(tagger, [p.source for p in pairs], readers.pieces, layer=middle)
    targets = read_sentences(tagger, [p.target for p in pairs], readers.pieces)
    source_vectors = _vectors(readers, [p.source for p in pairs])
    target_vectors = _vectors(readers, [p.target for p in pairs])
    arrays: dict[str, list[np.ndarray]] = {name: [] for name in _arrays(tagger)}
    moved, tags = [], tagger.tags
    for i, pair in enumerate(pairs):
        words = pair.source.words
        plan = align_words(
            source_vectors[i], target_vectors[i], words, pair.target.words, config.plans.align
        )
        weight = pair_weight(plan.similarity, config.plans.align)
        if not weight:
            continue
        probs = source_distributions(sources[i].logits, readers.gold.get(words), config.plans.gold)
        carried, trust = project_to_target(
            plan, probs, words, tags, config.plans.align, config.plans.projection
        )
        arrays["source-words"].append(words_as_bytes(words))
        arrays["target-words"].append(words_as_bytes(pair.target.words))
        arrays["logits"].append(targets[i].logits)
        arrays["last"].append(targets[i].last)
        arrays["source"].append(sources[i].middle)
        arrays["plan"].append(sparse(plan.matrix))
        arrays["carried"].append(carried)
        arrays["trust"].append(trust)
        arrays["weight"].append(np.array([weight], dtype=np.float16))
        moved.append(plan.moved)
    return arrays, moved
