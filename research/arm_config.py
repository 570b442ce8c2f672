"""The sections `[experiments]` and `[arms.NAME]` of a config."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, field_validator

from spacy_optical.config import Section, checked, read_sections
from spacy_optical.data.sources import Name

TEACHER = "teacher"  # the arm without a student


class Arm(Section):
    """One way to train the student, as overrides of the config.

    number: the number in tables. title: a description. seeds: the default seeds of the students.
    teacher: the arm whose model is the teacher and aligns the pairs; by default the teacher and the
    encoder of the experiments. preset: the export preset of the evaluated student; "" evaluates it
    in torch.
    """

    number: str = ""
    title: str
    seeds: list[Annotated[int, Field(ge=0)]] = Field([0], min_length=1)
    teacher: str = ""
    preset: str = "auto"
    overrides: dict[str, Any] = Field(default_factory=dict)


class Experiments(Section):
    """The arms, and the reference that the others are compared with.

    labels, languages: the labels and the languages to score; by default all of the corpus.
    """

    reference: str = ""
    labels: list[str] = Field(default_factory=list)
    languages: list[str] = Field(default_factory=list)
    arms: dict[Name, Arm] = Field(default_factory=dict)

    @field_validator("arms")
    @classmethod
    def _teachers_come_first(cls, value: dict[str, Arm]) -> dict[str, Arm]:
        before: set[str] = set()
        for name, arm in value.items():
            if arm.teacher and arm.teacher not in before - {TEACHER}:
                raise ValueError(
                    f"{name}.teacher: '{arm.teacher}' is not an arm above it with a model"
                )
            before.add(name)
        return value


def load_experiments(path: Path, overrides: dict[str, Any] | None = None) -> Experiments:
    """Read the arms of a config file.

    path (Path): The `.cfg` file.
    overrides (Optional[Dict[str, Any]]): Values by dotted name.
    RETURNS (Experiments): The validated sections.
    RAISES (OpticalError): If the file is missing or invalid, or a key is unknown or invalid.
    """
    sections = read_sections(path, overrides)
    values = {**sections.get("experiments", {}), "arms": sections.get("arms", {})}
    return checked(Experiments, values, path)
