"""Changed text has the same number of tokens."""

import json
import sys
from random import Random

import pytest
from spacy.tokens import Span
from spacy.vocab import Vocab

from research.benchmarks.robustness import WRITINGS, main, markdown
from spacy_optical.data.docs import write_docs
from tests.util import toy_bundle

WORDS = ["Juma", "und", "Ɓala", "Müller", "äänestävät", "...", "2024", "½", "´", "ß", "N'Djamena"]


@pytest.mark.parametrize("writing", WRITINGS)
def test_no_word_is_lost_and_the_same_seed_gives_the_same_words(writing):
    for seed in range(20):
        changed = WRITINGS[writing](WORDS, Random(seed))
        assert len(changed) == len(WORDS)
        assert all(word.strip() for word in changed)
        assert changed == WRITINGS[writing](WORDS, Random(seed))


def test_each_writing_changes_what_its_name_says():
    changed = {name: change(WORDS * 20, Random(0)) for name, change in WRITINGS.items()}
    assert changed["as it is"] == WORDS * 20
    assert changed["no diacritics"][2:5] == ["Bala", "Muller", "aanestavat"]
    assert changed["title case"][1] == "Und"
    assert changed["soft hyphens"][3] == "Mül\u00adler"
    typos = sum(one != other for one, other in zip(changed["typos"], WORDS * 20, strict=True))
    assert 0 < typos < 25


def test_the_command_measures_a_bundle(tmp_path, monkeypatch, capsys):
    from spacy.tokens import Doc

    doc = Doc(Vocab(), words=["Amina", "na", "Nairobi"])
    doc.ents = [Span(doc, 0, 1, "PER"), Span(doc, 2, 3, "LOC")]
    write_docs([doc], tmp_path / "sw-test.spacy")
    toy_bundle().to_disk(tmp_path / "bundle")
    out = tmp_path / "robustness.json"
    arguments = [tmp_path, "--languages", "sw", "--model", tmp_path / "bundle", "--out", out]
    monkeypatch.setattr(sys, "argv", ["robustness", *map(str, arguments)])
    main()
    found = json.loads(out.read_text())["f1"]
    assert found["as it is"]["sw"] == 100.0
    assert found["lower case"]["sw"] == 0.0
    assert "| as it is | 100.0 | 100.0 |" in capsys.readouterr().out
    assert markdown({"as it is": {"sw": 50.0, "ha": 70.0}}).endswith("| 50.0 | 70.0 | 60.0 |")
