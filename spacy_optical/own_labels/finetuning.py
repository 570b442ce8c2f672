"""Fine-tuning: a student learns labels of its user's own from gold, and keeps the ones it has."""

import hashlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field
from spacy.tokens import Doc
from spacy.util import filter_spans

from ..data.decontamination import GoldIndex
from ..data.docs import EVALUATION_ONLY, NOT_LABELLED, labels_not_labelled, read_docs
from ..distill.calibrate import calibrate
from ..distill.config import Training
from ..distill.loop import train
from ..distill.provenance import surroundings
from ..distill.tagger import WordTagger
from ..distill.tagger_evaluation import check_labels, entity_scores
from ..distill.tagger_folder import finished, save_tagger
from ..errors import Errors, OpticalError
from ..files import sha256
from ..runtime.pieces import WordPieces
from ..runtime.word_tokens import word_tokens
from .own_labels_task import OwnLabelsTask, TagSets, target_sentences, with_new_labels

# A larger share of the training documents in the development file is a mistake, not chance.
MOST_SHARED = 0.5


class Finetuning(Training):
    """How a student is fine-tuned.

    labels: `keep` keeps the labels of the starting model beside those of the gold; `replace` keeps
    those of the gold alone. label_map: new names of labels of the starting model; a label with an
    empty name is dropped. patience: epochs without a better F1 after which training stops.
    """

    labels: Literal["keep", "replace"] = "keep"
    label_map: dict[str, str] = Field({})
    epochs: int = Field(30, gt=0)
    patience: int = Field(5, gt=0)
    batch_size: int = Field(16, gt=0)
    learning_rate: float = Field(2e-4, gt=0)
    seed: int = Field(0, ge=0)


@dataclass(frozen=True)
class Start:
    """The model that fine-tuning begins with.

    tagger (WordTagger): The model; fine-tuning changes it.
    tokenizer (bytes): Its tokenizer.json.
    files (Tuple[Path, ...]): The files that hold its weights.
    """

    tagger: WordTagger
    tokenizer: bytes
    files: tuple[Path, ...]


@dataclass(frozen=True)
class OwnGold:
    """The documents that fine-tuning reads.

    train, dev, beside (List[Doc]): Training and development documents, and those mixed in.
    sets (TagSets): The labels of the old and the new model.
    annotated, beside_annotated (FrozenSet[str]): The labels that the gold of `train` and `dev`, and
        that of `beside`, annotates.
    """

    train: list[Doc]
    dev: list[Doc]
    beside: list[Doc]
    sets: TagSets
    annotated: frozenset[str]
    beside_annotated: frozenset[str]


def read_gold(path: Path, spans_key: str | None = None) -> list[Doc]:
    """Read documents with entities.

    path (Path): The `.spacy` file. Documents marked as being for evaluation are read too: it is the
        user who says what trains.
    spans_key (Optional[str]): The group in `doc.spans` that holds the entities; by default they are
        in `doc.ents`.
    RETURNS (List[Doc]): The documents, with their entities in `doc.ents`.
    RAISES (OpticalError): If the file is missing, damaged or empty, or has no entity where it is
        looked for, or if two entities overlap.
    """
    docs = read_docs(path)
    keys = sorted({key for doc in docs for key in doc.spans})
    if spans_key is not None:
        if spans_key not in keys:
            known = ", ".join(keys) or "none"
            raise OpticalError(Errors.E426.format(path=path, key=spans_key, known=known))
        for number, doc in enumerate(docs, 1):
            spans = list(doc.spans.get(spans_key, ()))
            kept = filter_spans(spans)
            if len(kept) < len(spans):
                lost = next(span for span in spans if span not in kept)
                raise OpticalError(
                    Errors.E427.format(path=path, number=number, text=lost.text, key=spans_key)
                )
            doc.set_ents(kept)
    if not any(doc.ents for doc in docs):
        where = f"; its spans are in doc.spans: name one of {', '.join(keys)} as --spans-key"
        raise OpticalError(Errors.E428.format(path=path, spans=where if keys else ""))
    return docs


def labels_of(docs: Sequence[Doc]) -> frozenset[str]:
    """Collect the entity labels of documents."""
    return frozenset(ent.label_ for doc in docs for ent in doc.ents)


def gather(
    old: Sequence[str],
    train_path: Path,
    dev_path: Path,
    settings: Finetuning,
    *,
    beside: Path | None = None,
    spans_key: str | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> OwnGold:
    """Read the gold, and decide which labels there will be.

    old (Sequence[str]): The labels of the starting model, sorted.
    train_path, dev_path (Path): The `.spacy` files.
    settings (Finetuning): The settings.
    beside (Optional[Path]): A `.spacy` file to mix in.
    spans_key (Optional[str]): As for `read_gold`.
    say (Callable[[str], None]): Receives what was left out, and the labels.
    RETURNS (OwnGold): The documents and labels.
    RAISES (OpticalError): As `read_gold`, or if the label map names an unknown label, the
        development file has a label that the new model lacks, or most training documents are in it.
    """
    unknown = sorted(set(settings.label_map) - set(old))
    if unknown:
        raise OpticalError(Errors.E425.format(unknown=", ".join(unknown), known=", ".join(old)))
    docs, dev = read_gold(train_path, spans_key), read_gold(dev_path, spans_key)
    others = read_gold(beside) if beside else []
    of_train, of_beside = labels_of(docs), labels_of(others)
    named = {label: settings.label_map.get(label, label) for label in old}
    if settings.labels == "replace":
        named = {label: name for label, name in named.items() if name in of_train | of_beside}
    renamed = {label: name for label, name in named.items() if name}
    new = tuple(sorted(of_train | of_beside | set(renamed.values())))
    sets = TagSets(tuple(old), new, renamed, settings.labels == "keep")
    check_labels(dev, new, dev_path)
    fresh, dropped = sorted(set(new) - set(renamed.values())), sorted(set(old) - set(renamed))
    for what, names in (("Labels", new), ("new", fresh), ("dropped", dropped)):
        if names:
            say(f"{what}: {', '.join(names)}")
    held_out = GoldIndex([token.text for token in word_tokens(doc)] for doc in dev)
    kept = _apart(docs, held_out, train_path, dev_path, say)
    if len(kept) < (1 - MOST_SHARED) * len(docs):
        count = len(docs) - len(kept)
        raise OpticalError(
            Errors.E429.format(path=train_path, dev=dev_path, count=count, total=len(docs))
        )
    if any(doc.user_data.get(EVALUATION_ONLY) for doc in kept):
        say(f"{train_path} is marked as being for evaluation: do not judge the new model by it")
    annotated = of_train | labels_of(dev)
    for doc in dev:  # the gold says nothing about the labels that it does not annotate
        left_out = {*labels_not_labelled(doc), *set(new).difference(annotated)}
        doc.user_data[NOT_LABELLED] = sorted(left_out)
    others = _apart(others, held_out, Path(beside or ""), dev_path, say)
    return OwnGold(kept, dev, others, sets, annotated, of_beside)


def _apart(
    docs: list[Doc], held_out: GoldIndex, path: Path, dev: Path, say: Callable[[str], None]
) -> list[Doc]:
    """Leave out documents that hold a development sentence."""
    texts = (" ".join(token.text for token in word_tokens(doc)) for doc in docs)
    kept = [doc for doc, text in zip(docs, texts, strict=True) if not held_out.overlaps(text)]
    if len(kept) < len(docs):
        count = len(docs) - len(kept)
        say(f"{count} of the {len(docs)} documents in {path} are in {dev} too; left out")
    return kept


def finetune_tagger(
    start: Start,
    gold: OwnGold,
    out: Path,
    settings: Finetuning,
    *,
    files: Sequence[Path],
    resume: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Train a student on gold with labels of its own.

    start (Start): The starting model; it is changed.
    gold (OwnGold): The documents and labels, from `gather`.
    out (Path): Folder to write: a Hugging Face token classifier with metrics.json.
    settings (Finetuning): The settings.
    files (Sequence[Path]): The files of the documents, for the record.
    resume (bool): Continue an interrupted run; one that has ended is kept.
    say (Callable[[str], None]): Receives a line for each epoch.
    RETURNS (Dict[str, Any]): The metrics.
    RAISES (OpticalError): As `train`.
    """
    record = _record(settings, [*files, *start.files], gold.sets)
    if resume and (made := finished(out, record["fingerprint"])):
        say(f"{out} was made from the same already")
        return made
    tagger, pieces, sets = start.tagger, WordPieces(start.tokenizer), gold.sets
    most = min(settings.max_pieces, tagger.max_pieces)
    train_sentences, beside = (
        target_sentences(docs, annotated, sets, tagger, pieces, max_pieces=most)
        for docs, annotated in (
            (gold.train, gold.annotated),
            (gold.beside, gold.beside_annotated),
        )
    )
    with_new_labels(tagger, sets, settings.seed)
    if settings.freeze_embeddings:
        tagger.freeze_embeddings()
    say(f"{len(train_sentences)} sentences, {len(beside)} beside them")
    checkpoint = out.with_name(f"{out.name}-checkpoint")
    history = train(
        tagger,
        OwnLabelsTask(train_sentences, beside, pieces, settings.batch_size),
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
    save_tagger(tagger, start.tokenizer, metrics, out)
    shutil.rmtree(checkpoint, ignore_errors=True)
    return metrics


def _record(settings: Finetuning, files: Sequence[Path], sets: TagSets) -> dict[str, Any]:
    """Record what a run depends on, as `provenance` does for a student."""
    hashes = {f"{path.parent.name}/{path.name}": sha256(path) for path in files}
    config = settings.model_dump(mode="json")
    labels: Mapping[str, Any] = {"old": sets.old, "new": sets.new}
    content = f"finetuned {config} {sets} {list(hashes.values())}"
    return {
        "stage": "finetuned",
        "fingerprint": hashlib.sha256(content.encode("utf8")).hexdigest()[:16],
        "seed": settings.seed,
        "config": config,
        "config_hash": hashlib.sha256(str(config).encode("utf8")).hexdigest()[:16],
        "labels": labels,
        "data": hashes,
        **surroundings(),
    }
