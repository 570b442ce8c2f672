"""Running of the arms. Each run can be continued, and ends with a metrics file."""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from spacy_optical.data.layout import GOLD, CorpusFolder, gold_files
from spacy_optical.data.sources import load_data_config
from spacy_optical.distill.config import DistillConfig, load_config
from spacy_optical.distill.distillation import distill
from spacy_optical.distill.distributed import on_main
from spacy_optical.distill.make_plans import make_plans
from spacy_optical.distill.plan_reader import plans_belong
from spacy_optical.distill.provenance import provenance
from spacy_optical.distill.tagger import METRICS
from spacy_optical.encoders.folder import WEIGHTS
from spacy_optical.errors import OpticalError
from spacy_optical.export.bundle_export import export_bundle
from spacy_optical.export.quantize import preset_named
from spacy_optical.runtime.bundle import MANIFEST_FILE

from . import aligners as aligners  # registers the solvers that arms name
from .arm_config import TEACHER, Arm, Experiments, load_experiments
from .arm_evaluation import evaluate_arm
from .arm_metrics import ArmMetrics, read_arm, write_arm
from .errors import Errors

Say = Callable[[str], None]


@dataclass(frozen=True)
class Run:
    """One arm with one seed, and its validated config."""

    name: str
    arm: Arm
    seed: int
    config: DistillConfig

    @property
    def title(self) -> str:
        """The display name of the run."""
        return f"{self.name}, seed {self.seed}"


def planned_runs(
    config_path: Path,
    experiments: Experiments,
    *,
    names: Iterable[str] = (),
    seeds: Iterable[int] = (),
    overrides: Mapping[str, Any] | None = None,
) -> list[Run]:
    """List the runs, and validate their configs before the first run starts.

    config_path (Path): The config file.
    experiments (Experiments): Its arms.
    names (Iterable[str]): The arms; by default all.
    seeds (Iterable[int]): The seeds of the students; by default those of each arm.
    overrides (Optional[Mapping[str, Any]]): Values for all arms. Those of an arm override them.
    RETURNS (List[Run]): The runs, in the order of names.
    RAISES (OpticalError): If there is no such arm, or an override or a preset is invalid.
    """
    chosen = list(names) or list(experiments.arms)
    common = dict(overrides or {})
    base = load_config(config_path, common)
    runs = []
    for name in chosen:
        if name not in experiments.arms:
            known = ", ".join(experiments.arms)
            raise OpticalError(Errors.E239.format(path=config_path, name=name, known=known))
        arm = experiments.arms[name]
        if arm.preset:
            preset_named(arm.preset)
        for seed in [base.seed] if name == TEACHER else list(seeds) or arm.seeds:
            config = load_config(config_path, {**common, **arm.overrides, "training.seed": seed})
            if (key := _plans_key(config, arm)) != _plans_key(base):
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
    """Train and evaluate arms, one after the other. Finished runs are kept.

    config_path (Path): The config file, with arms.
    teacher (Path): The teacher's folder.
    out (Path): Folder for the students, each in `ARM-seedN-FINGERPRINT`, its bundle beside it.
    metrics (Path): Folder for the metrics files, `ARM-seedN.json`.
    names, seeds, overrides: As for `planned_runs`.
    say (Callable[[str], None]): Called with a line for each step.
    RETURNS (List[Path]): The metrics files, in order.
    RAISES (OpticalError): As `planned_runs`, `make_plans`, `distill`, `export_bundle` and
        `evaluate_arm`. Earlier metrics files are kept, and the next call continues.
    """
    experiments = load_experiments(config_path)
    languages = load_data_config(config_path).languages
    names_of = {code: language.name or code for code, language in languages.items()}
    runs = planned_runs(config_path, experiments, names=names, seeds=seeds, overrides=overrides)
    models = _Models(
        config_path, experiments, names_of, Path(teacher), Path(out), dict(overrides or {}), say
    )
    written = []
    for number, run in enumerate(runs, 1):
        path = Path(metrics) / f"{run.name}-seed{run.seed}.json"
        say(f"[{number}/{len(runs)}] {run.title}: {run.arm.title}")
        prepared = models.prepare(run)
        if on_main(partial(_is_done, path, prepared)):
            say(f"Done already, {path}")
        else:
            model = models.model(prepared)
            on_main(partial(_evaluate, prepared, models, model, path))
            say(f"Written to {path}")
        written.append(path)
    return written


@dataclass(frozen=True)
class Prepared:
    """A run with its teacher, its config with all paths, and its provenance."""

    run: Run
    teacher: Path
    config: DistillConfig
    record: dict[str, Any]


@dataclass(frozen=True)
class _Models:
    """The models of the experiments, trained on first use."""

    config_path: Path
    experiments: Experiments
    languages: dict[str, str]
    teacher: Path
    out: Path
    overrides: dict[str, Any]
    say: Say

    def prepare(self, run: Run) -> Prepared:
        """Get the dependencies of a run; the arm of its teacher is trained if necessary."""
        config, teacher = run.config, self.teacher
        if run.arm.teacher:
            first = planned_runs(
                self.config_path,
                self.experiments,
                names=[run.arm.teacher],
                overrides=self.overrides,
            )[0]
            teacher = self.model(self.prepare(first))
            # The adapted teacher was trained on the bitext, so it also aligns the pairs.
            paths = config.paths.model_copy(update={"encoder": teacher})
            config = config.model_copy(update={"paths": paths})
        return Prepared(run, teacher, config, _record(run, config, teacher, self.experiments))

    def model(self, prepared: Prepared) -> Path:
        """Get the model of a run; it is trained if necessary."""
        run, config, teacher = prepared.run, prepared.config, prepared.teacher
        if run.name == TEACHER:
            return teacher
        model = self.out / f"{run.name}-seed{run.seed}-{prepared.record['fingerprint']}"
        if not on_main((model / METRICS).is_file):
            on_main(partial(self._plans, config, teacher))
            self.say(f"Training {run.title}")
            distill(config, teacher, model, resume=True, say=self.say)
        self.say(f"Student in {model}")
        return model

    def _plans(self, config: DistillConfig, teacher: Path) -> None:
        if not plans_belong(config, teacher):
            make_plans(config, teacher, say=self.say)

    def bundle(self, prepared: Prepared, model: Path) -> Path:
        """Get the bundle of a model; it is exported if necessary."""
        bundle = model.with_name(f"{model.name}-{prepared.run.arm.preset}")
        if not (bundle / MANIFEST_FILE).is_file():
            # Gold of target languages is for evaluation only, so the gate uses English. The bundle
            # of an arm that fails is evaluated too.
            dev = {
                prepared.config.data.source: CorpusFolder(prepared.config.paths.corpus).source_dev
            }
            export_bundle(
                model, bundle, dev, preset=prepared.run.arm.preset, force=True, say=self.say
            )
        return bundle


def _evaluate(prepared: Prepared, models: _Models, model: Path, path: Path) -> None:
    """Write a run's metrics file."""
    run, config = prepared.run, prepared.config
    # The checkpoint is three times as large as the student, and no longer needed.
    if run.name != TEACHER:
        shutil.rmtree(model.with_name(f"{model.name}-checkpoint"), ignore_errors=True)
    bundle = None
    if run.name != TEACHER and run.arm.preset:
        bundle = models.bundle(prepared, model)
    learned = json.loads((model / METRICS).read_text(encoding="utf8"))
    metrics = ArmMetrics(
        arm=run.name,
        number=run.arm.number,
        title=run.arm.title,
        reference=models.experiments.reference,
        seed=run.seed,
        fingerprint=prepared.record["fingerprint"],
        bitext=config.data.languages,
        names=models.languages,
        languages=evaluate_arm(
            bundle or model, _gold(config, models.experiments), models.experiments.labels
        ),
        english_dev=learned["english_dev"]["ents_f"],
        parameters=learned.get("parameters"),
        preset=run.arm.preset if bundle else "",
        megabytes=sum(f.stat().st_size for f in bundle.iterdir()) / 1e6 if bundle else None,
        epochs=learned["epochs"],
        provenance=prepared.record,
    )
    write_arm(metrics, path)


def _gold(config: DistillConfig, experiments: Experiments) -> dict[str, Path]:
    corpus = CorpusFolder(config.paths.corpus)
    if experiments.languages:
        return {code: corpus.gold(code, "test") for code in experiments.languages}
    return gold_files(corpus.path / GOLD, "test")


def _plans_key(config: DistillConfig, arm: Arm | None = None) -> str:
    """A hash that differs if the plans of two configs differ."""
    content = f"{config.fingerprint('data', 'plans')} {config.student.middle[1]}"
    content += f" {config.training.max_pieces} {arm.teacher if arm else ''} {config.paths.corpus}"
    return hashlib.sha256(content.encode("utf8")).hexdigest()[:8]


def _record(
    run: Run, config: DistillConfig, teacher: Path, experiments: Experiments
) -> dict[str, Any]:
    corpus = CorpusFolder(config.paths.corpus)
    data = [corpus.source_train, corpus.source_dev]
    data += [teacher / WEIGHTS, *_gold(config, experiments).values()]
    if run.name != TEACHER:
        data += [config.paths.encoder / WEIGHTS]
        data += [corpus.bitext(language) for language in config.data.languages]
    for path in data:
        if not path.is_file():
            raise OpticalError(Errors.E002.format(what="file", path=path))
    return provenance(config, "teacher" if run.name == TEACHER else "student", data)


def _is_done(path: Path, prepared: Prepared) -> bool:
    """Whether a readable metrics file of this run exists."""
    preset = "" if prepared.run.name == TEACHER else prepared.run.arm.preset
    try:
        earlier = read_arm(path)
    except OpticalError:
        return False
    return (earlier.fingerprint, earlier.preset) == (prepared.record["fingerprint"], preset)
