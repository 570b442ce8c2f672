"""What the teacher has to say about every sentence, computed once and kept on disk.

The folder holds plans.json and, for English and for each language, memory-mapped arrays in half
precision. For English: the teacher's scores and last hidden vectors. For a language: both sides'
words, the teacher's scores and last hidden vectors of the target side, its middle vectors of the
source side, the transport plans, the label distributions that the plans carry over with the trust
in each, and how much each pair counts. Until all of them are whole they are in a folder beside it,
`NAME-partial`.
"""

import json
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from ..data.docs import read_training_docs
from ..data.layout import CorpusFolder
from ..data.word_tokenizer import tokenizer_for
from ..encoders.fetch import TOKENIZER, WEIGHTS, check_encoder
from ..encoders.word_vectors import WordEncoder
from ..errors import Errors, OpticalError
from ..files import check_replaceable, folder_written_whole, write_json
from ..runtime.pieces import WordPieces
from .config import DistillConfig
from .judge import check_labels
from .lessons import JOURNAL, Journal, Readers, write_lesson
from .provenance import provenance
from .ragged import Ragged, Words, read_ragged, write_ragged
from .reading import read_sentences
from .sentences import Sentence, labelled_sentence
from .tagger import folder_tags, load_tagger

MARKER = "plans.json"
BEGUN = "begun.json"
ENGLISH = ("logits", "last")
LANGUAGE = ("logits", "last", "source", "plan", "carried", "trust", "weight")


@dataclass(frozen=True)
class English:
    """What the plans folder holds for English, with its sentences: arrays by name."""

    sentences: list[Sentence]
    arrays: dict[str, Ragged]


@dataclass(frozen=True)
class Lesson:
    """What the plans folder holds for one language: both sides' words, and arrays by name."""

    source: Words
    target: Words
    arrays: dict[str, Ragged]


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
    path = CorpusFolder(config.paths.corpus).source_train
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
    processes: int = 1,
    say: Callable[[str], None] = lambda text: None,
) -> dict:
    """Let the teacher read everything and align every pair; write `paths.plans`.

    Memory does not grow with the bitext. A run that was stopped is continued by the next one over
    the same data with the same config and versions, to the same arrays.

    config (DistillConfig): The config.
    teacher (Path): The teacher's folder.
    processes (int): How many languages are read at the same time; each process has the teacher
        and the encoder in memory.
    say (Callable[[str], None]): Told one line a language, and one every thousand pairs.
    RETURNS (dict): Counts and times by language, as in plans.json.
    RAISES (OpticalError): If the student's layers or window do not fit the teacher, a process was
        ended from outside, or as `english_sentences`, `write_lesson` and `tokenizer_for`.
    """
    check_replaceable(config.paths.plans, marker=MARKER)
    for language in (config.data.source, *config.data.languages):
        tokenizer_for(language)  # before hours of reading, if there is no tokenizer for one
    readers, english = _readers(config, teacher)
    record = _record(config, teacher)
    with folder_written_whole(
        config.paths.plans, marker=MARKER, partial=_begun(config.paths.plans, record, say)
    ) as folder:
        readings = read_sentences(readers.tagger, english, readers.pieces)
        write_ragged(folder / f"{config.data.source}-logits", [r.logits for r in readings])
        write_ragged(folder / f"{config.data.source}-last", [r.last for r in readings])
        del readings
        if processes > 1:
            del readers
            lessons = _in_processes(config, teacher, folder, processes)
        else:
            lessons = (
                (language, write_lesson(config, language, folder, readers, say))
                for language in config.data.languages
            )
        rows = {}
        for language, journal in lessons:
            rows[language] = row = {
                "pairs": journal.pairs,
                "left_out": (long := journal.read - journal.pairs - journal.unlike),
                "unlike": journal.unlike,
                "mean_weight": round(journal.weight / journal.pairs, 4),
                "mass_moved": round(journal.moved / journal.pairs, 4),
                "seconds": round(journal.seconds, 2),
            }
            told = f"{row['pairs']} pairs, {row['mass_moved']:.0%} of the mass moved"
            told += f", mean weight {row['mean_weight']:.2f}, {journal.seconds:.0f} s"
            told += f", {long} too long or empty" if long else ""
            told += f", {journal.unlike} left out as no translations" if journal.unlike else ""
            say(f"{language}: {told}")
        record["languages"] = {language: rows[language] for language in config.data.languages}
        write_json(folder / MARKER, record)
        for path in (folder / BEGUN, *folder.glob(f"*-{JOURNAL}")):
            path.unlink()
    return record


def plans_belong(config: DistillConfig, teacher: Path) -> bool:
    """Tell whether whole plans are there that belong to a config and a teacher.

    config (DistillConfig): The config.
    teacher (Path): The teacher's folder.
    RETURNS (bool): False also where there are none, or what is there cannot be read.
    """
    try:
        read_plans(config, teacher)
    except OpticalError:
        return False
    return True


def read_plans(config: DistillConfig, teacher: Path) -> tuple[English, dict[str, Lesson]]:
    """Open the plans that belong to a config; of the bitext nothing is held in memory.

    config (DistillConfig): The config.
    teacher (Path): The teacher's folder.
    RETURNS (Tuple[English, Dict[str, Lesson]]): English, and one lesson a language.
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
    english = english_sentences(config, pieces, folder_tags(teacher))
    folder = config.paths.plans
    lessons = {
        language: Lesson(
            Words(read_ragged(folder / f"{language}-source-words")),
            Words(read_ragged(folder / f"{language}-target-words")),
            _open(folder, language, LANGUAGE),
        )
        for language in config.data.languages
    }
    return English(english, _open(folder, config.data.source, ENGLISH)), lessons


def _open(folder: Path, language: str, names: Sequence[str]) -> dict[str, Ragged]:
    return {name: read_ragged(folder / f"{language}-{name}") for name in names}


def _record(config: DistillConfig, teacher: Path) -> dict[str, Any]:
    corpus = CorpusFolder(config.paths.corpus)
    data = [corpus.source_train]
    data += [corpus.bitext(language) for language in config.data.languages]
    for language, path in zip(config.data.languages, data[1:], strict=True):
        if not path.is_file():
            raise OpticalError(Errors.E409.format(lang=language, path=path))
    check_encoder(config.paths.encoder)
    data += [Path(teacher) / WEIGHTS, config.paths.encoder / WEIGHTS]
    record = provenance(config, "plans", data)
    return {**record, "languages": {}}


def _readers(config: DistillConfig, teacher: Path) -> tuple[Readers, list[Sentence]]:
    tagger = load_tagger(teacher)
    tagger.set_precision(config.training.precision)
    depth, kept = tagger.model.config.num_hidden_layers, max(config.student.layers)
    if kept >= depth:
        raise OpticalError(Errors.E406.format(layer=kept, layers=depth))
    if config.training.max_pieces > tagger.max_pieces:
        most, positions = config.training.max_pieces, tagger.max_pieces
        raise OpticalError(Errors.E413.format(most=most, positions=positions))
    pieces = WordPieces((Path(teacher) / TOKENIZER).read_bytes())
    encoder = WordEncoder(config.paths.encoder, config.plans.layer)
    english = english_sentences(config, pieces, tagger.tags)
    return Readers(tagger, pieces, encoder, {s.words: s.tags for s in english}), english


def _begun(plans: Path, record: dict[str, Any], say: Callable[[str], None]) -> Path:
    """Give the folder of an earlier run, if it was after the same arrays, or an empty one."""
    partial = plans.with_name(f"{plans.name}-partial")
    check_replaceable(partial, marker=BEGUN)
    path = partial / BEGUN
    same = {name: record[name] for name in ("fingerprint", "versions")}
    if path.is_file() and path.read_text(encoding="utf8") != json.dumps(same):
        say(f"{partial} was begun with other data, config or versions; starting anew")
        shutil.rmtree(partial)
    if not path.is_file():
        partial.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(same), encoding="utf8")
    return partial


def _in_processes(
    config: DistillConfig, teacher: Path, folder: Path, processes: int
) -> Iterator[tuple[str, Journal]]:
    languages = config.data.languages
    processes = min(processes, len(languages))
    threads = max(1, torch.get_num_threads() // processes)
    # Ctrl-C reaches the processes too: they end at once and leave the telling to this one.
    quietly = (signal.SIGINT, signal.SIG_DFL)
    with ProcessPoolExecutor(
        processes, get_context("spawn"), initializer=signal.signal, initargs=quietly
    ) as pool:
        tasks = [
            pool.submit(_lesson_alone, config, teacher, language, folder, threads)
            for language in languages
        ]
        try:
            for language, task in zip(languages, tasks, strict=True):
                yield language, task.result()
        except BrokenProcessPool as err:
            raise OpticalError(Errors.E416) from err
        finally:
            pool.shutdown(cancel_futures=True)


def _lesson_alone(
    config: DistillConfig, teacher: Path, language: str, folder: Path, threads: int
) -> Journal:
    torch.set_num_threads(threads)
    readers, _ = _readers(config, teacher)
    return write_lesson(config, language, folder, readers)
