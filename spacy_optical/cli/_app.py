"""The `optical` command group, and how a command reports bad input."""

import functools
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer
from click import NoSuchOption  # what spaCy's own parser raises
from spacy.cli._util import app, parse_config_overrides
from wasabi import msg

from ..data.layout import gold_files
from ..errors import Errors, OpticalError

optical_cli = typer.Typer(
    name="optical",
    help="Distil, export and profile small multilingual NER models",
    no_args_is_help=True,
)
app.add_typer(optical_cli, name="optical")

# A config's key, as in `training.epochs` or `training.epochs=8`.
DOTTED = re.compile(r"[a-z_]+(\.[\w-]+)+(=|$)")
OVERRIDES = {"allow_extra_args": True, "ignore_unknown_options": True}


def command(
    name: str, *, overrides: bool = False, group: typer.Typer = optical_cli
) -> Callable[[Callable[..., Any]], Any]:
    """Register a command whose bad input ends in one sentence and exit code 1.

    name (str): The command's name.
    overrides (bool): Whether it takes config overrides such as `--training.epochs 2`.
    group (Typer): The commands that it belongs to; by default `python -m spacy optical`.
    RETURNS (Callable): The decorator.
    """

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            except OpticalError as err:
                msg.fail(str(err), exits=1)
            except KeyboardInterrupt:
                msg.fail(Errors.E005, exits=1)

        settings = OVERRIDES if overrides else {}
        return group.command(name, context_settings=settings)(run)

    return register


def overrides_of(context: typer.Context) -> dict[str, Any]:
    """Read a command's config overrides, in spaCy's form; the dashes may be missing.

    A project's variable loses them: weasel strips all of `--vars.options="--training.epochs 8"`.

    context (Context): The command's context.
    RETURNS (Dict[str, Any]): Values by dotted name.
    RAISES (OpticalError): If an option is neither the command's nor of this form.
    """
    try:
        return parse_config_overrides(_dashed(context.args))
    except NoSuchOption as err:
        raise OpticalError(Errors.E007.format(option=err.option_name)) from err


def _dashed(arguments: list[str]) -> list[str]:
    dashed: list[str] = []
    for argument in arguments:
        follows_name = bool(dashed) and dashed[-1].startswith("--") and "=" not in dashed[-1]
        if not follows_name and DOTTED.match(argument):
            argument = f"--{argument}"
        dashed.append(argument)
    return dashed


def parse_names(text: str) -> tuple[str, ...]:
    """Read names that are separated by commas, such as `PER,ORG`."""
    return tuple(filter(None, map(str.strip, text.split(","))))


def named_values(values: list[str], form: str = "NAME=VALUE") -> dict[str, str]:
    """Read options of the form NAME=VALUE.

    values (List[str]): The options as given.
    form (str): The form, for the error.
    RETURNS (Dict[str, str]): Values by name.
    RAISES (OpticalError): If one has no name or no value, or two have the same name.
    """
    named: dict[str, str] = {}
    for text in values:
        name, _, value = text.partition("=")
        if not (name and value):
            raise OpticalError(Errors.E006.format(value=text, form=form))
        if name in named:
            raise OpticalError(Errors.E008.format(name=name, first=named[name], second=value))
        named[name] = value
    return named


def named_paths(values: list[str]) -> dict[str, Path]:
    """Read options of the form NAME=PATH, as `named_values`."""
    return {name: Path(path) for name, path in named_values(values, "NAME=PATH").items()}


def gold_of(options: list[str], folder: Path | None, split: str) -> dict[str, Path]:
    """Join single gold files with those of a corpus folder.

    options (List[str]): Values of `--gold`, as LANG=FILE.
    folder (Optional[Path]): Value of `--gold-folder`: the corpus command's `gold` folder.
    split (str): Which of that folder's files: `dev` or `test`.
    RETURNS (Dict[str, Path]): Files by language; a single file wins over the folder's.
    """
    return (gold_files(folder, split) if folder is not None else {}) | named_paths(options)


def say(text: str) -> None:
    """Print a line of progress at once, also where the output goes to a file."""
    if _is_main():
        print(text, flush=True)


def good(text: str) -> None:
    """Print what a command made."""
    if _is_main():
        msg.good(text)


def _is_main() -> bool:
    """Whether this is the process that prints, of those that `accelerate launch` started."""
    return os.environ.get("RANK", "0") == "0"
