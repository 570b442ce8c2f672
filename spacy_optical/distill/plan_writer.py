"""One language's bitext, read by the teacher, aligned and written a chunk at a time.

After each chunk a journal beside the chunks says how many pairs were read. A run that was killed is
continued behind them, to the same bytes: what is read together depends on the line alone.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain, islice
from pathlib import Path

import numpy as np
from spacy.tokens import Doc

from ..align.cost import pair_weight
from ..align.transport import align_words
from ..data.bitext import read_bitext
from ..data.layout import CorpusFolder
from ..data.word_tokenizer import tokenizer_for
from ..encoders.folder import TOKENIZER
from ..encoders.word_vectors import WordEncoder
from ..errors import Errors, OpticalError
from ..files import sha256, write_json
from ..projection.distributions import project_to_target, source_distributions
from ..runtime.pieces import WordPieces
from ..runtime.word_tokens import word_tokens
from .config import DistillConfig
from .distributed import world
from .plan_reader import english_sentences
from .plan_store import Arrays, bytes_of, chunk_path, sparse, write_chunk
from .sentences import Sentence, plain_sentence
from .tagger import load_tagger
from .teacher_outputs import WordOutput, read_sentences

CHUNK = 1000  # pairs read together: enough to batch by length, and a few hundred megabytes
JOURNAL = "journal.json"
Known = Callable[[str], WordOutput | None]


@dataclass(frozen=True)
class Pair:
    """A sentence and its translation, in the teacher's pieces, and the sentence's text.

    source is None where `target` has no translation.
    """

    source: Sentence | None
    target: Sentence
    text: str


class Readers:
    """What reads the bitext: the teacher, and the encoder whose vectors are aligned, if another.

    config (DistillConfig): The config.
    teacher (Path): The teacher's folder.
    RAISES (OpticalError): If the student's layers or window do not fit the teacher, or as
        `english_sentences`.
    """

    def __init__(self, config: DistillConfig, teacher: Path) -> None:
        self.config, self.tagger = config, load_tagger(teacher).to(world().device)
        self.tagger.set_precision(config.training.precision)
        depth, kept = self.tagger.model.config.num_hidden_layers, max(config.student.layers)
        if kept >= depth:
            raise OpticalError(Errors.E406.format(layer=kept, layers=depth))
        most, positions = config.training.max_pieces, self.tagger.max_pieces
        if most > positions:
            raise OpticalError(Errors.E413.format(most=most, positions=positions))
        self.pieces = WordPieces((teacher / TOKENIZER).read_bytes())
        self.encoder: WordEncoder | None = None
        if config.plans.vectors == "encoder":
            device = str(world().device)
            self.encoder = WordEncoder(config.paths.encoder, config.plans.layer, device=device)
        elif config.plans.layer > depth:
            raise OpticalError(Errors.E406.format(layer=config.plans.layer, layers=depth + 1))
        self.english = english_sentences(config, self.pieces, self.tagger.tags)
        self.gold = {sentence.words: sentence.certain_tags for sentence in self.english}
        tokenizers = [sha256(folder / TOKENIZER) for folder in (teacher, config.paths.encoder)]
        self.one_tokenizer = tokenizers[0] == tokenizers[1]

    def read(self, sentences: Sequence[Sentence]) -> list[WordOutput]:
        """Let the teacher read sentences, and the encoder too where its vectors are aligned."""
        layer, encoder = self.config.student.middle[1], self.encoder
        aligned = self.config.plans.layer if encoder is None else None
        outputs = read_sentences(self.tagger, sentences, self.pieces, layer=layer, aligned=aligned)
        if encoder is None or not outputs:
            return outputs
        cut = [sentence.pieces for sentence in sentences] if self.one_tokenizer else None
        vectors = encoder.vectors([sentence.words for sentence in sentences], cut)
        return [replace(one, aligned=own) for one, own in zip(outputs, vectors, strict=True)]


@dataclass
class Journal:
    """How far a language was read.

    read counts pairs of the bitext; pairs those that were written, in so many files; texts those of
    them that train without a translation; unlike those left out because their sides are too unlike.
    moved is the mass that the plans move and weight how much the pairs count, both added up.
    """

    read: int = 0
    pairs: int = 0
    files: int = 0
    texts: int = 0
    unlike: int = 0
    moved: float = 0.0
    weight: float = 0.0
    seconds: float = 0.0
    whole: bool = False

    def row(self) -> dict[str, float]:
        """Give the counts and means for plans.json."""
        aligned = max(1, self.pairs - self.texts)
        return {
            "pairs": self.pairs,
            "left_out": self.read - self.pairs - self.unlike,
            "unlike": self.unlike,
            "texts": self.texts,
            "mean_weight": round(self.weight / aligned, 4),
            "mass_moved": round(self.moved / aligned, 4),
            "seconds": round(self.seconds, 2),
        }


def read_pairs(
    config: DistillConfig, language: str, pieces: WordPieces, *, start: int = 0
) -> Iterator[Pair | None]:
    """Read a language's bitext, then its text, one pair at a time.

    config (DistillConfig): The config.
    language (str): The target language.
    pieces (WordPieces): The teacher's tokenizer.
    start (int): The number of pairs to skip.
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
    language: str,
    folder: Path,
    readers: Readers,
    known: Known,
    say: Callable[[str], None] = lambda text: None,
) -> Journal:
    """Write the plans of a language, from where an earlier run left off.

    language (str): The language.
    folder (Path): Where the chunks and the journal are.
    readers (Readers): The models that read the bitext.
    known (Callable[[str], Optional[WordOutput]]): Gives the outputs for a source sentence that was
        read before.
    say (Callable[[str], None]): Receives a line for each chunk.
    RETURNS (Journal): Counts and time.
    RAISES (OpticalError): If the bitext is missing, broken or without a pair that fits, the
        journal is damaged, or as `align_words`.
    """
    config, path = readers.config, folder / f"{language}-{JOURNAL}"
    journal = _read_journal(path)
    if journal.read and not journal.whole:
        say(f"{language}: continuing after {journal.read} pairs")
    pairs = read_pairs(config, language, readers.pieces, start=journal.read)
    source, target = tokenizer_for(config.data.source), tokenizer_for(language)
    while not journal.whole:
        start = time.perf_counter()
        # Without a memory zone, spaCy keeps every word that it has seen.
        with source.memory_zone(), target.memory_zone():
            chunk = list(islice(pairs, CHUNK))
        rows = _read_chunk(readers, [pair for pair in chunk if pair], known, journal)
        if rows:
            write_chunk(chunk_path(folder, language, journal.files), rows)
            journal.files += 1
        journal.read += len(chunk)
        journal.whole = len(chunk) < CHUNK
        if journal.whole and not journal.pairs:
            bitext = CorpusFolder(config.paths.corpus).bitext(language)
            raise OpticalError(_nothing_left(bitext, journal))
        journal.seconds += time.perf_counter() - start
        write_json(path, asdict(journal))
        if not journal.whole:
            say(f"{language}: {journal.read} pairs read")
    return journal


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


def cut_sentence(text: str, language: str, pieces: WordPieces) -> Sentence:
    """Cut a text to words by its language's tokenizer, and these to pieces."""
    doc: Doc = tokenizer_for(language)(text)
    return plain_sentence((token.text for token in word_tokens(doc)), pieces)


def _read_chunk(
    readers: Readers, pairs: Sequence[Pair], known: Known, journal: Journal
) -> list[Arrays]:
    """Give the arrays of the pairs that train, and count them."""
    tags, plans, half = readers.tagger.tags, readers.config.plans, np.float16
    align = plans.align
    before = [known(pair.text) for pair in pairs]
    new = [p.source for p, one in zip(pairs, before, strict=True) if p.source and one is None]
    sources, targets = iter(readers.read(new)), readers.read([pair.target for pair in pairs])
    rows = []
    for pair, target, one in zip(pairs, targets, before, strict=True):
        row = {
            "target-words": bytes_of(pair.target.words),
            "logits": target.logits.astype(half),
            "last": target.last.astype(half),
            # What a sentence without a translation has.
            "source-words": bytes_of(()),
            "source": np.empty((0, target.last.shape[1]), half),
            "plan": np.empty((0, 3), half),
            "projected": np.zeros_like(target.logits, half),
            "trust": np.zeros(len(target.logits), half),
            "weight": np.zeros(1, half),
        }
        weight = 0.0
        if pair.source is not None:
            source, words = one or next(sources), pair.source.words
            plan = align_words(source.aligned, target.aligned, words, pair.target.words, align)
            weight = pair_weight(plan.similarity, align)
            if not weight and not plans.keep_unlike:
                journal.unlike += 1
                continue
        if weight:
            probs = source_distributions(source.logits, readers.gold.get(words), plans.gold)
            projected, trust = project_to_target(plan, probs, words, tags, align, plans.projection)
            row["projected"], row["trust"] = projected.astype(half), trust.astype(half)
            row["source-words"], row["source"] = bytes_of(words), source.middle.astype(half)
            row["plan"], row["weight"] = sparse(plan.matrix), np.array([weight], half)
            journal.moved += plan.moved
            journal.weight += float(row["weight"][0])
        journal.texts += not weight
        journal.pairs += 1
        rows.append(row)
    return rows
