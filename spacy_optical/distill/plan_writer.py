"""One language's bitext read by the teacher, aligned and written, a chunk at a time.

After each chunk a journal beside the arrays says how far they go. Whoever finds the journal after
a kill cuts the arrays back to it and reads on from there, to the same bytes that an undisturbed
run writes: what is read together depends on the line alone.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from types import MappingProxyType

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
from .teacher_outputs import WordOutput, read_sentences

CHUNK = 1000  # pairs read together: enough to batch by length, and a few hundred megabytes
JOURNAL = "journal.json"


@dataclass(frozen=True)
class Pair:
    """A sentence and its translation, as words and the teacher's pieces.

    source is None where `target` has no translation; text is the source's own text.
    """

    source: Sentence | None
    target: Sentence
    text: str


@dataclass(frozen=True)
class Readers:
    """What reads the bitext.

    tagger (WordTagger): The teacher.
    pieces (WordPieces): Its tokenizer.
    encoder (Optional[WordEncoder]): The encoder whose vectors are aligned, if not the teacher.
    gold (Dict): Gold tags of English sentences, by their words.
    one_tokenizer (bool): Whether the encoder has the teacher's tokenizer.
    """

    tagger: WordTagger
    pieces: WordPieces
    encoder: WordEncoder | None
    gold: dict[tuple[str, ...], tuple[int, ...] | None]
    one_tokenizer: bool


@dataclass
class Journal:
    """How far a language's arrays go.

    read (int): Pairs of the bitext that were read.
    pairs (int): Those of them that are in the arrays.
    texts (int): Those of these that train without a translation.
    unlike (int): Those left out because their sides are too unlike.
    moved (float): The mass that the pairs' plans move, added up.
    weight (float): How much the pairs count, added up.
    seconds (float): Time spent.
    rows (Dict[str, int]): Rows by array.
    whole (bool): Whether the bitext was read to its end.
    """

    read: int = 0
    pairs: int = 0
    texts: int = 0
    unlike: int = 0
    moved: float = 0.0
    weight: float = 0.0
    seconds: float = 0.0
    rows: dict[str, int] = field(default_factory=dict)
    whole: bool = False

    @property
    def aligned(self) -> int:
        """Pairs in the arrays that have a plan; at least 1, so that it divides."""
        return max(1, self.pairs - self.texts)


def read_pairs(
    config: DistillConfig, language: str, pieces: WordPieces, *, start: int = 0
) -> Iterator[Pair | None]:
    """Read a language's bitext, then its text, as words and pieces, one pair at a time.

    config (DistillConfig): The config.
    language (str): The target language.
    pieces (WordPieces): The teacher's tokenizer.
    start (int): How many pairs to pass over.
    YIELDS (Optional[Pair]): The pairs; None for one that does not fit the window.
    RAISES (OpticalError): If there is no bitext or a line of it is broken.
    """
    path, *texts = CorpusFolder(config.paths.corpus).target_files(language)
    if not path.is_file():
        raise OpticalError(Errors.E409.format(lang=language, path=path))
    most = config.training.max_pieces - 2
    source = config.data.source
    bitext = read_bitext(path, source_lang=source, target_lang=language)
    alone = (
        replace(row, source="")
        for path in texts
        for row in read_bitext(path, source_lang=language, target_lang=language)
    )
    for row in islice(chain(bitext, alone), start, None):
        left = cut_sentence(row.source, source, pieces) if row.source else None
        right = cut_sentence(row.target, language, pieces)
        fits = all(0 < len(side) <= most for side in (left, right) if side is not None)
        yield Pair(left, right, row.source) if fits else None


def write_language_plans(
    config: DistillConfig,
    language: str,
    folder: Path,
    readers: Readers,
    say: Callable[[str], None] = lambda text: None,
    repeated: Mapping[str, WordOutput] = MappingProxyType({}),
) -> Journal:
    """Write the arrays of a language, from where an earlier run left off.

    config (DistillConfig): The config.
    language (str): The language.
    folder (Path): Where the arrays and the journal are.
    readers (Readers): The models that read the bitext.
    say (Callable[[str], None]): Receives a line for each chunk.
    repeated (Mapping[str, WordOutput]): What the models made of some source sentences already.
    RETURNS (Journal): Counts and time.
    RAISES (OpticalError): If the bitext is missing, broken or without a pair that fits, the
        journal or an array is damaged, or as `align_words`.
    """
    path = folder / f"{language}-{JOURNAL}"
    journal = read_journal(path)
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
                arrays, moved = _read_chunk(config, readers, kept, repeated)
                for name, items in arrays.items():
                    writers[name].append(items)
                journal.pairs += len(moved)
                journal.texts += sum(not weight for (weight,) in arrays["weight"])
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


def read_journal(path: Path) -> Journal:
    """Read a journal; without one, nothing is written yet."""
    if not path.is_file():
        return Journal()
    try:
        return Journal(**json.loads(path.read_text(encoding="utf8")))
    except (ValueError, TypeError) as err:
        raise OpticalError(Errors.E205.format(path=path, reason=err)) from err


def cut_sentence(text: str, language: str, pieces: WordPieces) -> Sentence:
    """Cut a text to words by its language's tokenizer, and these to pieces."""
    doc: Doc = tokenizer_for(language)(text)
    return plain_sentence((token.text for token in word_tokens(doc)), pieces)


def read_aligned(
    config: DistillConfig, readers: Readers, sentences: Sequence[Sentence]
) -> list[WordOutput]:
    """Let the teacher read sentences, and the encoder too where its vectors are aligned.

    config (DistillConfig): Names the layers.
    readers (Readers): The models.
    sentences (Sequence[Sentence]): The sentences.
    RETURNS (List[WordOutput]): One for each sentence, with the vectors that are aligned.
    """
    layer, encoder = config.student.middle[1], readers.encoder
    aligned = config.plans.layer if encoder is None else None
    outputs = read_sentences(
        readers.tagger, sentences, readers.pieces, layer=layer, aligned=aligned
    )
    if encoder is None or not outputs:
        return outputs
    cut = [sentence.pieces for sentence in sentences] if readers.one_tokenizer else None
    vectors = encoder.vectors([sentence.words for sentence in sentences], cut)
    return [replace(one, aligned=found) for one, found in zip(outputs, vectors, strict=True)]


def _read_chunk(
    config: DistillConfig,
    readers: Readers,
    pairs: Sequence[Pair],
    repeated: Mapping[str, WordOutput],
) -> tuple[dict[str, list[np.ndarray]], list[float]]:
    """Give the arrays of the pairs that train, and the mass that each plan moves."""
    tags, align = readers.tagger.tags, config.plans.align
    new = [pair.source for pair in pairs if pair.source and pair.text not in repeated]
    sources = iter(read_aligned(config, readers, new))
    targets = read_aligned(config, readers, [pair.target for pair in pairs])
    kinds = _arrays(readers.tagger)
    arrays: dict[str, list[np.ndarray]] = {name: [] for name in kinds}
    moved = []
    for pair, target in zip(pairs, targets, strict=True):
        # What a sentence without a translation has.
        row = {name: np.zeros((0, *shape), dtype) for name, (dtype, shape) in kinds.items()}
        row["carried"] = np.zeros_like(target.logits)
        row["trust"] = np.zeros(len(target.logits))
        row["weight"] = np.zeros(1)
        mass = 0.0
        if pair.source is not None:
            source = repeated[pair.text] if pair.text in repeated else next(sources)
            words = pair.source.words
            plan = align_words(source.aligned, target.aligned, words, pair.target.words, align)
            weight = pair_weight(plan.similarity, align)
            if not weight and not config.plans.keep_unlike:
                continue
            if weight:
                gold = readers.gold.get(words)
                probs = source_distributions(source.logits, gold, config.plans.gold)
                row["carried"], row["trust"] = project_to_target(
                    plan, probs, words, tags, align, config.plans.projection
                )
                row["source-words"] = words_as_bytes(words)
                row["source"] = source.middle
                row["plan"] = sparse(plan.matrix)
                row["weight"] = np.array([weight], dtype=np.float16)
                mass = plan.moved
        row["target-words"] = words_as_bytes(pair.target.words)
        row["logits"], row["last"] = target.logits, target.last
        for name, array in row.items():
            arrays[name].append(array)
        moved.append(mass)
    return arrays, moved
