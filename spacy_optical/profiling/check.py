"""Check each pipeline before anything is timed: loading, entities, labels and F1."""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace

from ..errors import Errors, OpticalError
from .environment import Environment
from .options import Options
from .process import RequestFailed, Worker
from .samples import Samples
from .workload import Target


class OverLimit(OpticalError):
    """A pipeline runs only without the memory limit."""


def check_target(
    target: Target, texts: Sequence[str], labels: Iterable[str], options: Options, kept: ExitStack
) -> Samples:
    """Load a pipeline and run texts, in a base install if possible.

    target (Target): The pipeline.
    texts (Sequence[str]): The texts. Only the first one is used if memory is not limited.
    labels (Iterable[str]): The labels that the pipeline needs.
    options (Options): The settings.
    kept (ExitStack): Ends the process.
    RETURNS (Samples): The pipeline and its process, without measurements.
    RAISES (OpticalError): If the pipeline does not load, fails on the texts, finds no entities or
        lacks a label. `OverLimit` if it only fails within the memory limit.
    """
    if options.memory_limit_mb is None:
        samples = _try_both(target, texts, options, kept)
    else:
        # A pipeline that fails without the limit is broken. This also selects the environment.
        unlimited = replace(options, memory_limit_mb=None, memory_group=None)
        with ExitStack() as attempt:
            found = _try_both(target, texts, unlimited, attempt)
        try:
            samples = _try_in(found.environment, target, texts, options, kept)
        except RequestFailed as err:
            raise OverLimit(str(err)) from err
    if not samples.loaded["finders"]:
        components = ", ".join(samples.loaded["components"]) or "it has no components"
        raise OpticalError(Errors.E609.format(name=target.name, components=components))
    own = samples.loaded["labels"]
    unknown = sorted(set(labels) - {options.label_map.get(label, label) for label in own})
    if own and unknown:
        lists = {"unknown": ", ".join(unknown), "labels": ", ".join(own)}
        raise OpticalError(Errors.E610.format(name=target.name, **lists))
    return samples


def _try_both(target: Target, texts: Sequence[str], options: Options, kept: ExitStack) -> Samples:
    try:
        return _try_in("base", target, texts, options, kept)
    except RequestFailed:
        # It may need a package that a base install does not have.
        return _try_in("full", target, texts, options, kept)


def _try_in(
    environment: Environment,
    target: Target,
    texts: Sequence[str],
    options: Options,
    kept: ExitStack,
) -> Samples:
    with ExitStack() as attempt:
        worker = attempt.enter_context(Worker(target.name, environment, options))
        worker.ask("start")
        loaded = worker.load(target)
        worker.ask("hold", texts=texts)
        worker.ask("first")
        if options.memory_limit_mb is not None:
            # The largest batch needs the most memory.
            size = max(options.batch_sizes)
            worker.ask("batch", places=list(range(len(texts))), batch_size=size, seconds=0)
        kept.enter_context(attempt.pop_all())
    return Samples(target, environment, loaded, worker)
