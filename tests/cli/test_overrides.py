"""Config overrides as a shell gives them, and as a project's variable does."""

import shlex
from typing import Any

import click
import pytest
import typer
from weasel.util.config import parse_config_overrides

from spacy_optical.cli._app import overrides_of


def overrides(arguments: list[str]) -> dict[str, Any]:
    context = typer.Context(click.Command("teach"))
    context.args = arguments
    return overrides_of(context)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", {}),
        ("--training.epochs 8", {"training.epochs": 8}),
        ("--training.epochs=8 --data.languages yo", {"training.epochs": 8, "data.languages": "yo"}),
        ("--paths.corpus other.corpus/yo", {"paths.corpus": "other.corpus/yo"}),
        ("--plans.align.solver partial", {"plans.align.solver": "partial"}),
        ("--training.freeze_embeddings false", {"training.freeze_embeddings": False}),
    ],
)
def test_a_project_variable_says_what_the_shell_says(line: str, expected: dict[str, Any]) -> None:
    assert overrides(shlex.split(line)) == expected
    if line:  # weasel takes all dashes away, also those within the value
        through = parse_config_overrides([f"--vars.options={line}"])["vars.options"]
        assert "--" not in through
        assert overrides(shlex.split(through)) == expected


def test_what_is_no_key_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        overrides(["stray"])
    assert "Invalid config override 'stray'" in capsys.readouterr().out
