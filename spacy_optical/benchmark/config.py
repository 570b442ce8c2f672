"""The benchmark's part of a config: which languages, which English, which arms; all of it data."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from ..data.download import Source
from ..data.gold import Columns, GoldFormat
from ..distill.config import BENCHMARK, Section, checked, read_sections
from ..errors import Errors, OpticalError

TEACHER = "teacher"  # the arm that trains no student
_CODE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def _named(text: str) -> str:
    Source.parse(text)  # what is no file's name is said here, with the config's key
    return text


def _code(text: str) -> str:
    if not _CODE.fullmatch(text):
        raise ValueError("a language is named by its code, such as sw or zh-Hant")
    return text


def _plain_name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError("a name is of letters, digits, points, dashes and underscores")
    return text


File = Annotated[str, AfterValidator(_named)]
Code = Annotated[str, AfterValidator(_code)]
Name = Annotated[str, AfterValidator(_plain_name)]


class Gold(Section):
    """How labelled files are to be read; see `data.gold.read_tagged`.

    labels: new names of the files' own labels; empty for those that are left out.
    """

    gold_format: GoldFormat | None = None
    columns: Columns = ("words", "labels", "sentence_id")
    labels: dict[str, str] = Field(default_factory=dict)


class EnglishSet(Gold):
    """A data set that labels English: its files that train, and those that dev is drawn from."""

    train: list[File] = Field(default_factory=list)
    dev: list[File] = Field(default_factory=list)

    @property
    def files(self) -> list[str]:
        """All of its files."""
        return [*self.train, *self.dev]


class Language(Gold):
    """A target language: bitext that trains, gold that judges; either may be missing.

    bitext_format: `jsonl`, `tsv`, `tmx`, `moses` (see `data.bitext`), or `marked` (see
    `data.parallel`); by default told from the name. bitext_keys: what the files call source and
    target language (of a TSV: columns by name or number); by default their codes. unescape: turn
    HTML entities and doubled quotes into characters.
    """

    name: str = ""
    bitext: list[File] = Field(default_factory=list)
    bitext_format: Literal["jsonl", "tsv", "tmx", "moses", "marked"] | None = None
    bitext_keys: tuple[str, str] | None = None
    unescape: bool = False
    dev: list[File] = Field(default_factory=list)
    test: list[File] = Field(default_factory=list)

    @property
    def files(self) -> list[str]:
        """All of its files."""
        return [*self.bitext, *self.dev, *self.test]

    @model_validator(mode="after")
    def _is_of_use(self) -> "Language":
        if not self.test and not self.bitext:
            raise ValueError("a language needs bitext, a gold test, or both")
        return self


class Arm(Section):
    """One way to train the student, as overrides of the config.

    number: its place in the tables. title: what it is. seeds: the students trained by default.
    teacher: the arm whose model teaches this one, and aligns its pairs; the benchmark's teacher and
    encoder otherwise. preset: what a student is exported as before it is judged; "" judges it in
    torch, as it was trained.
    """

    number: str = ""
    title: str
    seeds: list[Annotated[int, Field(ge=0)]] = Field([0], min_length=1)
    teacher: str = ""
    preset: str = "auto"
    overrides: dict[str, Any] = Field(default_factory=dict)


class Benchmark(Section):
    """What is compared on which languages.

    labels: the types that are judged. source: the language of the labels. dev_sentences: how many
    English sentences are drawn from the dev files to choose by (0: all); the others train.
    silver: new names of the labels of a `--labeller`.
    """

    labels: list[str] = Field(["PER", "ORG", "LOC"], min_length=1)
    source: Code = "en"
    dev_sentences: int = Field(500, ge=0)
    silver: dict[str, str] = Field(default_factory=dict)
    reference: str = ""
    english: dict[Name, EnglishSet] = Field(default_factory=dict)
    languages: dict[Code, Language] = Field(min_length=1)
    arms: dict[Name, Arm] = Field(default_factory=dict)

    @field_validator("languages")
    @classmethod
    def _is_not_the_source(
        cls, value: dict[str, Language], info: ValidationInfo
    ) -> dict[str, Language]:
        if (source := info.data.get("source")) in value:
            raise ValueError(f"'{source}' is the source language; its files stand under english")
        return value

    @field_validator("arms")
    @classmethod
    def _teachers_come_first(cls, value: dict[str, Arm]) -> dict[str, Arm]:
        before: set[str] = set()
        for name, arm in value.items():
            if arm.teacher and arm.teacher not in before - {TEACHER}:
                raise ValueError(f"{name}.teacher: '{arm.teacher}' is no arm above that trains one")
            before.add(name)
        return value


def load_benchmark(path: Path, overrides: dict[str, Any] | None = None) -> Benchmark:
    """Read the benchmark's sections of a config file.

    path (Path): The `.cfg` file: `[benchmark]`, `[benchmark.english.NAME]`,
        `[benchmark.languages.CODE]` and `[benchmark.arms.NAME]`.
    overrides (Optional[Dict[str, Any]]): Values by dotted name.
    RETURNS (Benchmark): The checked sections.
    RAISES (OpticalError): If the file is missing or broken, has no such section, or a key is
        unknown or wrong; the error names it.
    """
    sections = read_sections(path, overrides)
    if BENCHMARK not in sections:
        reason = "it has no section [benchmark]"
        raise OpticalError(Errors.E401.format(path=path, reason=reason))
    return checked(Benchmark, sections[BENCHMARK], path)


def sources(benchmark: Benchmark) -> list[Source]:
    """Name all files of a benchmark, each once.

    benchmark (Benchmark): The benchmark.
    RETURNS (List[Source]): The files in the config's order.
    """
    files = [file for section in benchmark.english.values() for file in section.files]
    files += [file for section in benchmark.languages.values() for file in section.files]
    return [Source.parse(file) for file in dict.fromkeys(files)]
