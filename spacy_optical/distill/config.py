"""The learning's config: spaCy's format, checked and filled by defaults before anything runs."""

import hashlib
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from ..align.config import AlignConfig
from ..config import Section, checked, read_sections
from ..data.sources import languages_with_bitext

# What other commands read from the same file: data, and research's experiments.
OTHER_SECTIONS = ("corpus", "sources", "languages", "experiments", "arms")
Precision = Literal["auto", "fp32", "bf16"]


class Paths(Section):
    """Where things are, relative to the working directory."""

    encoder: Path
    corpus: Path
    plans: Path


class Data(Section):
    """What is learned from; an override names languages with commas between, too."""

    languages: list[str] = Field(min_length=1)
    source: str = "en"

    @field_validator("languages", mode="before")
    @classmethod
    def _with_commas(cls, value: Any) -> Any:
        return value.split(",") if isinstance(value, str) else value

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({*self.languages, self.source}) <= len(self.languages):
            raise ValueError("a language is named twice, or is the source")
        return self


class Training(Section):
    """How one model is trained; the teacher and the student each have such a section.

    epochs counts passes over the English sentences (teacher) or over the pairs (student);
    batch_size counts English sentences (teacher) or pairs (student). precision: of products and of
    what lies between layers; weights and losses stay in fp32. `auto` is bf16 where the processor
    multiplies in it, which halves the time of a step.
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
    """How the student is trained.

    english: English sentences for each pair; with 0 there are no losses on English.
    word_dropout: share of words whose pieces the student does not see, while the teacher did;
    it has to use the words around them. case_share: share of sentences that the student sees in
    lower, upper or title case, while the teacher saw them as they are. sampling_exponent: the
    exponent of a language's number of pairs in its share of an epoch: 1 takes every pair once,
    0 takes as many of each language. seed: the seed of the student's batches and dropout; the
    config's own by default. Students of several seeds share a teacher and its plans.
    """

    renamed: ClassVar[dict[str, str]] = {
        "hide_words": "word_dropout",
        "balance": "sampling_exponent",
    }

    english: float = Field(0.5, ge=0)
    word_dropout: float = Field(0.0, ge=0, lt=1)
    case_share: float = Field(0.0, ge=0, le=1)
    sampling_exponent: float = Field(1.0, ge=0, le=1)
    seed: int | None = None


class Teacher(Training):
    """The teacher: the encoder with a linear layer over each word's first piece."""

    removed: ClassVar[frozenset[str]] = frozenset({"threads", "pooling"})


class Student(Section):
    """The student's shape; its weights come from the teacher's.

    width: of its vectors, a multiple of a head's size; the teacher's own where it is not given.
    pool_after: how many of the layers work on pieces. The others work on words, each the mean of
    its pieces: with 0 all of them, on the mean of the pieces' embeddings. Where it is not given,
    all of them work on pieces.
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
        """The student's middle layer and the teacher's that it was made of, counted from 1.

        Not the last one, where there are two at the least: its vectors are what `hidden` looks at.
        """
        at = min(len(self.layers) // 2, max(len(self.layers) - 2, 0))
        return at + 1, self.layers[at] + 1


class Objective(Section):
    """The weights of the losses; a weight of 0 leaves its term out.

    hard: cross-entropy on English labels. soft: Kullback-Leibler divergence to the teacher on
    English (knowledge distillation). target_kd: the same on target sentences, which need no
    translation for it. kd_discount: how much less a word counts in `target_kd` where `labels` are
    trusted, 0 to 1. hidden: distance to the teacher's last hidden vectors on both sides;
    hidden_target is another weight for the target side. representation: <T, C> between the
    teacher's English and the student's target words (OPTICAL). labels: cross-entropy to the label
    distributions projected through the plan. These last two weight a pair by how parallel it is.
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
    def reads_english_alone(self) -> bool:
        """Whether every term that looks at translated sentences is off."""
        return not (self.target_kd or self.hidden_of_target or self.representation or self.labels)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.reads_english_alone and not (self.hard or self.soft or self.hidden):
            raise ValueError("all weights are 0; set at least one")
        return self


class Plans(Section):
    """Which vectors the plans are computed on, how, and what is projected through them.

    vectors: whose word vectors are aligned, the encoder's or the teacher's; the teacher's need no
    second reading. layer: the layer that they are of. keep_unlike: pairs that are no translations
    train as text without a translation does; otherwise they are left out. projection: labels are
    projected word by word (`words`) or as whole spans (`spans`). gold: share of the gold tag, where
    an English word has one, in the distribution that is projected; the rest is the teacher's.
    """

    renamed: ClassVar[dict[str, str]] = {"carry": "projection"}

    vectors: Literal["encoder", "teacher"] = "encoder"
    layer: int = Field(7, ge=0)
    keep_unlike: bool = False
    projection: Literal["words", "spans"] = "words"
    gold: float = Field(0.9, ge=0, le=1)
    align: AlignConfig = AlignConfig()


class DistillConfig(Section):
    """Everything that decides what is learned."""

    seed: int = 0
    paths: Paths
    data: Data
    teacher: Teacher
    plans: Plans = Plans()
    student: Student
    objective: Objective = Objective()
    training: StudentTraining

    @field_validator("training")
    @classmethod
    def _fits_the_rest(cls, value: StudentTraining, info: ValidationInfo) -> StudentTraining:
        student = info.data.get("student")
        if student is not None and value.max_pieces > student.positions:
            raise ValueError(f"max_pieces is above the student's {student.positions} positions")
        objective = info.data.get("objective")
        if objective is not None and objective.reads_english_alone and not value.english:
            raise ValueError("english is 0, and so are all weights but those of hard and soft")
        return value

    def fingerprint(self, *sections: str) -> str:
        """Hash the seed and what the sections say; all but the paths when none is named."""
        chosen = {"seed", *sections} if sections else set(type(self).model_fields) - {"paths"}
        content = self.model_dump_json(include=chosen, exclude_none=True)
        return hashlib.sha256(content.encode("utf8")).hexdigest()[:16]


def load_config(path: Path, overrides: dict[str, Any] | None = None) -> DistillConfig:
    """Read a config file, apply overrides and check everything that training reads.

    path (Path): The `.cfg` file; keys outside a section (the seed) are in `[general]`. Without
        `[data]`, the languages are those of `[languages.CODE]` that have bitext.
    overrides (Optional[Dict[str, Any]]): Values by dotted name, e.g. `training.epochs`.
    RETURNS (DistillConfig): The checked config.
    RAISES (OpticalError): If the file is missing or broken, a key is unknown, or a value has the
        wrong type; the error names the first such key.
    """
    config = read_sections(path, overrides)
    others = {name: config.pop(name, {}) for name in OTHER_SECTIONS}
    data = config.setdefault("data", {})
    if languages := languages_with_bitext(others["languages"]):
        data.setdefault("languages", languages)
    flat = {**config.pop("general", {}), **config}
    return checked(DistillConfig, flat, path)
