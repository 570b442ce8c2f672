"""Running the arms: each is one resumable run that ends in one metrics file."""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ..data.labelled import gold_files
from ..distill.config import DistillConfig, load_config
from ..distill.distil import distill
from ..distill.lessons import bitext_path
from ..distill.plans import make_plans, plans_belong
from ..distill.processes import on_main
from ..distill.provenance import provenance
from ..distill.student import METRICS
from ..distill.teacher import ENGLISH_DEV, ENGLISH_TRAIN
from ..encoders.fetch import WEIGHTS
from ..errors import Errors, OpticalError
from .config import TEACHER, Arm, Benchmark, load_benchmark
from .judge import judge
from .metrics import ArmMetrics, read_arm, write_arm

Say = Callable[[str], None]


@dataclass(frozen=True)
class Run:
    """One arm with one seed, its config checked, its plans' folder named."""

    name: str
    arm: Arm
    seed: int
    config: DistillConfig

    @property
    def title(self) -> str:
        """How the run is called on screen."""
        return f"{self.name}, seed {self.seed}"


def planned_runs(
    config_path: Path,
    benchmark: Benchmark,
    *,
    names: Iterable[str] = (),
    seeds: Iterable[int] = (),
    overrides: Mapping[str, Any] | None = None,
) -> list[Run]:
    """List the runs that are asked for, and check their configs before the first begins.

    config_path (Path): The config file.
    benchmark (Benchmark): Its benchmark.
    names (Iterable[str]): The arms; by default all.
    seeds (Iterable[int]): The students' seeds; by default each arm's own.
    overrides (Optional[Mapping[str, Any]]): Values for all arms; an arm's own come last.
    RETURNS (List[Run]): The runs, in the order of names.
    RAISES (OpticalError): If there is no such arm, or an override is wrong.
    """
    chosen = list(names) or list(benchmark.arms)
    common = dict(overrides or {})
    base = load_config(config_path, common)
    runs = []
    for name in chosen:
        if name not in benchmark.arms:
            known = ", ".join(benchmark.arms)
            raise OpticalError(
                Errors.E239.format(path=config_path, what="arm", name=name, known=known)
            )
        arm = benchmark.arms[name]
        for seed in [base.seed] if name == TEACHER else list(seeds) or arm.seeds:
            config = load_config(config_path, {**common, **arm.overrides, "training.seed": seed})
            if (key := _plans_key(config)) != _plans_key(base):
                plans = base.paths.plans.with_name(f"{base.paths.plans.name}-{key}")
                paths = config.paths.model_copy(update={"plans": plans})
                config = config.model_copy(update={"paths": paths})
            runs.append(Run(name, arm, seed, config))
    return runs


def run_arms(
    config_path: Path,
    teacher: Path,
    out: Path,
    metrics: Path,
    *,
    names: Iterable[str] = (),
    seeds: Iterable[int] = (),
    overrides: Mapping[str, Any] | None = None,
    say: Say = lambda text: None,
) -> list[Path]:
    """Train and judge arms, one after the other; what is done already is kept.

    config_path (Path): The config file, with a benchmark.
    teacher (Path): The teacher's folder.
    out (Path): Folder for the students, each in `ARM-seedN-FINGERPRINT`.
    metrics (Path): Folder for the metrics files, `ARM-seedN.json`.
    names, seeds, overrides: As for `planned_runs`.
    say (Callable[[str], None]): Told of every step.
    RETURNS (List[Path]): The metrics files, in order.
    RAISES (OpticalError): As `planned_runs`, `make_plans`, `distill` and `judge`; the metrics files
        before that are whole, and the run is continued by the next call.
    """
    benchmark = load_benchmark(config_path)
    runs = planned_runs(config_path, benchmark, names=names, seeds=seeds, overrides=overrides)
    written = []
    for number, run in enumerate(runs, 1):
        path = Path(metrics) / f"{run.name}-seed{run.seed}.json"
        record = _record(run, Path(teacher))
        if on_main(partial(_is_done, path, record["fingerprint"])):
            say(f"[{number}/{len(runs)}] {run.title}: done already, {path}")
        else:
            say(f"[{number}/{len(runs)}] {run.title}: {run.arm.title}")
            model = _learned(run, record, Path(teacher), Path(out), say)
            on_main(partial(_judge, run, benchmark, record, model, path))
            say(f"Written to {path}")
        written.append(path)
    return written


def _learned(run: Run, record: dict[str, Any], teacher: Path, out: Path, say: Say) -> Path:
    """Give the folder of a run's model, trained if it is not there yet."""
    config = run.config
    if run.name == TEACHER:
        return teacher
    model = out / f"{run.name}-seed{run.seed}-{record['fingerprint']}"
    if not on_main((model / METRICS).is_file):
        on_main(lambda: plans_belong(config, teacher) or bool(make_plans(config, teacher, say=say)))
        distill(config, teacher, model, resume=True, say=say)
    say(f"Student in {model}")
    return model


def _judge(run: Run, benchmark: Benchmark, record: dict[str, Any], model: Path, path: Path) -> None:
    """Write a run's metrics file."""
    config = run.config
    found = judge(model, _gold(config))
    learned = json.loads((model / METRICS).read_text(encoding="utf8"))
    # The checkpoint is three times the student; all that it was for is done.
    if run.name != TEACHER:
        shutil.rmtree(model.with_name(f"{model.name}-checkpoint"), ignore_errors=True)
    metrics = ArmMetrics(
        arm=run.name,
        number=run.arm.number,
        title=run.arm.title,
        reference=benchmark.reference,
        seed=run.seed,
        fingerprint=record["fingerprint"],
        bitext=config.data.languages,
        names={code: language.name or code for code, language in benchmark.languages.items()},
        languages=found,
        english_dev=learned["english_dev"]["ents_f"],
        parameters=learned.get("parameters"),
        epochs=learned["epochs"],
        provenance=record,
    )
    write_arm(metrics, path)


def _gold(config: DistillConfig) -> dict[str, Path]:
    return gold_files(config.paths.corpus / "gold", "test")


def _plans_key(config: DistillConfig) -> str:
    """Tell apart configs whose plans differ."""
    told = f"{config.fingerprint('data', 'plans')} {config.student.layers}"
    told += f" {config.training.max_pieces}"
    return hashlib.sha256(told.encode("utf8")).hexdigest()[:8]


def _record(run: Run, teacher: Path) -> dict[str, Any]:
    config = run.config
    data = [config.paths.corpus / ENGLISH_TRAIN, config.paths.corpus / ENGLISH_DEV]
    data += [teacher / WEIGHTS, *_gold(config).values()]
    if run.name != TEACHER:
        data += [config.paths.encoder / WEIGHTS]
        data += [bitext_path(config, language) for language in config.data.languages]
    for path in data:
        if not path.is_file():
            raise OpticalError(Errors.E002.format(what="file", path=path))
    return provenance(config, "teacher" if run.name == TEACHER else "student", data)


def _is_done(path: Path, fingerprint: str) -> bool:
    """Tell whether a metrics file is of this very run; one that cannot be read is not."""
    try:
        return path.is_file() and read_arm(path).fingerprint == fingerprint
    except OpticalError:
        return False
