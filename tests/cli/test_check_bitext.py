"""check-bitext as a user calls it."""

import pytest
from spacy.cli._util import app
from typer.testing import CliRunner

from tests.projection.test_bitext_faults import encoder, written  # noqa: F401 - a fixture


def run(*arguments):
    import spacy_optical.cli  # noqa: F401 - importing registers the commands

    return CliRunner().invoke(app, ["optical", "check-bitext", *map(str, arguments)])


def test_the_command_prints_a_table_and_writes_pairs_and_a_picture(encoder, tmp_path):  # noqa: F811
    order = [*range(79), *range(80, 160), 79, *range(160, 240)]
    path = written(tmp_path / "sw.jsonl", order)
    done = run(path, "--languages", "en", "sw", "--encoder", encoder,
               "--repair", tmp_path / "out", "--html", tmp_path / "page.html")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "shifted" in done.output
    assert "-1" in done.output
    assert (tmp_path / "out/pairs.jsonl").is_file()
    assert "<svg" in (tmp_path / "page.html").read_text(encoding="utf8")


@pytest.mark.parametrize(
    ("text", "options", "code"),
    [
        (None, [], "E002"),
        ("only one column\nand one more\n", [], "E221"),
        ("", [], "E206"),
        ("bread\tmkate\n", ["--encoder", "no/such/folder"], "E702"),
        ("bread\tmkate\n", ["--html", "page.html"], "E248"),
        ("bread\tmkate\n", ["--keys", "1"], "E246"),
    ],
)
def test_wrong_input_ends_in_one_sentence(tmp_path, text, options, code):
    path = tmp_path / "sw.tsv"
    if text is not None:
        path.write_text(text)
    done = run(path, "--repair", tmp_path / "out", *options)
    assert done.exit_code == 1
    assert code in done.output
    assert not (tmp_path / "out").exists()


def test_an_output_that_is_not_ours_is_left_alone(tmp_path):
    path = tmp_path / "sw.tsv"
    path.write_text("bread\tmkate\n")
    done = run(path, "--repair", path)
    assert done.exit_code == 1
    assert "E004" in done.output
    assert path.read_text() == "bread\tmkate\n"
