from pathlib import Path

import pytest

from spacy_optical.data.sources import load_data_config
from spacy_optical.distill.config import load_config
from spacy_optical.errors import OpticalError

CONFIGS = Path(__file__).parent.parent.parent / "configs"
CONFIG = """
[general]
seed = 7

[corpus]
dev_sentences = 5

[sources.news]
train = ["a.iob2"]
licence = "CC0"

[languages.yo]
test = ["yo.txt"]

[languages.yo.bitext.one]
files = ["https://data.example/en.txt", "https://data.example/yo.txt"]
format = "moses"
licence = "CC BY 4.0"

[languages.ig]
test = ["ig.txt", "a.iob2"]
"""


def load(tmp_path, text=CONFIG, **overrides):
    path = tmp_path / "data.cfg"
    path.write_text(text, encoding="utf8")
    return load_data_config(path, {key.replace("__", "."): v for key, v in overrides.items()})


def test_files_are_named_once_in_the_order_of_the_config(tmp_path):
    config = load(tmp_path, general__seed=8)
    names = ["a.iob2", "https://data.example/en.txt", "https://data.example/yo.txt", "yo.txt"]
    assert [file.address for file in config.files] == [*names, "ig.txt"]
    assert (config.seed, config.source, config.corpus.dev_sentences) == (8, "en", 5)
    assert config.licences() == {"news": "CC0", "yo one": "CC BY 4.0"}


def test_languages_that_have_bitext_train_unless_the_config_names_others(tmp_path):
    text = (CONFIGS / "tiny.cfg").read_text(encoding="utf8")
    path = tmp_path / "tiny.cfg"
    path.write_text(text + CONFIG[CONFIG.index("[languages.yo]") :], encoding="utf8")
    assert load_config(path).data.languages == ["sw", "fi", "yo"]
    assert load_config(path, {"data.languages": "yo"}).data.languages == ["yo"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[corpus]", "[benchmark]", r"E424.*\[benchmark\] is now \[corpus\]"),
        (
            "[languages.yo]",
            '[languages.yo]\nbitext_format = "tsv"',
            "'bitext_format' is called",
        ),
        ("[languages.ig]", '[languages.ig]\nbitext = ["a.tsv"]', r"languages\.CODE\.bitext\.NAME"),
        ("[languages.ig]", "[languages.en]", "source language"),
        ("[languages.ig]", "[languages.IG]", "named by its code"),
        ("[sources.news]", "[sources.a/b]", "a name is made of letters"),
        (', "https://data.example/yo.txt"', "", "source and target file of each pair"),
        ("/yo.txt", "/yo.txt#optional=yes", "files of pairs cannot be optional"),
        ('test = ["yo.txt"]', 'tests = ["yo.txt"]', r"languages\.yo\.tests"),
        ('test = ["ig.txt", "a.iob2"]', "", "bitext, a gold test, or both"),
        ('format = "moses"', 'format = "xml"', r"languages\.yo\.bitext\.one\.format"),
        ("https://data.example/en.txt", "ftp://data.example/en.txt", "only http and https"),
    ],
)
def test_wrong_lines_are_named(tmp_path, old, new, said):
    assert old in CONFIG
    with pytest.raises(OpticalError, match=said):
        load(tmp_path, CONFIG.replace(old, new, 1))


def test_a_config_without_languages_is_named(tmp_path):
    with pytest.raises(OpticalError, match=r"E402.*'languages'"):
        load(tmp_path, "[corpus]\n")
