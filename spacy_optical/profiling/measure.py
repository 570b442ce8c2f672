"""Measuring pipelines against each other, each in fresh processes, in turns.

Speed on a machine with other work to do drifts by more than what is to be measured. So the
pipelines take turns in short rounds, on the same texts, in an order that is turned round every
time, and a ratio is taken within each round.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from ..errors import Errors, OpticalError
from .arm import Arm, BatchRound, SingleRound, StartSample, block_sizes
from .check import OverLimit, check_target, judge, load, open_worker
from .machine import MachineWatch
from .noise import warnings_for
from .options import Options
from .process import Worker
from .schema import ExtraRow, NotRun, ProfileReport, Settings
from .summary import floor_estimate, summarize
from .workload import Gold, Target, Workload, make_workload, read_texts

# Texts of the first pass in a fresh process, beside the longest one.
FIRST_PASS_TEXTS = 32
# Batches that each of several processes gets, so that all of them have loaded and run.
BATCHES_A_PROCESS = 4

Say = Callable[[str], None]
FloorSample = tuple[float, float]


def profile(
    pipelines: Sequence[Target],
    *,
    gold: Mapping[str, Path] | None = None,
    texts: Path | None = None,
    options: Options | None = None,
    extra: Sequence[ExtraRow] = (),
    say: Say = lambda text: None,
) -> ProfileReport:
    """Measure what pipelines cost and give.

    pipelines (Sequence[Target]): The pipelines.
    gold (Optional[Mapping[str, Path]]): For each language a `.spacy` file with gold entities.
    texts (Optional[Path]): The texts to run, as `read_texts` takes them; those of the gold
        documents by default.
    options (Optional[Options]): How to measure.
    extra (Sequence[ExtraRow]): F1 of models that are not measured, for the tables.
    say (Callable[[str], None]): Told what is being done.
    RETURNS (ProfileReport): The figures. After Ctrl-C, those that there are, marked as not
        complete.
    RAISES (OpticalError): If a pipeline or file cannot be used, before anything is measured.
    """
    options = options or Options()
    _check_names(pipelines, options.baseline)
    golds = {language: Gold.read(language, path) for language, path in (gold or {}).items()}
    judged = options.labels or set().union(*(file.labels for file in golds.values()))
    labels = sorted(judged) if golds else []
    workload = make_workload(golds, None if texts is None else read_texts(texts), seed=options.seed)
    watch = MachineWatch()
    arms: list[Arm] = []
    floor: list[FloorSample] = []
    not_run: list[NotRun] = []
    # The longest texts take the most memory.
    order = sorted(range(len(workload.texts)), key=workload.word_counts.__getitem__, reverse=True)
    samples = [workload.texts[place] for place in order[: max(options.batch_sizes, default=1)]]
    checked = complete = False
    try:
        with ExitStack() as stack:
            workers = []
            for target in pipelines:
                say(f"Checking {target.name}")
                try:
                    arm, worker = check_target(target, samples, labels, options, stack)
                except OverLimit as err:
                    not_run.append(NotRun(name=target.name, reason=str(err)))
                    continue
                arms.append(arm)
                workers.append(worker)
            _check_any(arms, not_run, options)
            checked = True
            if golds:
                for arm, worker in zip(arms, workers, strict=True):
                    say(f"Judging {arm.name} on {', '.join(golds)}")
                    judge(arm, worker, list(golds.values()), labels, options)
        _measure(arms, floor, workload, options, say)
        complete = True
    except KeyboardInterrupt:
        if not checked:
            raise
    machine = watch.describe()
    profiles = summarize(arms, workload, labels, floor, options)
    return ProfileReport(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        complete=complete,
        machine=machine,
        settings=Settings(
            threads=options.threads,
            batch_sizes=list(options.batch_sizes),
            seconds=options.seconds,
            rounds=options.rounds,
            starts=options.starts,
            seed=options.seed,
            texts=len(workload.texts),
            words=sum(workload.word_counts),
            texts_sha256=workload.sha256,
            labels=labels,
            label_map=dict(options.label_map),
            source_language=options.source_language,
            baseline=options.baseline,
            gold={language: file.describe() for language, file in golds.items()},
            processes=options.processes,
            memory_limit_mb=options.memory_limit_mb,
            memory_limit_kind=options.limit_kind,
            budget=options.budget,
        ),
        floor=floor_estimate(floor, options.seed),
        profiles=profiles,
        extra=list(extra),
        not_run=not_run,
        warnings=warnings_for(profiles, machine, options, not_run, complete=complete),
    )


def _check_names(pipelines: Sequence[Target], baseline: str | None) -> None:
    names = [target.name for target in pipelines]
    for name, times in Counter(names).items():
        if times > 1:
            raise OpticalError(Errors.E611.format(name=name))
    if baseline is not None and baseline not in names:
        raise OpticalError(Errors.E612.format(name=baseline, names=", ".join(names)))


def _check_any(arms: Sequence[Arm], not_run: Sequence[NotRun], options: Options) -> None:
    if not arms and not_run:
        reasons = "; ".join(one.reason for one in not_run)
        message = Errors.E621.format(
            limit=f"{options.memory_limit_mb:g}", kind=options.limit_kind, reasons=reasons
        )
        raise OpticalError(message)


def _measure(
    arms: list[Arm], floor: list[FloorSample], workload: Workload, options: Options, say: Say
) -> None:
    with ExitStack() as stack:
        workers: dict[str, Worker] = {}
        for number in range(options.starts):
            say(f"Start {number + 1} of {options.starts}")
            with open_worker("the import floor", "base", options) as worker:
                answer = worker.ask("floor")
                floor.append((answer["seconds"], answer["memory"]["peak"]))
            for arm in _in_turn(arms, number):
                worker = open_worker(arm.name, arm.environment, options)
                with ExitStack() as start:
                    start.enter_context(worker)
                    arm.starts.append(_start(worker, arm.target, workload, options))
                    if number == options.starts - 1:
                        start.pop_all()
                        workers[arm.name] = stack.enter_context(worker)
        _rounds(arms, workers, workload, options, say)


def _in_turn(arms: list[Arm], number: int) -> list[Arm]:
    return arms if number % 2 == 0 else arms[::-1]


def _start(worker: Worker, target: Target, workload: Workload, options: Options) -> StartSample:
    """From nothing to a warm pipeline, with the memory of every phase."""
    imported = worker.ask("start")
    loaded = load(worker, target, options)
    worker.ask("hold", texts=workload.texts)
    places = list(range(min(FIRST_PASS_TEXTS, len(workload.texts))))
    first = worker.ask("first", place=places[0])
    # The longest text is among them, because it decides the peak.
    warm = [*places[1:], workload.longest]
    answer = worker.ask("single", places=warm, seconds=0)
    single = SingleRound.of(answer)
    memory = {
        "import": imported["memory"],
        "load": loaded["memory"],
        "first call": first["memory"],
        "one by one": answer["memory"],
    }
    batch_text_seconds = {}
    for size in options.batch_sizes:
        block = [*next(workload.blocks(max(size, len(warm))))[1:], workload.longest]
        answer = worker.ask("batch", places=block, batch_size=size, seconds=0)
        memory[f"batches of {size}"] = answer["memory"]
        batch_text_seconds[size] = answer["passed"] / 1e9 / len(block)
    shared = None
    if options.processes > 1:
        size = min(options.batch_sizes)
        block = next(workload.blocks(size * options.processes * BATCHES_A_PROCESS))
        shared = worker.ask("share", places=block, batch_size=size, processes=options.processes)
    return StartSample(
        import_seconds=imported["seconds"],
        load_seconds=loaded["seconds"],
        first_seconds=first["seconds"],
        first_pass_words_per_second=workload.words(warm) / single.milliseconds.sum() * 1e3,
        text_seconds=float(single.milliseconds.mean()) / 1e3,
        batch_text_seconds=batch_text_seconds,
        memory=memory,
        shared=shared,
    )


def _rounds(
    arms: list[Arm],
    workers: Mapping[str, Worker],
    workload: Workload,
    options: Options,
    say: Say,
) -> None:
    seconds = options.seconds / options.rounds
    single_size, batch_blocks = block_sizes(arms, workload, options.batch_sizes, seconds)
    singles = workload.blocks(single_size)
    batches = {size: workload.blocks(texts) for size, texts in batch_blocks.items()}
    for number in range(options.rounds):
        say(f"Round {number + 1} of {options.rounds}")
        places = next(singles)
        for arm in _in_turn(arms, number):
            answer = workers[arm.name].ask("single", places=places, seconds=seconds)
            arm.singles.append(SingleRound.of(answer))
        for size, blocks in batches.items():
            places = next(blocks)
            for arm in _in_turn(arms, number):
                answer = workers[arm.name].ask(
                    "batch", places=places, batch_size=size, seconds=seconds
                )
                found = BatchRound.of(answer, workload.words(places))
                arm.batches.setdefault(size, []).append(found)
