"""The `optical` command group, and helpers of its commands."""

import functools
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer
from click import NoSuchOption  # raised by parse_config_overrides
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

# A key of a config, e.g. `training.epochs` or `training.epochs=8`.
DOTTED = re.compile(r"[a-z_]+(\.[\w-]+)+(=|$)")


def command(
    name: str, *, overrides: bool = False, group: typer.Typer = optical_cli
) -> Callable[[Callable[..., Any]], Any]:
    """Register a command, which may take config overrides such as `--training.epochs 2`.

    An `OpticalError` is printed, and the command exits with code 1.
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

        settings = {"allow_extra_args": overrides, "ignore_unknown_options": overrides}
        return group.command(name, context_settings=settings)(run)

    return register


def overrides_of(context: typer.Context) -> dict[str, Any]:
    """Parse the config overrides of a command, e.g. `--training.epochs 8`.

    The dashes may be missing: weasel removes them from `--vars.options="--training.epochs 8"`.
    """
    arguments: list[str] = []
    for argument in context.args:
        is_value = arguments and arguments[-1].startswith("--") and "=" not in arguments[-1]
        if not is_value and DOTTED.match(argument):
            argument = f"--{argument}"
        arguments.append(argument)
    try:
        return parse_config_overrides(arguments)
    except NoSuchOption as err:
        raise OpticalError(Errors.E007.format(option=err.option_name)) from err


def parse_names(text: str) -> tuple[str, ...]:
    """Parse names separated by commas, e.g. `PER,ORG`."""
    return tuple(filter(None, map(str.strip, text.split(","))))


def named_values(values: list[str], form: str = "NAME=VALUE") -> dict[str, str]:
    """Parse option values of the form NAME=VALUE. The names must differ."""
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
    """Parse option values of the form NAME=PATH. See `named_values`."""
    return {name: Path(path) for name, path in named_values(values, "NAME=PATH").items()}


def gold_of(options: list[str], folder: Path | None, split: str) -> dict[str, Path]:
    """Get the gold files of `--gold LANG=FILE`, and for other languages of `--gold-folder`."""
    files = {} if folder is None else gold_files(folder, split)
    return files | named_paths(options)


def say(text: str) -> None:
    """Print a line of progress. The output is flushed, in case it goes to a file."""
    if _is_main():
        print(text, flush=True)


def good(text: str) -> None:
    """Print what a command wrote."""
    if _is_main():
        msg.good(text)


def _is_main() -> bool:
    """Whether this is the main process of `accelerate launch`."""
    return os.environ.get("RANK", "0") == "0"
