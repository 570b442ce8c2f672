"""Measuring pipelines against each other, each in fresh processes.

The speed of a busy machine drifts by more than the differences to be measured. So the pipelines
take turns in short rounds, on the same texts and in alternating order, and ratios are taken within
each round.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

from ..data.plain_texts import read_texts
from ..errors import Errors, OpticalError
from .aggregation import floor_estimate, summarize
from .check import OverLimit, check_target, evaluate
from .machine_load import MachineWatch
from .noise import warnings_for
from .options import Options
from .process import Worker
from .samples import BatchRound, Samples, SingleRound, StartSample, block_sizes
from .schema import ExtraRow, NotRun, ProfileReport, Settings
from .workload import Target, Workload, describe_gold, make_workload, read_gold

# What every pipeline imports.
FLOOR = ("spacy", "onnxruntime", "tokenizers")
# Texts of the first pass in a fresh process, without the longest one.
FIRST_PASS_TEXTS = 32
# Batches for each of several processes, so that all of them load and run.
BATCHES_A_PROCESS = 4

Say = Callable[[str], None]


def profile(
    pipelines: Sequence[str | Target],
    *,
    gold: Mapping[str, str | Path] | None = None,
    texts: str | Path | None = None,
    options: Options | None = None,
    extra: Sequence[ExtraRow] = (),
    say: Say = lambda text: None,
) -> ProfileReport:
    """Measure latency, speed, memory, disk and F1 of pipelines.

    pipelines (Sequence[Union[str, Target]]): The pipelines; text as `Target.parse` takes it.
    gold (Optional[Mapping[str, Union[str, Path]]]): For each language a `.spacy` file with gold
        entities.
    texts (Optional[Union[str, Path]]): The texts to run, as `read_texts` takes them; those of the
        gold documents by default.
    options (Optional[Options]): How to measure.
    extra (Sequence[ExtraRow]): F1 of other models, shown in the tables.
    say (Callable[[str], None]): Receives a line of progress for each step.
    RETURNS (ProfileReport): The report. After Ctrl-C it has the figures so far and is marked as
        incomplete.
    RAISES (OpticalError): If a pipeline or file cannot be used, before anything is measured.
    """
    options = options or Options()
    targets = [Target.parse(one) if isinstance(one, str) else one for one in pipelines]
    _check_names([target.name for target in targets], options.baseline)
    paths = {language: Path(path) for language, path in (gold or {}).items()}
    golds = {language: read_gold(path) for language, path in paths.items()}
    files = {language: describe_gold(paths[language], docs) for language, docs in golds.items()}
    docs = list(chain.from_iterable(golds.values()))
    found = {ent.label_ for doc in docs for ent in doc.ents}
    labels = sorted(options.labels or found) if docs else []
    given = None if texts is None else read_texts(Path(texts))
    workload = make_workload(docs, given, seed=options.seed)
    watch = MachineWatch()
    run = _Run(workload, options, say)
    complete = False
    try:
        with ExitStack() as stack:
            run.check(targets, paths, labels, stack)
        run.measure()
        complete = True
    except KeyboardInterrupt:
        if not run.checked:
            raise
    machine = watch.describe()
    same = vars(options).keys() & Settings.model_fields.keys() - {"labels"}
    floor = floor_estimate(run.floor, options.seed)
    profiles = summarize(run.pipelines, workload, labels, floor, options)
    return ProfileReport(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        complete=complete,
        machine=machine,
        settings=Settings(
            **{name: getattr(options, name) for name in same},
            labels=labels,
            texts=len(workload.texts),
            words=sum(workload.word_counts),
            texts_sha256=workload.sha256,
            gold=files,
            memory_limit_kind=options.limit_kind,
        ),
        floor=floor,
        profiles=profiles,
        extra=list(extra),
        not_run=run.not_run,
        warnings=warnings_for(profiles, machine, options, run.not_run, complete=complete),
    )


def _check_names(names: list[str], baseline: str | None) -> None:
    for name in names:
        if names.count(name) > 1:
            raise OpticalError(Errors.E611.format(name=name))
    if baseline is not None and baseline not in names:
        raise OpticalError(Errors.E612.format(name=baseline, names=", ".join(names)))


@dataclass
class _Run:
    """The samples of a run, as far as it got."""

    workload: Workload
    options: Options
    say: Say
    checked: bool = False
    pipelines: list[Samples] = field(default_factory=list)
    floor: list[dict[str, Any]] = field(default_factory=list)
    not_run: list[NotRun] = field(default_factory=list)

    def check(
        self, targets: list[Target], gold: dict[str, Path], labels: list[str], stack: ExitStack
    ) -> None:
        """Check all pipelines, then evaluate them."""
        options, workers = self.options, []
        longest = self.workload.longest_first[: max(options.batch_sizes, default=1)]
        texts = [self.workload.texts[place] for place in longest]
        for target in targets:
            self.say(f"Checking {target.name}")
            try:
                samples, worker = check_target(target, texts, labels, options, stack)
            except OverLimit as err:
                self.not_run.append(NotRun(name=target.name, reason=str(err)))
                continue
            self.pipelines.append(samples)
            workers.append(worker)
        if self.not_run and not self.pipelines:
            limit, kind = f"{options.memory_limit_mb:g}", options.limit_kind
            reasons = "; ".join(one.reason for one in self.not_run)
            raise OpticalError(Errors.E621.format(limit=limit, kind=kind, reasons=reasons))
        self.checked = True
        for samples, worker in zip(self.pipelines, workers, strict=True):
            if gold:
                self.say(f"Evaluating {samples.name}")
                evaluate(samples, worker, gold, labels, options)

    def measure(self) -> None:
        """Measure starts, then rounds."""
        options = self.options
        with ExitStack() as stack:
            workers: dict[str, Worker] = {}
            for number in range(options.starts):
                self.say(f"Start {number + 1} of {options.starts}")
                with Worker("the import floor", "base", options) as worker:
                    self.floor.append(worker.ask("start", modules=FLOOR))
                for one in self._in_turn(number):
                    worker = Worker(one.name, one.environment, options)
                    with ExitStack() as start:
                        start.enter_context(worker)
                        one.starts.append(_start(worker, one.target, self.workload, options))
                        if number == options.starts - 1:
                            start.pop_all()
                            workers[one.name] = stack.enter_context(worker)
            _rounds(self, workers)

    def _in_turn(self, number: int) -> list[Samples]:
        return self.pipelines if number % 2 == 0 else self.pipelines[::-1]


def _start(worker: Worker, target: Target, workload: Workload, options: Options) -> StartSample:
    """From nothing to a warm pipeline, with the memory of every phase."""
    phases = {"import": worker.ask("start"), "load": worker.load(target)}
    worker.ask("hold", texts=workload.texts)
    phases["first call"] = worker.ask("first", place=0)
    # The longest text is among them, because it decides the peak.
    longest = workload.longest_first[0]
    warm = [*range(1, min(FIRST_PASS_TEXTS, len(workload.texts))), longest]
    phases["one by one"] = worker.ask("single", places=warm, seconds=0)
    single = SingleRound.of(phases["one by one"])
    batch_text_seconds = {}
    for size in options.batch_sizes:
        block = [*next(workload.blocks(max(size, len(warm))))[1:], longest]
        answer = worker.ask("batch", places=block, batch_size=size, seconds=0)
        phases[f"batches of {size}"] = answer
        batch_text_seconds[size] = answer["passed"] / 1e9 / len(block)
    shared = None
    if options.processes > 1:
        size = min(options.batch_sizes)
        block = next(workload.blocks(size * options.processes * BATCHES_A_PROCESS))
        shared = worker.ask("share", places=block, batch_size=size, processes=options.processes)
    return StartSample(
        phases=phases,
        first_pass_words_per_second=workload.words(warm) / single.milliseconds.sum() * 1e3,
        text_seconds=float(single.milliseconds.mean()) / 1e3,
        batch_text_seconds=batch_text_seconds,
        shared=shared,
    )


def _rounds(run: _Run, workers: Mapping[str, Worker]) -> None:
    options, workload = run.options, run.workload
    seconds = options.seconds / options.rounds
    single_size, sizes = block_sizes(run.pipelines, workload, options.batch_sizes, seconds)
    singles = workload.blocks(single_size)
    batches = {size: workload.blocks(texts) for size, texts in sizes.items()}
    for number in range(options.rounds):
        run.say(f"Round {number + 1} of {options.rounds}")
        places = next(singles)
        for one in run._in_turn(number):
            answer = workers[one.name].ask("single", places=places, seconds=seconds)
            one.singles.append(SingleRound.of(answer))
        for size, blocks in batches.items():
            places = next(blocks)
            arguments = {"places": places, "batch_size": size, "seconds": seconds}
            for one in run._in_turn(number):
                answer = workers[one.name].ask("batch", **arguments)
                words = workload.words(places) * answer["times"]
                found = BatchRound(words, answer["passed"], answer["waited"])
                one.batches.setdefault(size, []).append(found)
