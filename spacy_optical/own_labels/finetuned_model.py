"""Fine-tune a model on gold with other labels, and export a bundle and a pipeline."""

import hashlib
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..config import checked
from ..data.docs import write_docs
from ..distill.calibrate import calibrate
from ..distill.distributed import world
from ..distill.loop import train as train_tagger
from ..distill.provenance import surroundings
from ..distill.tagger import WordTagger, finished, load_tagger, save_tagger
from ..distill.tagger_evaluation import entity_scores
from ..encoders.folder import CONFIG, TOKENIZER, WEIGHTS
from ..errors import Errors, OpticalError
from ..export.bundle_export import export_bundle
from ..export.from_bundle import tagger_of_bundle
from ..export.pipeline_folder import assemble
from ..export.quantize import preset_named
from ..export.verify import Gate
from ..files import check_no_input, check_replaceable, scratch_folder, sha256
from ..runtime.bundle import MANIFEST_FILE, MODEL_FILE, WEIGHTS_FILE, Bundle, model_path, read_info
from ..runtime.pieces import WordPieces
from ..runtime.word_tokens import word_tokens
from .finetuning import Finetuning, OwnGold, gather
from .own_labels_task import OwnLabelsTask, target_sentences, with_new_labels

# What the bundle may lose to quantisation. A model of few sentences loses more than other students.
# Points of F1 (measured: 1.2 with 442 entities of Hausa); entities, if the development file is
# small; and the share of words with other tags (measured: 3.2 % with 50 sentences).
LOST, FEW, CHANGED = 2.0, 5, 0.05


def finetune(
    model: str | Path,
    train: str | Path,
    dev: str | Path,
    out: str | Path,
    *,
    labels: Literal["keep", "replace"] = "keep",
    label_map: Mapping[str, str] | None = None,
    beside: str | Path | None = None,
    spans_key: str | None = None,
    epochs: int | None = None,
    patience: int = 5,
    batch_size: int = 16,
    learning_rate: float = 5e-4,
    seed: int = 0,
    preset: str = "auto",
    language: str = "xx",
    resume: bool = False,
    force: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Train a model on gold with labels of your own, and make a bundle and a pipeline of it.

    model (Union[str, Path]): A student's folder, a bundle's folder, or the name of a model of the
        package.
    train, dev (Union[str, Path]): `.spacy` files with entities in any language. `dev` is used to
        choose the epoch and to verify the bundle. Documents of `train` that contain a sentence of
        `dev` are not used.
    out (Union[str, Path]): Folder for `student`, `bundle` and `pipeline`.
    labels (str): `keep` the labels of the model that the gold does not annotate, or `replace` them.
    label_map (Optional[Mapping[str, str]]): New names of labels of the model. A label with an empty
        name is dropped.
    beside (Optional[Union[str, Path]]): A `.spacy` file with other data, such as projected
        entities. Each epoch has as many of its sentences as of `train`.
    spans_key (Optional[str]): The group in `doc.spans` of `train` and `dev` with the entities.
        Defaults to `doc.ents`.
    epochs (Optional[int]): The maximum number of epochs. Defaults to 5 to 20, for about 2,000
        batches.
    patience (int): Epochs without a better F1 on `dev` before training stops.
    batch_size (int): Sentences in a batch.
    learning_rate (float): The highest learning rate.
    seed (int): Seed of new weights, order and dropout.
    preset (str): As for `export`.
    language (str): The language's code, for the bundle's manifest.
    resume (bool): Continue an interrupted run.
    force (bool): Write a bundle that fails verification, but no pipeline.
    say (Callable[[str], None]): Called with a message for each step.
    RETURNS (Dict[str, Any]): The metrics of the training. `dev` has the F1 before export, 0 to 1,
        `bundle` the metrics of the verification.
    RAISES (OpticalError): If the model or a file is missing or damaged, labels do not match, most
        of `train` is in `dev`, `out` holds something else, a setting is out of range, or the bundle
        fails verification.
    """
    values: dict[str, Any] = {
        "labels": labels,
        "label_map": dict(label_map or {}),
        "patience": patience,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "seed": seed,
    }
    if epochs is not None:
        values["epochs"] = epochs
    settings = checked(Finetuning, values, Path("finetune"))
    if (count := world().num_processes) > 1:
        raise OpticalError(Errors.E430.format(count=count))
    preset_named(preset)
    out, train, dev = Path(out), Path(train), Path(dev)
    student, bundle, pipeline = out / "student", out / "bundle", out / "pipeline"
    check_replaceable(student, marker=CONFIG)
    check_replaceable(bundle, marker=MANIFEST_FILE)
    check_replaceable(pipeline, marker="config.cfg")
    inputs = [model_path(model), train, dev, *([] if beside is None else [beside])]
    for folder in (student, bundle, pipeline):
        check_no_input(folder, inputs)
    tagger, tokenizer, weights = _starting_model(model)
    other = None if beside is None else Path(beside)
    gold = gather(tagger.labels, train, dev, settings, beside=other, spans_key=spans_key, say=say)
    files = [train, dev, *([other] if other else []), *weights]
    metrics = _train_student(tagger, tokenizer, gold, files, student, settings, resume, say)
    entities = sum(len(doc.ents) for doc in gold.dev)
    words = sum(len(word_tokens(doc)) for doc in gold.dev)
    gate = Gate(
        max_f1_loss=max(LOST, 100 * FEW / entities),
        max_disagreement=max(CHANGED, FEW / words),
    )
    with scratch_folder() as folder:
        # The documents have changed: entities from spans, and labels that are not annotated.
        write_docs(gold.dev, folder / dev.name)
        dev_files = {language: folder / dev.name}
        verdict = export_bundle(
            student, bundle, dev_files, preset=preset, gate=gate, force=force, say=say
        )
    if read_info(bundle).verified:
        assemble(bundle, pipeline, name="finetuned", version="0.1.0")
    else:
        shutil.rmtree(pipeline, ignore_errors=True)  # of an earlier run
        say(f"No pipeline: {bundle} is not verified")
    return {**metrics, "bundle": verdict.record()}


def _starting_model(model: str | Path) -> tuple[WordTagger, bytes, list[Path]]:
    """Load a model and its tokenizer. Also return the files with its weights."""
    path = model_path(model)
    if (path / CONFIG).is_file():
        return load_tagger(path), (path / TOKENIZER).read_bytes(), [path / WEIGHTS]
    if not (path / MANIFEST_FILE).is_file():
        raise OpticalError(Errors.E508.format(path=path))
    bundle = Bundle.from_disk(path)
    files = [path / name for name in (MODEL_FILE, WEIGHTS_FILE) if name in bundle.info.files]
    return tagger_of_bundle(bundle), bundle.tokenizer, files


def _train_student(
    tagger: WordTagger,
    tokenizer: bytes,
    gold: OwnGold,
    files: list[Path],
    out: Path,
    settings: Finetuning,
    resume: bool,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Write a Hugging Face folder with metrics.json, and return the metrics."""
    pieces, sets = WordPieces(tokenizer), gold.sets
    most = min(settings.max_pieces, tagger.max_pieces)
    sentences, beside = (
        target_sentences(docs, annotated, sets, tagger, pieces, max_pieces=most)
        for docs, annotated in ((gold.train, gold.annotated), (gold.beside, gold.beside_annotated))
    )
    task = OwnLabelsTask(sentences, beside, pieces, settings.batch_size)
    settings = settings.with_epochs(len(task.batches(np.random.default_rng(0))))
    record = _record(settings, files, gold)
    if resume and (made := finished(out, record["fingerprint"])):
        say(f"{out} was made from the same already")
        return made
    with_new_labels(tagger, sets, settings.seed)
    if settings.freeze_embeddings:
        tagger.freeze_embeddings()
    say(f"{len(sentences)} sentences, {len(beside)} beside them")
    checkpoint = out.with_name(f"{out.name}-checkpoint")
    history = train_tagger(
        tagger,
        task,
        settings,
        seed=settings.seed,
        fingerprint=record["fingerprint"],
        folder=checkpoint,
        evaluate=lambda model: entity_scores(model, gold.dev, pieces)["ents_f"],
        patience=settings.patience,
        resume=resume,
        say=say,
    )
    metrics = {**record, "epochs": history.rows, "kept_epoch": history.best + 1}
    metrics["calibration"] = calibrate(tagger, gold.dev, pieces)
    metrics["dev"] = entity_scores(tagger, gold.dev, pieces)
    save_tagger(tagger, tokenizer, metrics, out)
    shutil.rmtree(checkpoint, ignore_errors=True)
    return metrics


def _record(settings: Finetuning, files: list[Path], gold: OwnGold) -> dict[str, Any]:
    """Record what a run depends on, as `provenance` does for a student."""
    sets = gold.sets
    digests = [sha256(path) for path in files]
    names = [f"{path.parent.name}/{path.name}" for path in files]
    config = settings.model_dump(mode="json")
    content = f"finetuned {config} {sets} {gold.spans_key} {digests}"
    return {
        "stage": "finetuned",
        "fingerprint": hashlib.sha256(content.encode("utf8")).hexdigest()[:16],
        "seed": settings.seed,
        "config": config,
        "config_hash": hashlib.sha256(str(config).encode("utf8")).hexdigest()[:16],
        "labels": {"old": sets.old, "new": sets.new},
        "data": dict(zip(names, digests, strict=True)),
        **surroundings(),
    }
