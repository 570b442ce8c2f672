"""What `meta.json` says about data and scores."""

import json
from pathlib import Path

import pytest
from spacy.cli.package import generate_readme

from spacy_optical.data.sources import load_data_config
from spacy_optical.errors import OpticalError
from spacy_optical.export.pipeline_meta import performance_of, sources_of

CONFIG = """
[sources.web]
train = ["https://raw.githubusercontent.com/owner/web/0123/train.iob2"]
test = ["https://raw.githubusercontent.com/owner/other/0123/test.iob2"]
licence = "CC BY 4.0"

[languages.sw]
test = ["https://raw.githubusercontent.com/owner/gold/0123/test.txt"]

[languages.sw.bitext.news]
files = ["https://example.org/news/sw.tsv"]
licence = "CC0"

[languages.so.bitext.news]
files = ["https://example.org/news/so.tsv"]
licence = "CC0"

[languages.so.text.own]
files = ["own.txt"]
licence = "MIT"
"""


def test_sources_name_what_trains_once(tmp_path: Path) -> None:
    (tmp_path / "data.cfg").write_text(CONFIG, encoding="utf8")
    assert sources_of(load_data_config(tmp_path / "data.cfg")) == [
        {"name": "web", "license": "CC BY 4.0", "url": "https://github.com/owner/web"},
        {"name": "news", "license": "CC0", "url": "https://example.org/news"},
        {"name": "own", "license": "MIT"},
    ]


def test_performance_is_the_mean_over_target_languages(tmp_path: Path) -> None:
    scores = {
        code: {"ents_p": f, "ents_r": f, "ents_f": f, "ents_per_type": {}}
        for code, f in (("sw", 0.8), ("ha", 0.6), ("en", 0.1))
    }
    file = tmp_path / "scores.json"
    file.write_text(json.dumps([{"name": "md", "f1": {}, "scores": scores}]), encoding="utf8")
    performance = performance_of(file)
    assert performance["ents_f"] == pytest.approx(0.7)
    assert performance["languages"] == scores
    meta = {"lang": "xx", "name": "md", "version": "1", "spacy_version": "3", "labels": {}}
    assert "| `ENTS_F` | 70.00 |" in generate_readme(meta | {"performance": performance})


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '[{"name": "md"}]', '[{"scores": {}}]', '[{"scores": []}]']
)
def test_another_file(tmp_path: Path, text: str) -> None:
    with pytest.raises(OpticalError, match="E002"):
        performance_of(tmp_path / "none.json")
    (tmp_path / "scores.json").write_text(text, encoding="utf8")
    with pytest.raises(OpticalError, match=r"E515.*scores\.json"):
        performance_of(tmp_path / "scores.json")
