"""What the teacher has to say about every sentence, computed once and kept on disk.

The folder holds plans.json and, for English and for each language, memory-mapped arrays in half
precision. For English: the teacher's scores and last hidden vectors. For a language: the same
of the target side, the teacher's middle vectors of the source side, the transport plans, and the
label distributions that the plans carry over with the trust in each.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import softmax
from spacy.tokens import Doc

from ..align.project import project_distributions, project_spans, without_articles
from ..align.transport import Plan, align_words
from ..data.bitext import read_bitext
from ..data.labelled import read_training_docs, tokenizer_for
from ..encoders.fetch import TOKENIZER, WEIGHTS, check_encoder
from ..errors import Errors, OpticalError
from ..files import check_replaceable, folder_written_whole, write_json
from ..runtime.decode import decode
from ..runtime.pieces import WordPieces
from .config import DistillConfig
from .encode import WordEncoder
from .judge import check_labels
from .provenance import provenance
from .ragged import Ragged, read_ragged, write_ragged
from .reading import Reading, read_sentences
from .sentences import Sentence, labelled_sentence, plain_sentence, spacy_words
from .tagger import WordTagger, folder_tags, load_tagger
from .teacher import ENGLISH_TRAIN

MARKER = "plans.json"
ENGLISH = ("logits", "last")
LANGUAGE = ("logits", "last", "source", "plan", "carried", "trust")


@dataclass(frozen=True)
class Pair:
    """A sentence and its translation, as words and the teacher's pieces."""

    source: Sentence
    target: Sentence


@dataclass(frozen=True)
class Lesson:
    """What the plans folder holds for one language: arrays by name, see `LANGUAGE`."""

    pairs: list[Pair]
    arrays: dict[str, Ragged]


def bitext_path(config: DistillConfig, language: str) -> Path:
    """Give the path of a language's bitext."""
    return config.paths.corpus / "bitext" / f"{language}.jsonl"


def read_pairs(config: DistillConfig, language: str, pieces: WordPieces) -> tuple[list[Pair], int]:
    """Read a language's bitext as words and pieces.

    config (DistillConfig): The config.
    language (str): The target language.
    pieces (WordPieces): The teacher's tokenizer.
    RETURNS (Tuple[List[Pair], int]): The pairs that fit the window, and how many did not.
    RAISES (OpticalError): If there is no bitext or a line of it is broken.
    """
    path = bitext_path(config, language)
    if not path.is_file():
        raise OpticalError(Errors.E409.format(lang=language, path=path))
    most = config.training.max_pieces - 2
    pairs, left_out = [], 0
    for row in read_bitext(path, source_lang=config.data.source, target_lang=language):
        pair = Pair(
            _sentence(row.source, config.data.source, pieces),
            _sentence(row.target, language, pieces),
        )
        if 0 < len(pair.source) <= most and 0 < len(pair.target) <= most:
            pairs.append(pair)
        else:
            left_out += 1
    if not pairs:
        raise OpticalError(Errors.E206.format(path=path))
    return pairs, left_out


def english_sentences(
    config: DistillConfig, pieces: WordPieces, tags: Sequence[str]
) -> list[Sentence]:
    """Read the labelled English sentences that fit the window.

    config (DistillConfig): The config.
    pieces (WordPieces): The teacher's tokenizer.
    tags (Sequence[str]): The teacher's tags, whose numbers the sentences get.
    RETURNS (List[Sentence]): The sentences.
    RAISES (OpticalError): If none fits, or one has a label that the teacher lacks.
    """
    path = config.paths.corpus / ENGLISH_TRAIN
    docs = read_training_docs(path)
    check_labels(docs, {tag[2:] for tag in tags[1:]}, path)
    number = {tag: i for i, tag in enumerate(tags)}
    every = [labelled_sentence(doc, pieces, number) for doc in docs]
    kept = [s for s in every if 0 < len(s) <= config.training.max_pieces - 2]
    if not kept:
        most = config.training.max_pieces
        raise OpticalError(Errors.E412.format(what="English sentence", most=most))
    return kept


def make_plans(
    config: DistillConfig,
    teacher: Path,
    *,
    say: Callable[[str], None] = lambda text: None,
) -> dict:
    """Let the teacher read everything and align every pair; write `paths.plans`.

    config (DistillConfig): The config.
    teacher (Path): The teacher's folder.
    say (Callable[[str], None]): Told one line a language.
    RETURNS (dict): Counts and times by language, as in plans.json.
    RAISES (OpticalError): If the student's layers or window do not fit the teacher, or as
        `english_sentences`, `read_pairs` and `align_words`.
    """
    check_replaceable(config.paths.plans, marker=MARKER)
    tagger = load_tagger(teacher)
    depth, kept = tagger.model.config.num_hidden_layers, max(config.student.layers)
    if kept >= depth:
        raise OpticalError(Errors.E406.format(layer=kept, layers=depth))
    if config.training.max_pieces > tagger.max_pieces:
        most, positions = config.training.max_pieces, tagger.max_pieces
        raise OpticalError(Errors.E413.format(most=most, positions=positions))
    pieces = WordPieces((Path(teacher) / TOKENIZER).read_bytes())
    encoder = WordEncoder(config.paths.encoder, config.plans.layer)
    english = english_sentences(config, pieces, tagger.tags)
    gold = {s.words: s.tags for s in english}
    record = _record(config, teacher)
    with folder_written_whole(config.paths.plans, marker=MARKER) as folder:
        readings = read_sentences(tagger, english, pieces)
        write_ragged(folder / f"{config.data.source}-logits", [r.logits for r in readings])
        write_ragged(folder / f"{config.data.source}-last", [r.last for r in readings])
        for language in config.data.languages:
            pairs, left_out = read_pairs(config, language, pieces)
            start = time.perf_counter()
            arrays, moved = _lesson(config, tagger, pieces, encoder, pairs, gold)
            for name, items in arrays.items():
                write_ragged(folder / f"{language}-{name}", items)
            row = {
                "pairs": len(pairs),
                "left_out": left_out,
                "mass_moved": round(moved, 4),
                "seconds": round(time.perf_counter() - start, 2),
            }
            record["languages"][language] = row
            told = f"{len(pairs)} pairs, {moved:.0%} of the mass moved, {row['seconds']:.0f} s"
            say(f"{language}: {told}" + (f", {left_out} too long or empty" if left_out else ""))
        write_json(folder / MARKER, record)
    return record


def read_plans(config: DistillConfig, teacher: Path) -> tuple[Lesson, dict[str, Lesson]]:
    """Open the plans that belong to a config.

    config (DistillConfig): The config.
    teacher (Path): The teacher's folder.
    RETURNS (Tuple[Lesson, Dict[str, Lesson]]): The English lesson, whose pairs have the sentence as
        both source and target, and one lesson a language.
    RAISES (OpticalError): If there are none, or they were made from something else.
    """
    path = config.paths.plans / MARKER
    if not path.is_file():
        raise OpticalError(Errors.E002.format(what="plans", path=path))
    try:
        fingerprint = json.loads(path.read_text(encoding="utf8"))["fingerprint"]
    except (ValueError, KeyError, TypeError) as err:
        raise OpticalError(Errors.E205.format(path=path, reason=err)) from err
    if fingerprint != _record(config, teacher)["fingerprint"]:
        raise OpticalError(Errors.E410.format(path=config.paths.plans))
    pieces = WordPieces((Path(teacher) / TOKENIZER).read_bytes())
    tags = folder_tags(teacher)
    english = [Pair(s, s) for s in english_sentences(config, pieces, tags)]
    lessons = {
        language: Lesson(
            read_pairs(config, language, pieces)[0],
            _open(config.paths.plans, language, LANGUAGE),
        )
        for language in config.data.languages
    }
    return Lesson(english, _open(config.paths.plans, config.data.source, ENGLISH)), lessons


def _open(folder: Path, language: str, names: Sequence[str]) -> dict[str, Ragged]:
    return {name: read_ragged(folder / f"{language}-{name}") for name in names}


def _record(config: DistillConfig, teacher: Path) -> dict:
    data = [config.paths.corpus / ENGLISH_TRAIN]
    data += [bitext_path(config, language) for language in config.data.languages]
    for language, path in zip(config.data.languages, data[1:], strict=True):
        if not path.is_file():
            raise OpticalError(Errors.E409.format(lang=language, path=path))
    check_encoder(config.paths.encoder)
    data += [Path(teacher) / WEIGHTS, config.paths.encoder / WEIGHTS]
    record = provenance(config, "plans", data)
    return {**record, "languages": {}}


def _sentence(text: str, language: str, pieces: WordPieces) -> Sentence:
    doc: Doc = tokenizer_for(language)(text)
    return plain_sentence((doc[i].text for i in spacy_words(doc)), pieces)


def _lesson(
    config: DistillConfig,
    tagger: WordTagger,
    pieces: WordPieces,
    encoder: WordEncoder,
    pairs: Sequence[Pair],
    gold: dict[tuple[str, ...], tuple[int, ...] | None],
) -> tuple[dict[str, list[np.ndarray]], float]:
    middle = student_layers(config)[1]
    tags = tagger.tags
    sources = read_sentences(tagger, [p.source for p in pairs], pieces, layer=middle)
    targets = read_sentences(tagger, [p.target for p in pairs], pieces)
    source_vectors = encoder.vectors([p.source.words for p in pairs])
    target_vectors = encoder.vectors([p.target.words for p in pairs])
    arrays: dict[str, list[np.ndarray]] = {name: [] for name in LANGUAGE}
    moved = 0.0
    for i, pair in enumerate(pairs):
        plan = align_words(
            source_vectors[i],
            target_vectors[i],
            pair.source.words,
            pair.target.words,
            config.plans.align,
        )
        probs = source_distributions(sources[i], gold.get(pair.source.words), config.plans.gold)
        carried, trust = carry(plan, probs, pair.source.words, tags, config)
        arrays["logits"].append(targets[i].logits)
        arrays["last"].append(targets[i].last)
        arrays["source"].append(sources[i].middle)
        arrays["plan"].append(plan.matrix.ravel())
        arrays["carried"].append(carried)
        arrays["trust"].append(trust)
        moved += plan.moved
    return arrays, moved / len(pairs)


def student_layers(config: DistillConfig) -> tuple[int, int]:
    """Give the student's middle layer and the teacher's that it was made of, counted from 1."""
    kept = config.student.layers
    at = len(kept) // 2
    return at + 1, kept[at] + 1


def source_distributions(reading: Reading, tags: tuple[int, ...] | None, gold: float) -> np.ndarray:
    """Give what is known of each English word: the teacher's distribution, and gold where it is.

    reading (Reading): The teacher's reading of the sentence.
    tags (Optional[Tuple[int, ...]]): Gold tags, where the sentence has them.
    gold (float): The share of the gold tag in the mixture.
    RETURNS (ndarray): Distributions [m, tags].
    """
    probs = softmax(reading.logits.astype(np.float64), axis=-1)
    if tags is None:
        return probs
    return (1 - gold) * probs + gold * np.eye(probs.shape[1])[list(tags)]


def carry(
    plan: Plan,
    probs: np.ndarray,
    words: Sequence[str],
    tags: Sequence[str],
    config: DistillConfig,
) -> tuple[np.ndarray, np.ndarray]:
    """Carry the source's distributions through a plan, word by word or as whole spans.

    plan (Plan): The plan.
    probs (ndarray): What is known of the source words, [m, tags].
    words (Sequence[str]): The source words, for the articles that spans leave behind.
    tags (Sequence[str]): The tags that the distributions are over.
    config (DistillConfig): `plans.carry` says which way.
    RETURNS (Tuple[ndarray, ndarray]): Distributions [n, tags], and the trust in each [n]: the mass
        received times one minus its entropy; for words of a span the span's confidence.
    """
    projected = project_distributions(plan, probs)
    trust = projected.mass * (1 - projected.entropy)
    carried = projected.probs
    if config.plans.carry == "words":
        return carried, trust
    spans = decode(np.log(probs + 1e-9).astype(np.float32), tags)
    sources = without_articles([(s.start, s.end, s.label) for s in spans], words)
    # Where the words speak of an entity and no whole span arrived, nothing is known.
    trust[carried[:, 0] < 0.5] = 0.0
    carried = np.zeros_like(carried)
    carried[:, 0] = 1.0
    for span in project_spans(plan, sources, config.plans.align):
        for j in range(span.start, span.end):
            tag = tags.index(f"{'B' if j == span.start else 'I'}-{span.label}")
            carried[j] = 0.0
            carried[j, tag] = 1.0
            trust[j] = span.confidence
    return carried, trust
