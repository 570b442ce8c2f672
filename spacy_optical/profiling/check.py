"""Looking at every pipeline before anything is timed: loading, entities, labels, and F1."""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import Errors, OpticalError
from .arm import Arm
from .environment import Environment
from .options import Options
from .process import RequestFailed, Worker
from .workload import Gold, Target


class OverLimit(OpticalError):
    """A pipeline runs, and not within the memory limit."""


def check_target(
    target: Target,
    texts: Sequence[str],
    labels: Iterable[str],
    options: Options,
    kept: ExitStack,
) -> tuple[Arm, Worker]:
    """Load a pipeline and run texts, in a base install if it can do with one.

    target (Target): The pipeline.
    texts (Sequence[str]): Texts to try; the first alone, and all where memory is limited.
    labels (Iterable[str]): The gold labels that it will be judged by.
    options (Options): How to measure.
    kept (ExitStack): Ends the process later.
    RETURNS (Tuple[Arm, Worker]): The pipeline, not sampled yet, and a process that holds it.
    RAISES (OverLimit): If it runs, and not within the memory limit.
    RAISES (OpticalError): If it does not load, fails on the texts, finds no entities or lacks a
        label.
    """
    if options.memory_limit_mb is None:
        arm, worker = _try_both(target, texts, options, kept)
    else:
        arm, worker = _try_limited(target, texts, options, kept)
    if not arm.loaded["finders"]:
        components = ", ".join(arm.loaded["components"]) or "it has no components"
        raise OpticalError(Errors.E609.format(name=target.name, components=components))
    own = arm.loaded["labels"]
    unknown = set(labels) - {options.label_map.get(label, label) for label in own}
    if own and unknown:
        raise OpticalError(
            Errors.E610.format(
                name=target.name, unknown=", ".join(sorted(unknown)), labels=", ".join(own)
            )
        )
    return arm, worker


def _try_both(
    target: Target, texts: Sequence[str], options: Options, kept: ExitStack
) -> tuple[Arm, Worker]:
    try:
        return _try_in("base", target, texts, options, kept)
    except RequestFailed:
        # It may need what a base install lacks; if it is broken, it fails again.
        return _try_in("full", target, texts, options, kept)


def _try_limited(
    target: Target, texts: Sequence[str], options: Options, kept: ExitStack
) -> tuple[Arm, Worker]:
    # Without the limit first: what fails there is broken, and the environment becomes known.
    unlimited = replace(options, memory_limit_mb=None, memory_group=None)
    with ExitStack() as attempt:
        arm, _ = _try_both(target, texts, unlimited, attempt)
    try:
        return _try_in(arm.environment, target, texts, options, kept)
    except RequestFailed as err:
        raise OverLimit(str(err)) from err


def _try_in(
    environment: Environment,
    target: Target,
    texts: Sequence[str],
    options: Options,
    kept: ExitStack,
) -> tuple[Arm, Worker]:
    with ExitStack() as attempt:
        worker = attempt.enter_context(open_worker(target.name, environment, options))
        worker.ask("start")
        loaded = load(worker, target, options)
        worker.ask("hold", texts=texts)
        worker.ask("first", place=0)
        if options.memory_limit_mb is not None:
            # The largest batch takes the most memory.
            size = max(options.batch_sizes)
            worker.ask("batch", places=list(range(len(texts))), batch_size=size, seconds=0)
        kept.enter_context(attempt.pop_all())
    return Arm(target, environment, loaded), worker


def open_worker(name: str, environment: Environment, options: Options) -> Worker:
    """Start a fresh process.

    name (str): The pipeline's display name.
    environment (str): What the process sees.
    options (Options): How to measure.
    RETURNS (Worker): The process; a context manager that ends it.
    """
    return Worker(
        name,
        environment,
        threads=options.threads,
        seed=options.seed,
        limit=options.new_limit(),
    )


def load(worker: Worker, target: Target, options: Options) -> dict[str, Any]:
    """Ask a process to load a pipeline.

    worker (Worker): The process.
    target (Target): The pipeline.
    options (Options): How to measure.
    RETURNS (Dict[str, Any]): Seconds, memory, and what the pipeline is made of.
    RAISES (RequestFailed): If it does not load.
    """
    return worker.ask(
        "load",
        path=target.path,
        kind=target.kind,
        threads=options.threads,
        code=None if options.code is None else str(options.code),
    )


def judge(
    arm: Arm, worker: Worker, gold: Sequence[Gold], labels: Sequence[str], options: Options
) -> None:
    """Count a pipeline's entities and pieces in gold documents.

    arm (Arm): The pipeline; gets `counts` and `pieces`.
    worker (Worker): A process that holds it, and whose memory is not measured.
    gold (Sequence[Gold]): The gold documents.
    labels (Sequence[str]): The labels to judge.
    options (Options): How to measure.
    """
    label_map = dict(options.label_map)
    for file in gold:
        path = str(file.path)
        counts = worker.ask("score", path=path, labels=labels, label_map=label_map)["counts"]
        by_label = [counts[label] for label in labels]
        arm.counts[file.language] = np.asarray(by_label, dtype=float).transpose(1, 0, 2)
        pieces = worker.ask("pieces", path=path)["pieces"]
        if pieces is not None:
            arm.pieces[file.language] = pieces
