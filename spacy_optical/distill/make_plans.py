"""Making of the plans: the teacher labels all sentences, and every pair is aligned.

The files are written to a folder `NAME-partial` until all are complete.
"""

import json
import shutil
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..data.word_tokenizer import tokenizer_for
from ..errors import Errors, OpticalError
from ..files import check_replaceable, folder_written_whole, refused_writes, write_json
from .config import DistillConfig
from .plan_reader import MARKER, plans_record
from .plan_store import chunk_path, write_chunk
from .plan_writer import JOURNAL, Journal, Known, Readers, write_language_plans
from .repeated_sources import REPEATED, read_repeated_sources, write_repeated_sources
from .tagger import read_sentences

BEGUN = "begun.json"
OTHER_COUNTS = {
    "texts": "texts",
    "left_out": "too long or empty",
    "unlike": "left out as no translations",
}


def make_plans(
    config: DistillConfig,
    teacher: Path,
    *,
    processes: int = 1,
    say: Callable[[str], None] = lambda text: None,
) -> dict:
    """Write the teacher's outputs and the plans of all pairs to `paths.plans`.

    Memory does not grow with the bitext. A run that was stopped is continued by the next run with
    the same data, config and versions. The result has the same arrays.

    config (DistillConfig): The config.
    teacher (Path): The teacher's folder.
    processes (int): Number of languages to process at the same time. Each process loads the teacher
        and the encoder.
    say (Callable[[str], None]): Receives a line for each language and, with one process, for each
        thousand pairs.
    RETURNS (dict): The content of plans.json, with counts and times by language.
    RAISES (OpticalError): If a process was killed, a folder cannot be written, or as `Readers`,
        `write_language_plans` and `tokenizer_for`.
    """
    check_replaceable(config.paths.plans, marker=MARKER)
    for language in (config.data.source, *config.data.languages):
        tokenizer_for(language)  # fails early if a language has no tokenizer
    readers, record = Readers(config, Path(teacher)), plans_record(config, teacher)
    with folder_written_whole(
        config.paths.plans, marker=MARKER, partial=_begun(config.paths.plans, record, say)
    ) as folder:
        outputs = read_sentences(readers.tagger, readers.english, readers.pieces)
        names = ("logits", "last")
        rows = [{name: getattr(one, name).astype(np.float16) for name in names} for one in outputs]
        write_chunk(chunk_path(folder, config.data.source, 0), rows)
        del outputs, rows
        write_repeated_sources(folder, readers, say)
        if processes > 1:
            del readers
            written = _in_processes(config, teacher, folder, processes)
        else:
            written = _in_this_process(folder, readers, say)
        for language, journal in written:
            record["languages"][language] = row = journal.row()
            message = f"{row['pairs'] - row['texts']} pairs, {row['mass_moved']:.0%} of the mass"
            message += f" moved, mean weight {row['mean_weight']:.2f}, {row['seconds']:.0f} s"
            for key, what in OTHER_COUNTS.items():
                message += f", {row[key]} {what}" if row[key] else ""
            say(f"{language}: {message}")
        write_json(folder / MARKER, record)
    # Only now, so that a run that was killed or could not rename the folder can be continued.
    for pattern in (BEGUN, f"*-{JOURNAL}", f"{REPEATED}-*"):
        for path in config.paths.plans.glob(pattern):
            path.unlink()
    return record


def _begun(plans: Path, record: dict[str, Any], say: Callable[[str], None]) -> Path:
    """Get the folder of an earlier run with the same config, data and versions, or an empty one."""
    partial = plans.with_name(f"{plans.name}-partial")
    check_replaceable(partial, marker=BEGUN)
    path = partial / BEGUN
    same = json.dumps({name: record[name] for name in ("fingerprint", "versions")})
    with refused_writes(partial):
        if path.is_file() and path.read_text(encoding="utf8") != same:
            say(f"{partial} was begun with other data, config or versions; starting over")
            shutil.rmtree(partial)
        if not path.is_file():
            partial.mkdir(parents=True, exist_ok=True)
            path.write_text(same, encoding="utf8")
    return partial


def _in_this_process(
    folder: Path, readers: Readers, say: Callable[[str], None]
) -> Iterator[tuple[str, Journal]]:
    # A local variable, because Windows deletes no mapped file.
    known = read_repeated_sources(folder)
    for language in readers.config.data.languages:
        yield language, write_language_plans(language, folder, readers, known, say)


def _in_processes(
    config: DistillConfig, teacher: Path, folder: Path, processes: int
) -> Iterator[tuple[str, Journal]]:
    languages = config.data.languages
    processes = min(processes, len(languages))
    threads = max(1, torch.get_num_threads() // processes)
    # Ctrl-C reaches the processes too. They end without a message.
    with ProcessPoolExecutor(
        processes,
        get_context("spawn"),
        initializer=signal.signal,
        initargs=(signal.SIGINT, signal.SIG_DFL),
    ) as pool:
        write = partial(_write_alone, config.model_dump_json(), teacher, folder, threads)
        try:
            yield from zip(languages, pool.map(write, languages), strict=True)
        except BrokenProcessPool as err:
            raise OpticalError(Errors.E416) from err
        finally:
            pool.shutdown(cancel_futures=True)


def _write_alone(config: str, teacher: Path, folder: Path, threads: int, language: str) -> Journal:
    readers, known = _loaded(config, Path(teacher), folder, threads)
    return write_language_plans(language, folder, readers, known)


@cache
def _loaded(config: str, teacher: Path, folder: Path, threads: int) -> tuple[Readers, Known]:
    """Load the models once in each process. `config` is JSON."""
    torch.set_num_threads(threads)
    readers = Readers(DistillConfig.model_validate_json(config), teacher)
    return readers, read_repeated_sources(folder)
