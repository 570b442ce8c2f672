"""Measure and compare pipelines, each in fresh processes.

The speed of a busy machine changes by more than the differences between pipelines. Therefore the
pipelines take turns in short rounds, on the same texts and in alternating order, and ratios are
computed within each round.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from ..data.plain_texts import read_texts
from ..data.word_tokenizer import tokenizer_for
from ..errors import Errors, OpticalError
from .aggregation import floor_estimate, summarize
from .check import OverLimit, check_target
from .machine_load import MachineWatch
from .noise import warnings_for
from .options import Options
from .process import Worker
from .samples import BatchRound, Samples, SingleRound, StartSample
from .schema import ExtraRow, NotRun, ProfileReport, Settings
from .workload import Target, Workload, describe_gold, read_gold

# The libraries that every pipeline imports.
FLOOR = ("spacy", "onnxruntime", "tokenizers")
# Texts of the first pass in a fresh process, in addition to the longest text.
FIRST_PASS_TEXTS = 32
# Batches for each of several processes, so that all of them load and run.
BATCHES_PER_PROCESS = 4
# Percentiles need at least this number of calls in a round.
MIN_TEXTS = 8

Say = Callable[[str], None]


def profile(
    pipelines: str | Target | Sequence[str | Target],
    *,
    gold: Mapping[str, str | Path] | None = None,
    texts: str | Path | None = None,
    options: Options | None = None,
    extra: Sequence[ExtraRow] = (),
    say: Say = lambda text: None,
) -> ProfileReport:
    """Measure latency, speed, memory, disk and F1 of pipelines.

    pipelines (Union[str, Target, Sequence[Union[str, Target]]]): The pipelines. Strings as for
        `Target.parse`.
    gold (Optional[Mapping[str, Union[str, Path]]]): A `.spacy` file with gold entities for each
        language.
    texts (Optional[Union[str, Path]]): The texts to run, a file as for `read_texts`. Defaults to
        the texts of the gold documents.
    options (Optional[Options]): The settings.
    extra (Sequence[ExtraRow]): F1 of other models, to show in the tables.
    say (Callable[[str], None]): Called with a progress message at each step.
    RETURNS (ProfileReport): The report. After Ctrl-C it is marked as incomplete and has the
        figures so far.
    RAISES (OpticalError): If a pipeline or file cannot be used. This is checked first.
    """
    options = options or Options()
    if isinstance(pipelines, str | Target):
        pipelines = [pipelines]
    targets = [Target.parse(one) if isinstance(one, str) else one for one in pipelines]
    names = [target.name for target in targets]
    rows = [*names, *(row.name for row in extra)]
    for name in rows:
        if rows.count(name) > 1:
            raise OpticalError(Errors.E611.format(name=name))
    if options.baseline is not None and options.baseline not in names:
        raise OpticalError(Errors.E612.format(name=options.baseline, names=", ".join(names)))
    paths = {language: Path(path) for language, path in (gold or {}).items()}
    golds = {language: read_gold(path) for language, path in paths.items()}
    files = {language: describe_gold(paths[language], docs) for language, docs in golds.items()}
    docs = list(chain.from_iterable(golds.values()))
    found = {ent.label_ for doc in docs for ent in doc.ents}
    labels = sorted(options.labels or found) if docs else []
    if texts is None and not docs:
        raise OpticalError(Errors.E608)
    if not targets:
        values = {"name": "pipelines", "value": "()", "expected": "one or more"}
        raise OpticalError(Errors.E114.format(**values))
    given = docs if texts is None else tokenizer_for("xx").pipe(read_texts(Path(texts)))
    workload = Workload(given, options.seed)
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


@dataclass
class _Run:
    """The measurements of a run, also of an interrupted one."""

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
        options = self.options
        longest = self.workload.longest_first[: max(options.batch_sizes)]
        texts = [self.workload.texts[place] for place in longest]
        for target in targets:
            self.say(f"Checking {target.name}")
            try:
                self.pipelines.append(check_target(target, texts, labels, options, stack))
            except OverLimit as err:
                self.not_run.append(NotRun(name=target.name, reason=str(err)))
        if self.not_run and not self.pipelines:
            limit, kind = f"{options.memory_limit_mb:g}", options.limit_kind
            reasons = "; ".join(one.reason for one in self.not_run)
            raise OpticalError(Errors.E621.format(limit=limit, kind=kind, reasons=reasons))
        self.checked = True
        scored = {"labels": labels, "label_map": dict(options.label_map)}
        for samples in self.pipelines:
            if gold:
                self.say(f"Evaluating {samples.target.name}")
            counts = {}
            for language, path in gold.items():
                answer = samples.worker.ask("score", path=str(path), **scored)
                by_label = [answer["counts"][label] for label in labels]
                counts[language] = np.asarray(by_label, dtype=float).transpose(1, 0, 2)
                if answer["pieces"] is not None:
                    samples.pieces[language] = answer["pieces"]
            # After Ctrl-C, a macro F1 of some languages would be compared with one of all.
            samples.counts = counts

    def measure(self) -> None:
        """Measure the starts, then the rounds."""
        options = self.options
        with ExitStack() as stack:
            for number in range(options.starts):
                self.say(f"Start {number + 1} of {options.starts}")
                with Worker("the import floor", "base", options) as floor:
                    self.floor.append(floor.ask("start", modules=FLOOR))
                last = number == options.starts - 1
                for one in self._in_turn(number):
                    # The processes of the last start are used for the rounds.
                    with nullcontext(stack) if last else ExitStack() as kept:
                        worker = Worker(one.target.name, one.environment, options)
                        one.worker = kept.enter_context(worker)
                        one.starts.append(_start(worker, one.target, self.workload, options))
            _rounds(self)

    def _in_turn(self, number: int) -> list[Samples]:
        return self.pipelines if number % 2 == 0 else self.pipelines[::-1]


def _start(worker: Worker, target: Target, workload: Workload, options: Options) -> StartSample:
    """Start a pipeline and run the first texts, with the memory of every phase."""
    phases = {"import": worker.ask("start"), "load": worker.load(target)}
    worker.ask("hold", texts=workload.texts)
    phases["first call"] = worker.ask("first")
    # The longest text decides the peak.
    longest = workload.longest_first[0]
    warm = [*range(1, min(FIRST_PASS_TEXTS, len(workload.texts))), longest]
    phases["one by one"] = worker.ask("single", places=warm, seconds=0)
    batch_text_seconds = {}
    for size in options.batch_sizes:
        block = [*next(workload.blocks(max(size, len(warm))))[1:], longest]
        answer = worker.ask("batch", places=block, batch_size=size, seconds=0)
        phases[f"batches of {size}"] = answer
        batch_text_seconds[size] = answer["passed"] / 1e9 / len(block)
    shared = None
    if options.processes > 1:
        size = min(options.batch_sizes)
        block = next(workload.blocks(size * options.processes * BATCHES_PER_PROCESS))
        shared = worker.ask("share", places=block, batch_size=size, processes=options.processes)
    return StartSample(
        phases=phases,
        first_pass=SingleRound.of(phases["one by one"]),
        batch_text_seconds=batch_text_seconds,
        shared=shared,
    )


def _rounds(run: _Run) -> None:
    options, workload, every = run.options, run.workload, len(run.workload.texts)
    seconds = options.seconds / options.rounds
    # A round has as many texts as the slowest pipeline can process in its time.
    starts = [one.starts[-1] for one in run.pipelines]
    slowest = max(start.first_pass.milliseconds.mean() for start in starts) / 1e3
    singles = workload.blocks(min(max(int(seconds / slowest), MIN_TEXTS), every))
    batches = {}
    for size in options.batch_sizes:
        slowest = max(start.batch_text_seconds[size] for start in starts)
        count = int(min(seconds / slowest, every)) // size
        batches[size] = workload.blocks(max(count, 1) * size)
    for number in range(options.rounds):
        run.say(f"Round {number + 1} of {options.rounds}")
        places = next(singles)
        for one in run._in_turn(number):
            answer = one.worker.ask("single", places=places, seconds=seconds)
            one.singles.append(SingleRound.of(answer))
        for size, blocks in batches.items():
            places = next(blocks)
            arguments = {"places": places, "batch_size": size, "seconds": seconds}
            for one in run._in_turn(number):
                answer = one.worker.ask("batch", **arguments)
                passed, waited = answer["passed"], answer["waited"]
                words = workload.words(places) * answer["times"] * 1e9
                found = BatchRound(words / (passed - waited), words / passed, waited / passed)
                one.batches.setdefault(size, []).append(found)
