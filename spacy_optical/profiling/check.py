"""Checks of every pipeline before anything is timed: loading, entities, labels and F1."""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import Errors, OpticalError
from .environment import Environment
from .options import Options
from .process import RequestFailed, Worker
from .samples import Samples
from .workload import Target


class OverLimit(OpticalError):
    """A pipeline runs, but not within the memory limit."""


def check_target(
    target: Target, texts: Sequence[str], labels: Iterable[str], options: Options, kept: ExitStack
) -> tuple[Samples, Worker]:
    """Load a pipeline and run texts, as in a base install if that is enough for it.

    texts (Sequence[str]): Texts to try; the first alone, and all if memory is limited.
    kept (ExitStack): Ends the process later.
    RETURNS (Tuple[Samples, Worker]): The pipeline, without samples, and a process that holds it.
    RAISES (OpticalError): If it does not load, fails on the texts, finds no entities or lacks a
        label; `OverLimit` if it only fails within the memory limit.
    """
    if options.memory_limit_mb is None:
        samples, worker = _try_both(target, texts, options, kept)
    else:
        # Without the limit first: what fails there is broken, and the environment becomes known.
        unlimited = replace(options, memory_limit_mb=None, memory_group=None)
        with ExitStack() as attempt:
            found, _ = _try_both(target, texts, unlimited, attempt)
        try:
            samples, worker = _try_in(found.environment, target, texts, options, kept)
        except RequestFailed as err:
            raise OverLimit(str(err)) from err
    if not samples.loaded["finders"]:
        components = ", ".join(samples.loaded["components"]) or "it has no components"
        raise OpticalError(Errors.E609.format(name=target.name, components=components))
    own = samples.loaded["labels"]
    unknown = sorted(set(labels) - {options.label_map.get(label, label) for label in own})
    if own and unknown:
        message = Errors.E610.format(
            name=target.name, unknown=", ".join(unknown), labels=", ".join(own)
        )
        raise OpticalError(message)
    return samples, worker


def _try_both(
    target: Target, texts: Sequence[str], options: Options, kept: ExitStack
) -> tuple[Samples, Worker]:
    try:
        return _try_in("base", target, texts, options, kept)
    except RequestFailed:
        # It may need what a base install lacks; if it is broken, it fails again.
        return _try_in("full", target, texts, options, kept)


def _try_in(
    environment: Environment,
    target: Target,
    texts: Sequence[str],
    options: Options,
    kept: ExitStack,
) -> tuple[Samples, Worker]:
    with ExitStack() as attempt:
        worker = attempt.enter_context(Worker(target.name, environment, options))
        worker.ask("start")
        loaded = worker.load(target)
        worker.ask("hold", texts=texts)
        worker.ask("first", place=0)
        if options.memory_limit_mb is not None:
            # The largest batch takes the most memory.
            size = max(options.batch_sizes)
            worker.ask("batch", places=list(range(len(texts))), batch_size=size, seconds=0)
        kept.enter_context(attempt.pop_all())
    return Samples(target, environment, loaded), worker


def evaluate(
    samples: Samples, worker: Worker, gold: dict[str, Path], labels: list[str], options: Options
) -> None:
    """Count a pipeline's entities and pieces in gold documents."""
    label_map = dict(options.label_map)
    for language, path in gold.items():
        answer = worker.ask("score", path=str(path), labels=labels, label_map=label_map)
        by_label = [answer["counts"][label] for label in labels]
        samples.counts[language] = np.asarray(by_label, dtype=float).transpose(1, 0, 2)
        if answer["pieces"] is not None:
            samples.pieces[language] = answer["pieces"]
