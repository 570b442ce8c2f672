"""The config sections for data: `[corpus]`, `[sources.NAME]` and `[languages.CODE]`.

A source is a labelled data set in the source language, for training the teacher. A language is a
target language with bitext for training, and gold files that are only used for evaluation. All keys
are described in docs/new-language.md.
"""

import re
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from ..config import Section, checked, read_sections
from .download import DataFile

GoldFormat = Literal["iob2", "table", "jsonl", "spacy", "marked"]
Columns = tuple[str, str, str]


def _file(text: str) -> str:
    DataFile.parse(text)  # pydantic adds the key of the config to the error
    return text


def _code(text: str) -> str:
    if not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", text):
        raise ValueError("a language is named by its code, such as sw or zh-Hant")
    return text


def _name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", text):
        raise ValueError("a name is made of letters, digits, points, dashes and underscores")
    return text


File = Annotated[str, AfterValidator(_file)]
Code = Annotated[str, AfterValidator(_code)]
Name = Annotated[str, AfterValidator(_name)]


class LabelledSet(Section):
    """Labelled files and their format; see `data.gold.read_tagged`.

    Labels in `not_labelled` were not annotated. Predictions with these labels are not scored.
    """

    dev: list[File] = Field(default_factory=list)
    test: list[File] = Field(default_factory=list)
    gold_format: GoldFormat | None = None
    columns: Columns = ("words", "labels", "sentence_id")
    labels: dict[str, str] = Field(default_factory=dict)
    not_labelled: list[str] = Field(default_factory=list)
    licence: str = ""


class SourceSet(LabelledSet):
    """A labelled data set in the source language.

    `patterns` is a file with patterns for spaCy's EntityRuler. They add entities for the labels in
    `not_labelled` to `train`.
    """

    train: list[File] = Field(default_factory=list)
    patterns: File | None = None
    empty_share: float = Field(1.0, ge=0, le=1)
    max_sentences: int = Field(0, ge=0)

    @property
    def files(self) -> list[str]:
        """All files of the set."""
        return [*self.train, *self.dev, *self.test, *filter(None, [self.patterns])]


class BitextSet(Section):
    """A data set of sentence pairs; see `read_bitext`, and `read_groups` for `marked`.

    For `moses`, `files` lists the source file and the target file of each pair of files.
    """

    files: list[File] = Field(min_length=1)
    format: Literal["jsonl", "tsv", "tmx", "conllu", "moses", "marked"] | None = None
    keys: tuple[str, str] | None = None
    unescape: bool = False
    max_pairs: int = Field(0, ge=0)
    unnamed_share: float = Field(1.0, ge=0, le=1)
    licence: str = ""

    @model_validator(mode="after")
    def _files_come_in_pairs(self) -> "BitextSet":
        if self.format == "moses":
            if len(self.files) % 2:
                raise ValueError("list source and target file of each pair, in this order")
            if any(DataFile.parse(file).optional for file in self.files):
                raise ValueError("files of pairs cannot be optional; name only those that exist")
        return self


class TextSet(Section):
    """A data set of sentences in a target language, without translations.

    `key` is the comment (by default `text`), column (`1`) or JSON key (the language) with the text.
    """

    files: list[File] = Field(min_length=1)
    format: Literal["lines", "conllu", "tsv", "jsonl"] = "lines"
    key: str = ""
    unescape: bool = False
    max_sentences: int = Field(0, ge=0)
    licence: str = ""


class Language(LabelledSet):
    """A target language: bitext and text for training, gold for evaluation."""

    name: str = ""
    bitext: dict[Name, BitextSet] = Field(default_factory=dict)
    text: dict[Name, TextSet] = Field(default_factory=dict)

    renamed: ClassVar[dict[str, str]] = {
        "bitext_format": "format in [languages.CODE.bitext.NAME]",
        "bitext_keys": "keys in [languages.CODE.bitext.NAME]",
    }

    @field_validator("bitext", mode="before")
    @classmethod
    def _is_of_sections(cls, value: Any) -> Any:
        if isinstance(value, list):
            raise ValueError("it is now a section [languages.CODE.bitext.NAME] with files")
        return value

    @model_validator(mode="after")
    def _is_of_use(self) -> "Language":
        if not self.test and not self.bitext:
            raise ValueError("a language needs bitext, a gold test, or both")
        if self.text and not self.bitext:
            raise ValueError("a language with text needs bitext, too")
        return self

    @property
    def files(self) -> list[str]:
        """All files of the language."""
        parts: list[BitextSet | TextSet] = [*self.bitext.values(), *self.text.values()]
        return [*(file for part in parts for file in part.files), *self.dev, *self.test]


class CorpusSettings(Section):
    """Settings of the corpus. For `dev_sentences` and `max_pairs`, 0 means all."""

    labels: list[str] = Field(["PER", "ORG", "LOC"], min_length=1)
    dev_sentences: int = Field(0, ge=0)
    max_pairs: int = Field(0, ge=0)
    augment: int = Field(0, ge=0)
    augment_bitext: int | None = Field(None, ge=0)


class DataConfig(Section):
    """The sections of a config that describe data."""

    seed: int = Field(0, ge=0)
    source: Code = "en"
    corpus: CorpusSettings = CorpusSettings()
    sources: dict[Name, SourceSet] = Field(default_factory=dict)
    languages: dict[Code, Language] = Field(min_length=1)

    @field_validator("languages")
    @classmethod
    def _is_not_the_source(
        cls, value: dict[str, Language], info: ValidationInfo
    ) -> dict[str, Language]:
        if (source := info.data.get("source")) in value:
            raise ValueError(f"'{source}' is the source language; name its files under [sources]")
        return value

    @model_validator(mode="after")
    def _knows_what_is_not_labelled(self) -> "DataConfig":
        for name, part in (*self.sources.items(), *self.languages.items()):
            if unknown := sorted(set(part.not_labelled) - set(self.corpus.labels)):
                known = ", ".join(self.corpus.labels)
                raise ValueError(f"'{name}': not_labelled has '{unknown[0]}', labels has {known}")
        return self

    @property
    def files(self) -> list[DataFile]:
        """All files without duplicates, in the order of the config."""
        parts: list[SourceSet | Language] = [*self.sources.values(), *self.languages.values()]
        names = dict.fromkeys(file for part in parts for file in part.files)
        return list(map(DataFile.parse, names))

    def licences(self) -> dict[str, str]:
        """Get the licences in the config, by source, language or set of bitext."""
        parts: dict[str, LabelledSet | BitextSet | TextSet] = {**self.sources, **self.languages}
        for code, language in self.languages.items():
            sets: dict[str, BitextSet | TextSet] = {**language.bitext, **language.text}
            parts |= {f"{code} {name}": part for name, part in sets.items()}
        return {name: part.licence for name, part in parts.items() if part.licence}


def load_data_config(path: Path, overrides: dict[str, Any] | None = None) -> DataConfig:
    """Read the data sections of a config file.

    path (Path): The `.cfg` file. The seed is in `[general]`, the source language in `[data]`.
    overrides (Optional[Dict[str, Any]]): Values by dotted name.
    RETURNS (DataConfig): The checked sections.
    RAISES (OpticalError): If the file is missing or invalid, has no languages, or has an unknown or
        wrong key. The error names the key.
    """
    sections = read_sections(path, overrides)
    places = {"seed": sections.get("general", {}), "source": sections.get("data", {})}
    values = {name: places.get(name, sections).get(name) for name in DataConfig.model_fields}
    return checked(DataConfig, {k: v for k, v in values.items() if v is not None}, path)
