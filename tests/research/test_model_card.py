"""The generated tables of the model card."""

import json
from pathlib import Path

import pytest

from research.model_card import write_card
from spacy_optical.errors import OpticalError

CARD = """# Card

Prose before.

<!-- scores: made by `python -m research card` -->
old
<!-- end -->

<!-- labels: made by `python -m research card` -->
<!-- end -->

<!-- sources: made by `python -m research card` -->
<!-- end -->

Prose after.
"""
DATA = """
[languages.sw.bitext.news]
files = ["https://example.org/news/sw.tsv"]
licence = "CC0"
"""


def score(f: float) -> dict:
    return {"ents_p": f, "ents_r": f, "ents_f": f, "ents_per_type": {"PER": {"f": f}}}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name, part in (("md", 0.5), ("sm", 0.4)):
        scores = {"en": score(0.9), "sw": score(part), "ha": score(part + 0.1)}
        text = json.dumps([{"name": name, "f1": {}, "scores": scores}])
        (tmp_path / f"{name}.json").write_text(text, encoding="utf8")
    (tmp_path / "data.cfg").write_text(DATA, encoding="utf8")
    (tmp_path / "card.md").write_text(CARD, encoding="utf8")
    return tmp_path


def test_tables_are_replaced_and_prose_stays(files: Path) -> None:
    scores = [(name, files / f"{name}.json") for name in ("md", "sm")]
    for _ in range(2):  # a second run changes nothing
        write_card(files / "card.md", scores, files / "data.cfg")
        text = (files / "card.md").read_text(encoding="utf8")
        assert "| md | 60.0 | 50.0 | 55.0 | 90.0 |" in text
        assert "| sm | 50.0 | 40.0 | 45.0 | 90.0 |" in text
        assert "| PER | 60.0 | 50.0 | 90.0 |" in text
        assert "| [news](https://example.org/news) | CC0 |" in text
        assert "old" not in text
        assert "Prose before." in text
        assert text.endswith("Prose after.\n")


def test_a_card_without_a_section_is_left_as_it_is(files: Path) -> None:
    (files / "card.md").write_text("# Card\n", encoding="utf8")
    with pytest.raises(OpticalError, match=r"E002.*section"):
        write_card(files / "card.md", [("md", files / "md.json")], files / "data.cfg")
    assert (files / "card.md").read_text(encoding="utf8") == "# Card\n"
