"""Config files: spaCy's format, checked with pydantic before anything runs."""

import re
from configparser import Error as ConfigParserError
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from confection import Config, ConfigValidationError
from pydantic import (
    BaseModel,
    ConfigDict,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from .errors import Errors, OpticalError

_HEADER = re.compile(r"\[([^\[\]\s]+)\]\s*$")
Checked = TypeVar("Checked", bound=BaseModel)
# Sections of version 0.1 by what they are called now.
RENAMED = {
    "benchmark": "[corpus] (labels, dev_sentences), [sources.NAME] (was "
    "benchmark.english.NAME), [languages.CODE], [experiments] (reference) and [arms.NAME]",
}


class Section(BaseModel):
    """A section of the config: no key may be unknown, nothing changes once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)
    renamed: ClassVar[dict[str, str]] = {}
    removed: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _has_no_old_key(cls, values: Any) -> Any:
        for old in values if isinstance(values, dict) else ():
            if old in cls.renamed:
                raise ValueError(f"the key '{old}' is called '{cls.renamed[old]}' now; rename it")
            if old in cls.removed:
                raise ValueError(f"the key '{old}' was removed, see CHANGELOG.md; delete it")
        return values

    @field_validator("*", mode="before")
    @classmethod
    def _truth_is_no_number(cls, value: Any, info: ValidationInfo) -> Any:
        # An override without its value arrives as true, which would pass for 1.
        if value is True and cls.model_fields[str(info.field_name)].annotation is not bool:
            raise ValueError("it has no value")
        return value


def read_sections(path: Path, overrides: dict[str, Any] | None = None) -> Config:
    """Read a config file and apply overrides, without checking what the sections hold.

    path (Path): The `.cfg` file.
    overrides (Optional[Dict[str, Any]]): As for `load_config`.
    RETURNS (Config): The sections.
    RAISES (OpticalError): If the file is missing or not of the format, or has a section that is
        now called otherwise.
    """
    path = Path(path)
    if not path.is_file():
        raise OpticalError(Errors.E002.format(what="config", path=path))
    try:
        text = _with_parents(path.read_text(encoding="utf8"))
        config = Config().from_str(text, interpolate=False)
        for key, value in (overrides or {}).items():
            # Sections that the file leaves to their defaults can be overridden too.
            *parts, name = key.split(".")
            section: dict[str, Any] = config
            for part in parts:
                section = section.setdefault(part, {})
            section[name] = value
        config = config.interpolate()
    except (ConfigValidationError, ValueError, TypeError, AttributeError, ConfigParserError) as err:
        reason = " ".join(str(err).split())
        raise OpticalError(Errors.E401.format(path=path, reason=reason)) from err
    for old, new in RENAMED.items():
        if old in config:
            raise OpticalError(Errors.E424.format(path=path, old=old, new=new))
    return config


def _with_parents(text: str) -> str:
    """Add the sections that confection wants above a nested one, such as [a] above [a.b]."""
    seen = {found[1] for line in text.splitlines() if (found := _HEADER.match(line))}
    lines = []
    for line in text.splitlines():
        if header := _HEADER.match(line):
            parts = header[1].split(".")
            names = [".".join(parts[:end]) for end in range(1, len(parts) + 1)]
            lines += [f"[{name}]" for name in names[:-1] if name not in seen]
            seen.update(names)
        lines.append(line)
    return "\n".join(lines)


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
