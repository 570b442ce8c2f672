"""Project labels through any number of bitext files, on this machine, Ray or Spark."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

from ..about import __version__
from ..align import AlignConfig
from ..data.bitext import Format, OnError
from ..encoders.folder import WEIGHTS, check_encoder
from ..encoders.word_vectors import DEFAULT_LAYERS, WordEncoder
from ..errors import Errors, OpticalError
from ..files import check_no_input, read_record, sha256, write_json
from ..projection import THRESHOLD
from ..projection.labels import ProjectionSummary, project_labels, target_language
from ..projection.words import check_map
from ..runtime.load_model import absolute_model
from .annotator import fingerprint, load_pipeline
from .engines import check_count, engine_named
from .run_folder import open_folder


class FileJob(NamedTuple):
    """The settings that a process needs to label files. `content` is the labeller's fingerprint."""

    out: Path
    labeller: str
    content: str
    encoder: Path
    layers: tuple[int, ...]
    threads: int | None
    options: dict[str, Any]

    def paths(self, bitext: Path) -> tuple[Path, Path]:
        """Get the file or folder of documents of a bitext file, and the file of its counts."""
        stem = bitext.name.partition(".")[0]
        sharded = self.options["shard_size"] is not None
        return self.out / (stem if sharded else f"{stem}.spacy"), self.out / f"{stem}.json"


class LabelledFile(NamedTuple):
    """The counts of a file, or the error that stops the run."""

    summary: ProjectionSummary
    error: OpticalError | None = None


def project_label_files(
    folder: str | Path,
    out: str | Path,
    *,
    labeller: str | Path,
    encoder: str | Path,
    layers: Sequence[int] = DEFAULT_LAYERS,
    engine: str = "local",
    n_process: int = 1,
    resume: bool = False,
    target_lang: str | None = None,
    source_lang: str = "en",
    keys: tuple[str, str] | None = None,
    format: Format | None = None,
    unescape: bool = False,
    labels: Mapping[str, str] | None = None,
    config: AlignConfig | None = None,
    threshold: float = THRESHOLD,
    on_error: OnError = "raise",
    shard_size: int | None = None,
    say: Callable[[int, int], None] = lambda done, files: None,
) -> ProjectionSummary:
    """Label the source side of all bitext files of a folder, and project the labels.

    Each file becomes a `.spacy` file of the same name, and a JSON file with its counts. The files
    do not depend on the engine or the number of processes.

    folder (Union[str, Path]): A folder of bitext files. Names that begin with a dot or an
        underscore are ignored.
    out (Union[str, Path]): The folder to write. All machines of a cluster must have all paths.
    labeller (Union[str, Path]): The name or folder of a spaCy pipeline.
    encoder (Union[str, Path]): The folder of an encoder.
    layers (Sequence[int]): The layers of the word vectors.
    engine (str): `local`, `ray` or `spark`.
    n_process (int): The number of processes. A running Spark cluster uses its own number.
    resume (bool): Whether to continue the run in `out` after it was stopped. Finished files are
        kept.
    target_lang, source_lang, keys, format, unescape, labels, config, threshold, on_error,
        shard_size: As for `project_labels`.
    say (Callable[[int, int], None]): Called after each file with the numbers of finished files and
        of all files.
    RETURNS (ProjectionSummary): The counts of all files.
    RAISES (OpticalError): As `project_labels` for any file, if there is no file, two files have the
        same name, `out` has another run, or the engine fails. Finished files are kept.
    """
    run, config = engine_named(engine), config or AlignConfig()
    check_count("n_process", n_process)
    folder, out, encoder = (Path(path).absolute() for path in (folder, out, encoder))
    check_no_input(out, [folder])
    files = sorted(p for p in folder.iterdir() if p.is_file() and p.name[0] not in "._")
    if not files:
        raise OpticalError(Errors.E813.format(path=folder))
    if target_lang is None:
        for path in files:
            target_language(path)
    check_encoder(encoder)
    labeller = absolute_model(labeller)
    content = fingerprint(labeller)
    if labels is not None:
        check_map(labels, load_pipeline(labeller, content))
    options: dict[str, Any] = {
        "target_lang": target_lang,
        "source_lang": source_lang,
        "keys": keys,
        "format": format,
        "unescape": unescape,
        "labels": labels,
        "threshold": threshold,
        "on_error": on_error,
        "shard_size": shard_size,
    }
    record = {
        "spacy_optical": __version__,
        "labeller": content,
        "encoder": sha256(encoder / WEIGHTS),
        "settings": {**options, "layers": list(layers), "config": config.model_dump(mode="json")},
        "input": {path.name: sha256(path) for path in files},
    }
    # Several processes would share the cores, each with as many threads as there are cores.
    threads = 1 if n_process > 1 else None
    options |= {"config": config}
    job = FileJob(out, labeller, content, encoder, tuple(layers), threads, options)
    names: dict[Path, Path] = {}
    for path in files:
        other = names.setdefault(job.paths(path)[1], path)
        if other != path:
            raise OpticalError(Errors.E814.format(path=path, other=other))
    record = json.loads(json.dumps(record))  # as it is read from a file: tuples become lists
    open_folder(out, record, resume=resume, what="a run of project-labels")
    earlier = [(path, _finished(job, path)) for path in files]
    counts = [summary for _, summary in earlier if summary is not None]
    left = [path for path, summary in earlier if summary is None]
    for labelled in run(partial(label_file, job), left, n_process) if left else ():
        if labelled.error is not None:
            raise labelled.error
        counts.append(labelled.summary)
        say(len(counts), len(files))
    return sum(counts, ProjectionSummary())


def label_file(job: FileJob, path: Path) -> LabelledFile:
    """Label a file and write its documents and counts.

    Errors of the input are returned, because engines replace the exceptions of their workers.
    """
    documents, counts = job.paths(path)
    try:
        summary = project_labels(
            path,
            documents,
            labeller=load_pipeline(job.labeller, job.content),
            encoder=_encoder(job.encoder, job.layers, job.threads),
            **job.options,
        )
        write_json(counts, vars(summary))  # last, because it marks the file as finished
    except OpticalError as err:
        return LabelledFile(ProjectionSummary(), err)
    return LabelledFile(summary)


def _finished(job: FileJob, path: Path) -> ProjectionSummary | None:
    counts = job.paths(path)[1]
    return read_record(counts, ProjectionSummary, what="counts") if counts.is_file() else None


@lru_cache(maxsize=1)
def _encoder(folder: Path, layers: tuple[int, ...], threads: int | None) -> WordEncoder:
    return WordEncoder(folder, layers, threads=threads)
