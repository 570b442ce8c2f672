"""The plans of one language, written one chunk at a time.

A journal records the number of pairs that were read. A run that was killed continues after these
pairs. The result has the same bytes, because the same pairs are read together.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

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
from .tagger import WordOutput, load_tagger, read_sentences

CHUNK = 1000  # pairs read together: enough to batch by length, in a few hundred megabytes
JOURNAL = "journal.json"
Known = Callable[[str], WordOutput | None]


class Pair(NamedTuple):
    """A source sentence, its translation, and the text of the source sentence.

    source is None for a target sentence without a translation.
    """

    source: Sentence | None
    target: Sentence
    text: str


class Readers:
    """The teacher, and the encoder if its vectors are aligned.

    config (DistillConfig): The config.
    teacher (Path): The teacher's folder.
    RAISES (OpticalError): If the student's layers or window do not fit the teacher, or as
        `english_sentences`.
    """

    def __init__(self, config: DistillConfig, teacher: Path) -> None:
        self.config = config
        self.tagger = load_tagger(teacher).to(world().device)
        self.tagger.set_precision(config.training.precision)
        depth, last = self.tagger.model.config.num_hidden_layers, max(config.student.layers)
        if last >= depth:
            raise OpticalError(Errors.E406.format(layer=last, layers=depth))
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
        hashes = [sha256(folder / TOKENIZER) for folder in (teacher, config.paths.encoder)]
        self.same_tokenizer = hashes[0] == hashes[1]

    def read(self, sentences: Sequence[Sentence]) -> list[WordOutput]:
        """Compute the outputs of sentences, with the vectors to align as `aligned`."""
        layer = self.config.student.middle[1]
        aligned = self.config.plans.layer if self.encoder is None else None
        outputs = read_sentences(self.tagger, sentences, self.pieces, layer=layer, aligned=aligned)
        if self.encoder is None:
            return outputs
        pieces = [sentence.pieces for sentence in sentences] if self.same_tokenizer else None
        vectors = self.encoder.vectors([sentence.words for sentence in sentences], pieces)
        return [one._replace(aligned=own) for one, own in zip(outputs, vectors, strict=True)]


@dataclass
class Journal:
    """The progress in a language's bitext.

    read is the number of pairs that were read, pairs of those that were written, in so many files,
    texts of those written without a translation, and unlike of those left out because they are not
    translations. moved and weight are sums over the pairs: of moved mass and of their weights.
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
        """Get the counts and means for plans.json."""
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
    """Read a language's bitext, then its text without translations.

    config (DistillConfig): The config.
    language (str): The target language.
    pieces (WordPieces): The teacher's tokenizer.
    start (int): The number of pairs to skip.
    YIELDS (Optional[Pair]): The pairs; None for one that does not fit the window.
    RAISES (OpticalError): If a line of the bitext is invalid.
    """
    path, *texts = CorpusFolder(config.paths.corpus).target_files(language)
    source, most = config.data.source, config.training.max_pieces - 2
    bitext = read_bitext(path, source_lang=source, target_lang=language)
    monolingual = (
        replace(row, source="")
        for path in texts
        for row in read_bitext(path, source_lang=language, target_lang=language)
    )
    for row in islice(chain(bitext, monolingual), start, None):
        left = tokenized(row.source, source, pieces) if row.source else None
        right = tokenized(row.target, language, pieces)
        fits = all(0 < len(side) <= most for side in (left, right) if side is not None)
        yield Pair(left, right, row.source) if fits else None


def write_language_plans(
    language: str,
    folder: Path,
    readers: Readers,
    known: Known,
    say: Callable[[str], None] = lambda text: None,
) -> Journal:
    """Write the plans of a language, or continue an earlier run.

    language (str): The language.
    folder (Path): The folder of the chunks and the journal.
    readers (Readers): The teacher and the encoder.
    known (Callable[[str], Optional[WordOutput]]): Gets the outputs for a source sentence that was
        read before, or None.
    say (Callable[[str], None]): Receives a line for each chunk.
    RETURNS (Journal): Counts and time.
    RAISES (OpticalError): If the bitext is missing, invalid or without a pair that can be used, the
        journal is damaged, or as `align_words`.
    """
    config, path = readers.config, folder / f"{language}-{JOURNAL}"
    journal = Journal()
    if path.is_file():
        try:
            journal = Journal(**json.loads(path.read_text(encoding="utf8")))
        except (ValueError, TypeError) as err:
            raise OpticalError(Errors.E205.format(path=path, reason=err)) from err
    if journal.read and not journal.whole:
        say(f"{language}: continuing after {journal.read} pairs")
    pairs = read_pairs(config, language, readers.pieces, start=journal.read)
    source, target = tokenizer_for(config.data.source), tokenizer_for(language)
    while not journal.whole:
        start = time.perf_counter()
        # Without a memory zone, spaCy keeps every word in memory.
        with source.memory_zone(), target.memory_zone():
            chunk = list(islice(pairs, CHUNK))
        rows = _read_chunk(readers, [pair for pair in chunk if pair], known, journal)
        if rows:
            write_chunk(chunk_path(folder, language, journal.files), rows)
            journal.files += 1
        journal.read += len(chunk)
        journal.whole = len(chunk) < CHUNK
        if journal.whole and not journal.pairs:
            bitext, read = CorpusFolder(config.paths.corpus).bitext(language), journal.read
            if not read:
                raise OpticalError(Errors.E206.format(path=bitext))
            counts = {"read": read, "long": read - journal.unlike, "unlike": journal.unlike}
            raise OpticalError(Errors.E417.format(path=bitext, **counts))
        journal.seconds += time.perf_counter() - start
        write_json(path, asdict(journal))
        if not journal.whole:
            say(f"{language}: {journal.read} pairs read")
    return journal


def tokenized(text: str, language: str, pieces: WordPieces) -> Sentence:
    """Split a text into words with the language's tokenizer, and the words into pieces."""
    doc: Doc = tokenizer_for(language)(text)
    return plain_sentence((token.text for token in word_tokens(doc)), pieces)


def _read_chunk(
    readers: Readers, pairs: Sequence[Pair], known: Known, journal: Journal
) -> list[Arrays]:
    """Compute the arrays of the pairs to write, and count them in the journal."""
    plans, align, half = readers.config.plans, readers.config.plans.align, np.float16
    before = [known(pair.text) for pair in pairs]
    new = [p.source for p, one in zip(pairs, before, strict=True) if p.source and one is None]
    sources, targets = iter(readers.read(new)), readers.read([pair.target for pair in pairs])
    rows = []
    for pair, target, one in zip(pairs, targets, before, strict=True):
        row = {
            "target-words": bytes_of(pair.target.words),
            "logits": target.logits.astype(half),
            "last": target.last.astype(half),
            # The values of a sentence without a translation.
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
            projected, trust = project_to_target(
                plan, probs, words, readers.tagger.tags, align, plans.projection
            )
            row |= {
                "source-words": bytes_of(words),
                "source": source.middle.astype(half),
                "plan": sparse(plan.matrix),
                "projected": projected.astype(half),
                "trust": trust.astype(half),
                "weight": np.array([weight], half),
            }
            journal.moved += plan.moved
            journal.weight += float(row["weight"][0])
        journal.texts += not weight
        journal.pairs += 1
        rows.append(row)
    return rows
