"""The settings of fine-tuning, and the gold with labels of the user's own."""

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
from ..distill.tagger_evaluation import check_labels
from ..errors import Errors, OpticalError
from ..runtime.word_tokens import word_tokens
from .own_labels_task import TagSets

# A larger share of the training documents in the development file is a mistake, not chance.
MOST_SHARED = 0.5
# The learning rate falls to 0 over the epochs: too many for a large file waste time, and early
# stopping would end them while the rate is high.
BATCHES = 2000
FEWEST_EPOCHS = 5


class Finetuning(Training):
    """How a student is fine-tuned.

    labels: `keep` keeps the labels of the starting model beside those of the gold; `replace` keeps
    those of the gold alone. label_map: new names of labels of the starting model; a label with an
    empty name is dropped. epochs: the most; fewer for many sentences if it is not given, see
    `with_epochs`. patience: epochs without a better F1 after which training stops.
    """

    labels: Literal["keep", "replace"] = "keep"
    label_map: dict[str, str] = Field({})
    epochs: int = Field(20, gt=0)
    patience: int = Field(5, gt=0)
    batch_size: int = Field(16, gt=0)
    learning_rate: float = Field(5e-4, gt=0)
    seed: int = Field(0, ge=0)

    def with_epochs(self, batches: int) -> Self:
        """Choose the number of epochs, unless it was given.

        batches (int): Batches in an epoch.
        RETURNS (Finetuning): The settings with as many epochs as make BATCHES, within limits.
        """
        if "epochs" in self.model_fields_set:
            return self
        epochs = min(max(round(BATCHES / batches), FEWEST_EPOCHS), self.epochs)
        return self.model_copy(update={"epochs": epochs})


@dataclass(frozen=True)
class OwnGold:
    """The documents that fine-tuning reads.

    files (List[Path]): Where they are from.
    train, dev, beside (List[Doc]): Training and development documents, and those mixed in.
    sets (TagSets): The labels of the old and the new model.
    annotated, beside_annotated (FrozenSet[str]): The labels that the gold of `train` and `dev`, and
        that of `beside`, annotates.
    spans_key (Optional[str]): The group in `doc.spans` that `train` and `dev` are from.
    """

    files: list[Path]
    train: list[Doc]
    dev: list[Doc]
    beside: list[Doc]
    sets: TagSets
    annotated: frozenset[str]
    beside_annotated: frozenset[str]
    spans_key: str | None = None


def _read_gold(path: Path, spans_key: str | None = None) -> list[Doc]:
    """Read documents, whose entities are in the group `spans_key` of `doc.spans` or in `doc.ents`.

    Those marked as being for evaluation are read too: it is the user who says what trains.
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
    spans_key (Optional[str]): The group in `doc.spans` that holds the entities; by default they are
        in `doc.ents`.
    say (Callable[[str], None]): Receives what was left out, and the labels.
    RETURNS (OwnGold): The documents and labels.
    RAISES (OpticalError): If a file is missing, damaged, empty or without entities where they are
        looked for, two entities overlap, the label map names an unknown label, the development file
        has a label that the new model lacks, or most training documents are in it.
    """
    unknown = sorted(set(settings.label_map) - set(old))
    if unknown:
        raise OpticalError(Errors.E425.format(unknown=", ".join(unknown), known=", ".join(old)))
    docs, dev = _read_gold(train_path, spans_key), _read_gold(dev_path, spans_key)
    others = _read_gold(beside) if beside else []
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
    files = [train_path, dev_path, *([beside] if beside else [])]
    return OwnGold(files, kept, dev, others, sets, annotated, of_beside, spans_key)


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
