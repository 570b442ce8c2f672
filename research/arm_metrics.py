"""The metrics file of one arm and seed, with the counts of each sentence."""

from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, field_validator

from spacy_optical.files import read_record, write_json
from spacy_optical.scores import parse_counts


class Record(BaseModel):
    """A part of the file; unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class LanguageResult(Record):
    """The scores of an arm in one language.

    f1, precision, recall (float): spaCy's `ents_f`, `ents_p`, `ents_r`, 0 to 1.
    types (Dict[str, float]): F1 by type.
    gold (str): SHA-256 of the gold file.
    counts (str): `right,wrong,missed` of each sentence, separated by spaces.
    """

    f1: float
    precision: float
    recall: float
    types: dict[str, float]
    gold: str
    counts: str

    @field_validator("counts")
    @classmethod
    def _are_counts(cls, value: str) -> str:
        parse_counts(value)
        return value

    @property
    def rows(self) -> NDArray[np.float64]:
        """The counts as an array [sentences, 3]."""
        return parse_counts(self.counts)


class ArmMetrics(Record):
    """One arm with one seed.

    format (int): The version of the format.
    arm, number, title (str): The arm, its number in tables, and its description.
    reference (str): The arm that the others are compared with.
    seed (int): The student's seed.
    fingerprint (str): Hash of config, models, data and gold.
    bitext (List[str]): The languages with bitext.
    names (Dict[str, str]): The languages' names.
    languages (Dict[str, LanguageResult]): The result by language.
    english_dev (Optional[float]): F1 on English dev.
    parameters (Optional[int]): The number of parameters of the student.
    preset (str): The preset of the evaluated bundle, or "" for the model in torch.
    megabytes (Optional[float]): The bundle's size, in 10^6 bytes.
    epochs (List[Dict[str, float]]): Losses and English dev F1 by epoch.
    provenance (Dict[str, Any]): Config, hashes, versions and machine.
    """

    format: Literal[1] = 1
    arm: str
    number: str
    title: str
    reference: str
    seed: int
    fingerprint: str
    bitext: list[str]
    names: dict[str, str]
    languages: dict[str, LanguageResult]
    english_dev: float | None
    parameters: int | None
    preset: str = ""
    megabytes: float | None = None
    epochs: list[dict[str, float]]
    provenance: dict[str, Any]


def write_arm(metrics: ArmMetrics, path: Path) -> None:
    """Write a metrics file atomically."""
    write_json(path, metrics.model_dump(mode="json"))


def read_arm(path: Path) -> ArmMetrics:
    """Read a metrics file.

    path (Path): The file.
    RETURNS (ArmMetrics): Its content.
    RAISES (OpticalError): If it is missing or invalid.
    """
    return read_record(path, ArmMetrics)
