"""The learning's config: spaCy's format, checked and filled by defaults before anything runs."""

import hashlib
from configparser import Error as ConfigParserError
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from confection import Config, ConfigValidationError
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from ..align.config import AlignConfig
from ..errors import Errors, OpticalError

BENCHMARK = "benchmark"
Precision = Literal["auto", "fp32", "bf16"]
Checked = TypeVar("Checked", bound=BaseModel)


class Section(BaseModel):
    """A section of the config: no key may be unknown, nothing changes once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)
    renamed: ClassVar[dict[str, str]] = {}

    @model_validator(mode="before")
    @classmethod
    def _has_no_old_key(cls, values: Any) -> Any:
        for old, new in cls.renamed.items():
            if isinstance(values, dict) and old in values:
                raise ValueError(f"the key '{old}' is called '{new}' now; rename it")
        return values

    @field_validator("*", mode="before")
    @classmethod
    def _truth_is_no_number(cls, value: Any, info: ValidationInfo) -> Any:
        # An override without its value arrives as true, which would pass for 1.
        if value is True and cls.model_fields[str(info.field_name)].annotation is not bool:
            raise ValueError("it has no value")
        return value


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

    epochs: int = Field(gt=0)
    batch_size: int = Field(gt=0)
    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(0.01, ge=0)
    warmup: float = Field(0.1, ge=0, lt=1)
    dropout: float = Field(0.1, ge=0, lt=1)
    freeze_embeddings: bool = True
    max_pieces: int = Field(128, ge=8, le=512)
    select: Literal["best", "last"] = "best"
    threads: int = Field(0, ge=0)
    precision: Precision = "auto"


class StudentTraining(Training):
    """How the student is trained.

    english: English sentences for each pair; with 0 there are no losses on English. word_dropout:
    share of words whose pieces the student does not see, while the teacher did; it has to use the
    words around them. sampling_exponent: the exponent of a language's number of pairs in its share
    of an epoch: 1 takes every pair once, 0 takes as many of each language. seed: the seed of the
    student's batches and dropout; the config's own by default. Students of several seeds share a
    teacher and its plans.
    """

    renamed = {"hide_words": "word_dropout", "balance": "sampling_exponent"}

    english: float = Field(0.5, ge=0)
    word_dropout: float = Field(0.0, ge=0, lt=1, serialization_alias="hide_words")
    sampling_exponent: float = Field(1.0, ge=0, le=1, serialization_alias="balance")
    seed: int | None = None


class Teacher(Training):
    """The teacher: the encoder with a linear layer over each word."""

    pooling: Literal["first", "mean"] = "first"


class Student(Section):
    """The student's shape; its weights come from the teacher's.

    width: of its vectors, a multiple of a head's size; the teacher's own where it is not given.
    pool_after: how many of the layers work on pieces. The others work on words, each the mean of
    its pieces. Where it is not given, all of them work on pieces.
    """

    layers: list[Annotated[int, Field(ge=0)]] = Field(min_length=1)
    pool_after: int | None = Field(None, gt=0)
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

    renamed = {"own": "target_kd", "yields": "kd_discount"}

    hard: float = Field(1.0, ge=0)
    soft: float = Field(1.0, ge=0)
    target_kd: float = Field(1.0, ge=0, serialization_alias="own")
    kd_discount: float = Field(0.0, ge=0, le=1, serialization_alias="yields")
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

    layer: the encoder's layer whose word vectors are aligned. projection: labels are projected word
    by word (`words`) or as whole spans (`spans`). gold: share of the gold tag, where an English
    sentence has one, in the distribution that is projected; the rest is the teacher's.
    """

    renamed = {"carry": "projection"}

    layer: int = Field(8, ge=0)
    projection: Literal["words", "spans"] = Field("words", serialization_alias="carry")
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
        # Options that are not used, and new names of old ones (`by_alias`), leave the hash as it
        # was: plans and students on disk stay valid.
        content = self.model_dump_json(include=chosen, exclude_none=True, by_alias=True)
        return hashlib.sha256(content.encode("utf8")).hexdigest()[:16]


def load_config(path: Path, overrides: dict[str, Any] | None = None) -> DistillConfig:
    """Read a config file, apply overrides and check everything.

    path (Path): The `.cfg` file; keys outside a section (the seed) stand in `[general]`. A
        benchmark's file names its languages in sections of their own, see `benchmark.config`.
    overrides (Optional[Dict[str, Any]]): Values by dotted name, e.g. `training.epochs`.
    RETURNS (DistillConfig): The checked config.
    RAISES (OpticalError): If the file is missing or broken, a key is unknown, or a value has the
        wrong type; the error names the first such key.
    """
    config = read_sections(path, overrides)
    if BENCHMARK in config:
        benchmark = config.pop(BENCHMARK)
        data = config.setdefault("data", {})
        data.setdefault("languages", _with_bitext(benchmark))
        data.setdefault("source", benchmark.get("source", "en"))
    flat = {**config.pop("general", {}), **config}
    return checked(DistillConfig, flat, path)


def _with_bitext(benchmark: dict[str, Any]) -> list[str]:
    languages = benchmark.get("languages")
    if not isinstance(languages, dict):
        return []
    return [code for code, found in languages.items() if dict(found).get("bitext")]


def read_sections(path: Path, overrides: dict[str, Any] | None = None) -> Config:
    """Read a config file and apply overrides, without checking what the sections hold.

    path (Path): The `.cfg` file.
    overrides (Optional[Dict[str, Any]]): As for `load_config`.
    RETURNS (Config): The sections.
    RAISES (OpticalError): If the file is missing or not of the format.
    """
    path = Path(path)
    if not path.is_file():
        raise OpticalError(Errors.E002.format(what="config", path=path))
    try:
        config = Config().from_disk(path, interpolate=False)
        for key, value in (overrides or {}).items():
            # Sections that the file leaves to their defaults can be overridden too.
            *parts, name = key.split(".")
            section: dict[str, Any] = config
            for part in parts:
                section = section.setdefault(part, {})
            section[name] = value
        return config.interpolate()
    except (ConfigValidationError, ValueError, TypeError, AttributeError, ConfigParserError) as err:
        reason = " ".join(str(err).split())
        raise OpticalError(Errors.E401.format(path=path, reason=reason)) from err


def checked(model: type[Checked], values: Any, path: Path) -> Checked:
    """Check values against a model.

    model (Type[BaseModel]): The model.
    values (Any): The sections.
    path (Path): The config file, for the error.
    RETURNS (BaseModel): The checked values.
    RAISES (OpticalError): Naming the first key that is wrong.
    """
    try:
        return model.model_validate(values)
    except ValidationError as err:
        first = err.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        reason = first["msg"].removeprefix("Value error, ")
        raise OpticalError(Errors.E402.format(path=path, key=key, reason=reason)) from err
