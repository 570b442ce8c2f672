"""Running commands in this process."""

import re

from typer.testing import CliRunner, Result

from spacy_optical.cli import optical_cli


def run(*arguments: object) -> Result:
    """Run `python -m spacy optical` with these arguments."""
    return CliRunner().invoke(optical_cli, [str(argument) for argument in arguments])


def told(result: Result) -> str:
    """What a failed command said: one sentence, exit code 1, no traceback."""
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
    _, message = result.output.split("✘")  # which is the last thing said, and said once
    return " ".join(re.sub(r"\x1b\[[0-9;]*m", "", message).split())
