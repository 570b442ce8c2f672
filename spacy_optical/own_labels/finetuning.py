"""The settings and the gold documents of fine-tuning."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from pydantic import Field
from spacy.tokens import Doc
from spacy.util import filter_spans

from ..data.decontamination import GoldIndex
from ..data.docs import EVALUATION_ONLY, NOT_LABELLED, labels_not_labelled, read_docs
from ..distill.config import Training
from ..errors import Errors, OpticalError
from ..runtime.word_tokens import word_tokens
from .own_labels_task import TagSets

# If more of the training documents are in the development file, this is a mistake.
MOST_SHARED = 0.5
# The learning rate decreases to 0 over the epochs. Too many epochs on a large file waste time, and
# early stopping would end them while the rate is still high.
BATCHES = 2000
FEWEST_EPOCHS = 5


class Finetuning(Training):
    """Settings of fine-tuning.

    labels: `keep` keeps all labels of the starting model, `replace` only those of the gold.
    label_map: new names of labels of the starting model. A label with an empty name is dropped.
    epochs: the maximum number of epochs; fewer for many sentences if not set, see `with_epochs`.
    patience: epochs without a better F1 before training stops.
    """

    labels: Literal["keep", "replace"] = "keep"
    label_map: dict[str, str] = Field({})
    epochs: int = Field(20, gt=0)
    patience: int = Field(5, gt=0)
    batch_size: int = Field(16, gt=0)
    learning_rate: float = Field(5e-4, gt=0)
    seed: int = Field(0, ge=0)

    def with_epochs(self, batches: int) -> Self:
        """Set the number of epochs for about `BATCHES` batches in total, unless it was given."""
        if "epochs" in self.model_fields_set:
            return self
        epochs = min(max(round(BATCHES / batches), FEWEST_EPOCHS), self.epochs)
        return self.model_copy(update={"epochs": epochs})


@dataclass(frozen=True)
class OwnGold:
    """The documents and labels of fine-tuning.

    train, dev, beside (List[Doc]): Training, development and additional documents.
    sets (TagSets): The labels of the starting model and of the new one.
    annotated, beside_annotated (FrozenSet[str]): The labels that are annotated in `train` and
        `dev`, and in `beside`.
    spans_key (Optional[str]): The group in `doc.spans` of `train` and `dev` with the entities.
    """

    train: list[Doc]
    dev: list[Doc]
    beside: list[Doc]
    sets: TagSets
    annotated: frozenset[str]
    beside_annotated: frozenset[str]
    spans_key: str | None = None


def _read_gold(path: Path, spans_key: str | None = None) -> list[Doc]:
    """Read documents, and set `doc.ents` from `doc.spans` if there is a `spans_key`."""
    # Documents that are marked as evaluation data are accepted: the user decides.
    docs = read_docs(path)
    keys = sorted({key for doc in docs for key in doc.spans})
    if spans_key is not None:
        if spans_key not in keys:
            known = ", ".join(keys) or "none"
            raise OpticalError(Errors.E426.format(path=path, key=spans_key, known=known))
        for number, doc in enumerate(docs, 1):
            spans = list(dict.fromkeys(doc.spans.get(spans_key, ())))  # the same span twice
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
    """Get the entity labels of documents."""
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
    """Read the gold documents, and choose the labels of the new model.

    old (Sequence[str]): The labels of the starting model, sorted.
    train_path, dev_path (Path): The `.spacy` files.
    settings (Finetuning): The settings.
    beside (Optional[Path]): A `.spacy` file with additional documents.
    spans_key (Optional[str]): The group in `doc.spans` with the entities. Defaults to `doc.ents`.
    say (Callable[[str], None]): Called with messages about labels and omitted documents.
    RETURNS (OwnGold): The documents and labels.
    RAISES (OpticalError): If a file is missing, damaged or empty or has no entities, two entities
        overlap, the label map has an unknown label, the development file has a label that the new
        model does not have, or most training documents are in it.
    """
    unknown = sorted(set(settings.label_map) - set(old))
    if unknown:
        raise OpticalError(Errors.E425.format(unknown=", ".join(unknown), known=", ".join(old)))
    docs, dev = _read_gold(train_path, spans_key), _read_gold(dev_path, spans_key)
    others = _read_gold(beside) if beside else []
    of_train, of_beside = labels_of(docs), labels_of(others)
    keep, of_gold = settings.labels == "keep", of_train | of_beside
    named = {label: settings.label_map.get(label, label) for label in old}
    renamed = {label: name for label, name in named.items() if name and (keep or name in of_gold)}
    new = tuple(sorted(of_gold | set(renamed.values())))
    sets = TagSets(tuple(old), new, renamed, keep)
    if only_dev := sorted(labels_of(dev).difference(new)):
        lists = {"labels": ", ".join(only_dev), "known": ", ".join(new)}
        raise OpticalError(Errors.E431.format(path=dev_path, train=train_path, **lists))
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
    for doc in dev:  # labels that are not annotated are not evaluated
        left_out = {*labels_not_labelled(doc), *set(new).difference(annotated)}
        doc.user_data[NOT_LABELLED] = sorted(left_out)
    others = _apart(others, held_out, Path(beside or ""), dev_path, say)
    return OwnGold(kept, dev, others, sets, annotated, of_beside, spans_key)


def _apart(
    docs: list[Doc], held_out: GoldIndex, path: Path, dev: Path, say: Callable[[str], None]
) -> list[Doc]:
    """Remove documents that contain a development sentence."""
    texts = (" ".join(token.text for token in word_tokens(doc)) for doc in docs)
    kept = [doc for doc, text in zip(docs, texts, strict=True) if not held_out.overlaps(text)]
    if len(kept) < len(docs):
        count = len(docs) - len(kept)
        say(f"{count} of the {len(docs)} documents in {path} are in {dev} too; left out")
    return kept
