"""The three commands as a user calls them, with an encoder that knows nothing but pieces."""

import re

import pytest
import spacy
from spacy.cli._util import app
from typer.testing import CliRunner

from spacy_optical.data.docs import read_docs
from tests.util import toy_encoder, toy_tokenizer, without_positions


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    words = ("Amina", "Juma", "Nairobi", "na", ".")
    folder = tmp_path_factory.mktemp("encoder")
    return without_positions(toy_encoder(folder, toy_tokenizer(words)))


def run(*arguments):
    import spacy_optical.cli  # noqa: F401 - importing registers the commands

    return CliRunner().invoke(app, ["optical", *map(str, arguments)])


def test_align_prints_the_plan_and_draws_it(encoder, tmp_path):
    page = tmp_path / "plan.html"
    sentences = "[Amina Juma](PER) na Nairobi.", "Nairobi na Amina Juma."
    done = run("align", *sentences, "--encoder", encoder, "--layer", 0, "--html", page)
    assert done.exit_code == 0, done.output
    assert "Amina Juma: PER" in done.output
    assert "<svg" in page.read_text(encoding="utf8")


def test_align_ticks_only_what_project_labels_would_write(encoder, tmp_path):
    bitext = tmp_path / "sw.jsonl"
    bitext.write_text('{"en": "na Amina", "sw": "Habari"}')
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "PER", "pattern": "Amina"}])
    nlp.to_disk(tmp_path / "labeller")
    options = ["--encoder", encoder, "--layer", 0]
    failed = run("project-labels", bitext, tmp_path / "out.spacy", "--labeller",
                 tmp_path / "labeller", *options)  # fmt: skip
    assert failed.exit_code == 1
    assert "E320" in failed.output
    done = run("align", "na [Amina](PER)", "Habari", *options)
    assert done.exit_code == 0, done.output
    assert "✔" not in done.output
    assert "below 0.25: project-labels does not use this pair" in " ".join(done.output.split())
    unsure = run("align", "[Amina](PER) na", "Amina na", "--threshold", 1, "--skip-below", 0,
                 "--aligner", "softmax", *options)  # fmt: skip
    assert "✔" not in unsure.output
    assert "below the threshold of 1" in unsure.output


def test_project_labels_writes_documents_and_tells_what_it_left_out(encoder, tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "PERSON", "pattern": "Amina Juma"}])
    nlp.to_disk(tmp_path / "labeller")
    bitext = tmp_path / "sw.jsonl"
    bitext.write_text('{"en": "Amina Juma na Nairobi.", "sw": "Nairobi na Amina Juma."}\nbroken\n')
    out = tmp_path / "out.spacy"
    arguments = ["project-labels", bitext, out, "--labeller", tmp_path / "labeller"]
    arguments += ["--encoder", encoder, "--layer", 0, "--map", "PERSON=PER"]
    failed = run(*arguments)
    assert failed.exit_code == 1
    assert "E220" in failed.output
    assert not out.exists()
    done = run(*arguments, "--on-error", "skip")
    assert done.exit_code == 0, done.output
    assert "1 E220" in done.output
    (doc,) = read_docs(out)
    assert [(e.text, e.label_) for e in doc.ents] == [("Amina Juma", "PER")]
    assert run(*arguments, "--on-error", "shrug").exit_code == 2


def test_project_labels_reads_the_columns_that_are_named(encoder, tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "PER", "pattern": "Amina & Juma"}])
    nlp.to_disk(tmp_path / "labeller")
    bitext = tmp_path / "tatoeba.tsv"
    bitext.write_text("Amina &amp; Juma na.\tNa Amina &amp; Juma.\tCC-BY 2.0 (x)\n")
    out = tmp_path / "out.spacy"
    arguments = ["project-labels", bitext, out, "--labeller", tmp_path / "labeller"]
    arguments += ["--encoder", encoder, "--layer", 0, "--target", "sw", "--threshold", 0]
    for failed, said in (
        (run(*arguments), "E243"),
        (run(*arguments, "--keys", "1"), "E246"),
        (run(*arguments, "--keys", "1,9"), "E244"),
    ):
        assert failed.exit_code == 1
        assert said in failed.output
    done = run(*arguments, "--keys", "1,2", "--unescape")
    assert done.exit_code == 0, done.output
    assert re.search(r"HTML entities +1", done.output)
    assert read_docs(out)[0].text == "Na Amina & Juma."
