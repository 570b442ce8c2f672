"""The training config, in spaCy's format."""

import hashlib
import re
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from ..align.config import AlignConfig
from ..config import Section, checked, read_sections

# Sections that other commands read.
OTHER_SECTIONS = ("corpus", "sources", "languages", "experiments", "arms")
Seed = Annotated[int, Field(ge=0, lt=2**32)]  # the seeds that numpy accepts
Precision = Literal["auto", "fp32", "bf16"]


class Paths(Section):
    """Paths relative to the working directory."""

    encoder: Path
    corpus: Path
    plans: Path


class Data(Section):
    """The languages. An override can be a list with commas, such as `sw,ha`."""

    languages: list[str] = Field(min_length=1)
    source: str = "en"

    @field_validator("languages", mode="before")
    @classmethod
    def _split_at_commas(cls, value: Any) -> Any:
        return re.split(r"\s*,\s*", value.strip()) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _no_duplicates(self) -> Self:
        if len({*self.languages, self.source}) <= len(self.languages):
            raise ValueError("a language is named twice, or is the source")
        return self


class Training(Section):
    """Settings of one training.

    epochs counts passes over the English sentences (teacher) or over the pairs (student).
    batch_size counts English sentences (teacher) or pairs (student). precision: of matrix products
    and activations; weights and losses stay in fp32. `auto` is bf16 if the processor supports it.
    """

    removed: ClassVar[frozenset[str]] = frozenset({"threads"})

    epochs: int = Field(gt=0)
    batch_size: int = Field(gt=0)
    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(0.01, ge=0)
    warmup: float = Field(0.1, ge=0, lt=1)
    dropout: float = Field(0.1, ge=0, lt=1)
    freeze_embeddings: bool = True
    max_pieces: int = Field(128, ge=8, le=512)
    select: Literal["best", "last"] = "best"
    precision: Precision = "auto"


class StudentTraining(Training):
    """Settings of the student's training.

    english: number of English sentences for each pair; with 0 there are no losses on English.
    word_dropout: share of words that are replaced by unknown pieces in the student's input.
    case_share: share of sentences that the student sees in lower, upper or title case.
    sampling_exponent: exponent of a language's number of pairs in its share of an epoch: with 1
    each pair is used once, with 0 all languages have the same share. seed: seed of the student's
    batches and dropout, by default that of the config. Students with different seeds can share a
    teacher and its plans.
    """

    renamed: ClassVar[dict[str, str]] = {
        "hide_words": "word_dropout",
        "balance": "sampling_exponent",
    }

    english: float = Field(0.5, ge=0)
    word_dropout: float = Field(0.0, ge=0, lt=1)
    case_share: float = Field(0.0, ge=0, le=1)
    sampling_exponent: float = Field(1.0, ge=0, le=1)
    seed: Seed | None = None


class Teacher(Training):
    """Settings of the teacher's training."""

    removed: ClassVar[frozenset[str]] = frozenset({"threads", "pooling"})


class Student(Section):
    """The student's shape.

    layers: the teacher's layers to copy, counted from 0. width: size of the hidden vectors, a
    multiple of a head's size; by default that of the teacher. pool_after: number of layers that
    work on pieces. The layers above work on words, each the mean of its pieces. By default all
    layers work on pieces. intermediate: size of the feed-forward parts; by default that of the
    teacher. vocabulary: number of pieces. positions: number of positions.
    """

    layers: list[Annotated[int, Field(ge=0)]] = Field(min_length=1)
    pool_after: int | None = Field(None, ge=0)
    width: int | None = Field(None, gt=0)
    intermediate: int | None = Field(None, gt=0)
    vocabulary: int = Field(gt=0)
    positions: int = Field(128, ge=16)

    @field_validator("pool_after")
    @classmethod
    def _leaves_a_layer(cls, value: int | None, info: ValidationInfo) -> int | None:
        layers = info.data.get("layers")
        if value is not None and layers is not None and value >= len(layers):
            raise ValueError(f"it must be less than the number of layers, {len(layers)}")
        return value

    @property
    def middle(self) -> tuple[int, int]:
        """The student's middle layer and the teacher's layer that it copies, counted from 1."""
        # The last layer is used by `hidden` already.
        at = min(len(self.layers) // 2, max(len(self.layers) - 2, 0))
        return at + 1, self.layers[at] + 1


class Objective(Section):
    """The weights of the losses. A weight of 0 turns a loss off.

    hard: cross-entropy to the gold labels on English. soft: Kullback-Leibler divergence to the
    teacher on English (knowledge distillation). target_kd: the same on target sentences, also
    those without a translation. kd_discount: how much less a word counts in `target_kd` if its
    projected labels are trusted, 0 to 1. hidden: distance to the teacher's last hidden vectors;
    hidden_target is its weight on target sentences, by default the same. representation: <T, C>
    between the teacher's English words and the student's target words (OPTICAL). labels:
    cross-entropy to the label distributions projected through the plan. The last two are scaled
    by the pair's weight.
    """

    renamed: ClassVar[dict[str, str]] = {"own": "target_kd", "yields": "kd_discount"}

    hard: float = Field(1.0, ge=0)
    soft: float = Field(1.0, ge=0)
    target_kd: float = Field(1.0, ge=0)
    kd_discount: float = Field(0.0, ge=0, le=1)
    hidden: float = Field(1.0, ge=0)
    hidden_target: float | None = Field(None, ge=0)
    representation: float = Field(1.0, ge=0)
    labels: float = Field(1.0, ge=0)
    temperature: float = Field(1.0, gt=0)

    @property
    def hidden_of_target(self) -> float:
        """The weight of `hidden` on the target side."""
        return self.hidden if self.hidden_target is None else self.hidden_target

    @property
    def english_only(self) -> bool:
        """Whether all losses on target sentences are off."""
        return not (self.target_kd or self.hidden_of_target or self.representation or self.labels)

    @model_validator(mode="after")
    def _some_weight(self) -> Self:
        if self.english_only and not (self.hard or self.soft or self.hidden):
            raise ValueError("all weights are 0; set at least one")
        return self


class Plans(Section):
    """How the plans are computed, and what is projected through them.

    vectors: align the word vectors of the encoder or of the teacher; with the teacher, the encoder
    is not run. layer: the layer of these vectors. keep_unlike: use the target sentences of pairs
    that are not translations as text without a translation; by default such pairs are left out.
    projection: project labels word by word (`words`) or as whole spans (`spans`). gold: share of
    the gold tag of an English word in the projected distribution; the rest is the teacher's.
    """

    renamed: ClassVar[dict[str, str]] = {"carry": "projection"}

    vectors: Literal["encoder", "teacher"] = "encoder"
    layer: int = Field(7, ge=0)
    keep_unlike: bool = False
    projection: Literal["words", "spans"] = "words"
    gold: float = Field(0.9, ge=0, le=1)
    align: AlignConfig = AlignConfig()


class DistillConfig(Section):
    """The whole config."""

    seed: Seed = 0
    paths: Paths
    data: Data
    teacher: Teacher
    plans: Plans = Plans()
    student: Student
    objective: Objective = Objective()
    training: StudentTraining

    @field_validator("training")
    @classmethod
    def _fits_other_sections(cls, value: StudentTraining, info: ValidationInfo) -> StudentTraining:
        student = info.data.get("student")
        if student is not None and value.max_pieces > student.positions:
            raise ValueError(f"max_pieces is above the student's {student.positions} positions")
        objective = info.data.get("objective")
        if objective is not None and objective.english_only and not value.english:
            raise ValueError("english is 0, and so are all weights but those of hard and soft")
        return value

    def fingerprint(self, *sections: str) -> str:
        """Hash the seed and the named sections, by default all but the paths."""
        chosen = {"seed", *sections} if sections else set(type(self).model_fields) - {"paths"}
        content = self.model_dump_json(include=chosen, exclude_none=True)
        return hashlib.sha256(content.encode("utf8")).hexdigest()[:16]


def load_config(path: Path, overrides: dict[str, Any] | None = None) -> DistillConfig:
    """Read a config file, apply overrides and check the sections of the training.

    path (Path): The `.cfg` file. The seed is in `[general]`. Without `[data]`, the languages are
        those of `[languages.CODE]` that have bitext.
    overrides (Optional[Dict[str, Any]]): Values by dotted name, e.g. `training.epochs`.
    RETURNS (DistillConfig): The checked config.
    RAISES (OpticalError): If the file is missing or invalid, a key is unknown, or a value has the
        wrong type. The error names the first such key.
    """
    config = read_sections(path, overrides)
    data = config.setdefault("data", {})
    languages = config.get("languages", {}).items()
    if found := [code for code, part in languages if isinstance(part, dict) and part.get("bitext")]:
        data.setdefault("languages", found)
    sections = {name: value for name, value in config.items() if name not in OTHER_SECTIONS}
    return checked(DistillConfig, {**sections.pop("general", {}), **sections}, path)
