"""Config files in spaCy's format, checked with pydantic."""

import re
from configparser import Error as ConfigParserError
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from confection import Config
from pydantic import (
    BaseModel,
    ConfigDict,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from .errors import Errors, OpticalError

_HEADER = re.compile(r"^\[([^\[\]\s]+)\][ \t]*$", re.MULTILINE)
Checked = TypeVar("Checked", bound=BaseModel)
# Sections of version 0.1, with their new names.
RENAMED = {
    "benchmark": "[corpus] (labels, dev_sentences), [sources.NAME] (was "
    "benchmark.english.NAME), [languages.CODE], [experiments] (reference) and [arms.NAME]",
}


class Section(BaseModel):
    """A section of a config. Unknown keys are errors, and values cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)
    renamed: ClassVar[dict[str, str]] = {}
    removed: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _reject_old_keys(cls, values: Any) -> Any:
        for old in values if isinstance(values, dict) else ():
            if old in cls.renamed:
                raise ValueError(f"the key '{old}' is called '{cls.renamed[old]}' now; rename it")
            if old in cls.removed:
                raise ValueError(f"the key '{old}' was removed, see CHANGELOG.md; delete it")
        return values

    @field_validator("*", mode="before")
    @classmethod
    def _reject_missing_value(cls, value: Any, info: ValidationInfo) -> Any:
        # The value of an override such as `--a.b` is True, which pydantic would accept as 1.
        if value is True and cls.model_fields[str(info.field_name)].annotation is not bool:
            raise ValueError("it has no value")
        return value


def read_sections(path: Path, overrides: dict[str, Any] | None = None) -> Config:
    """Read a config file and apply overrides. The content of the sections is not checked.

    path (Path): The `.cfg` file.
    overrides (Optional[Dict[str, Any]]): Values by dotted name, e.g. `training.epochs`.
    RETURNS (Config): The sections.
    RAISES (OpticalError): If the file is missing or cannot be read, is not a valid config, or has a
        section of version 0.1.
    """
    path = Path(path)
    if not path.is_file():
        raise OpticalError(Errors.E002.format(what="config", path=path))
    try:
        text = _with_parents(path.read_text(encoding="utf-8-sig"))
        config = Config().from_str(text, interpolate=False)
        for key, value in (overrides or {}).items():
            # Config.from_str cannot override values in sections that are not in the file.
            *parts, name = key.split(".")
            section: dict[str, Any] = config
            for part in parts:
                section = section.setdefault(part, {})
                if not isinstance(section, dict):
                    reason = f"'{part}' is not a section"
                    raise OpticalError(Errors.E402.format(path=path, key=key, reason=reason))
            section[name] = value
        config = config.interpolate()
    except (OSError, ValueError, TypeError, AttributeError, ConfigParserError) as err:
        reason = " ".join(str(err).split())
        raise OpticalError(Errors.E401.format(path=path, reason=reason)) from err
    for old, new in RENAMED.items():
        if old in config:
            raise OpticalError(Errors.E424.format(path=path, old=old, new=new))
    return config


def _with_parents(text: str) -> str:
    """Add the sections that confection needs above a nested one, e.g. [a] above [a.b]."""
    seen = set(_HEADER.findall(text))

    def add_parents(header: re.Match[str]) -> str:
        parts = header[1].split(".")
        parents = [".".join(parts[:end]) for end in range(1, len(parts))]
        missing = [name for name in parents if name not in seen]
        seen.update(missing)
        return "".join(f"[{name}]\n" for name in missing) + header[0]

    return _HEADER.sub(add_parents, text)


def checked(model: type[Checked], values: Any, path: Path) -> Checked:
    """Validate sections with a pydantic model.

    model (Type[BaseModel]): The model.
    values (Any): The sections.
    path (Path): The config file, for the error.
    RETURNS (BaseModel): The validated sections.
    RAISES (OpticalError): If a value is not valid. The error names the first such key.
    """
    try:
        return model.model_validate(values)
    except ValidationError as err:
        first = err.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        reason = first["msg"].removeprefix("Value error, ")
        raise OpticalError(Errors.E402.format(path=path, key=key, reason=reason)) from err
