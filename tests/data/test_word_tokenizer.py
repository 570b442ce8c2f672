import builtins
from pathlib import Path

import pytest

from spacy_optical.data import word_tokenizer
from spacy_optical.data.conll import TaggedSentence
from spacy_optical.data.gold import tagged_doc
from spacy_optical.data.make_corpus import make_corpus
from spacy_optical.data.sources import BitextSet, DataConfig, Language
from spacy_optical.data.word_tokenizer import tokenizer_for
from spacy_optical.errors import OpticalError

KHMER = DataConfig(languages={"km": Language(bitext={"a": BitextSet(files=["none.tsv"])})})


def words(text: str, language: str) -> list[str]:
    return [token.text for token in tokenizer_for(language)(text)]


@pytest.fixture
def no_packages(monkeypatch: pytest.MonkeyPatch):
    """The packages that spaCy's Japanese and Thai tokenizers need are not installed."""
    real = builtins.__import__

    def importing(name: str, *rest):
        if name.partition(".")[0] in ("sudachipy", "pythainlp"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", importing)
    word_tokenizer._blank.cache_clear()
    yield
    word_tokenizer._blank.cache_clear()


def test_a_language_that_spacy_lacks_is_split_at_spaces_and_punctuation():
    assert tokenizer_for("so").lang == "xx"
    assert tokenizer_for("fi").lang == "fi"
    assert words("Amina, njoo!", "qqq") == ["Amina", ",", "njoo", "!"]


@pytest.mark.parametrize("code", ["ko", "vi"])
def test_a_language_with_spaces_needs_no_package(code: str):
    """spaCy's own tokenizers of these do, and words with spaces between can do without."""
    assert words("서울 에서", code) == ["서울", "에서"]


@pytest.mark.parametrize(("code", "lang"), [("de_AT", "de"), ("sw-KE", "xx"), ("zh-Hans", "zh")])
def test_a_region_or_script_behind_the_code_makes_no_difference(code: str, lang: str):
    assert tokenizer_for(code).lang == lang


def test_chinese_is_split_into_characters():
    assert words("他在北京。", "zh") == list("他在北京。")
    assert words("他在北京。", "zh_CN") == list("他在北京。")


@pytest.mark.parametrize(("code", "package"), [("ja", "sudachipy"), ("th_TH", "PyThaiNLP")])
def test_a_missing_package_of_a_language_without_spaces_is_named(
    code: str, package: str, no_packages: None
):
    with pytest.raises(OpticalError, match=rf"E250\] '{code[:2]}' is written.*{package}"):
        tokenizer_for(code)


@pytest.mark.parametrize("code", ["lo", "km", "khm", "my", "my-MM", "bo", "dz", "yue"])
def test_a_language_without_spaces_and_without_a_tokenizer_is_refused(code: str):
    with pytest.raises(OpticalError, match=r"E251\] '.*' is written without spaces.*use 'xx'"):
        tokenizer_for(code)


def test_a_corpus_is_refused_before_anything_is_read(tmp_path: Path):
    with pytest.raises(OpticalError, match="E251"):
        make_corpus(KHMER, tmp_path / "none", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_words_that_are_given_need_no_tokenizer():
    doc = tagged_doc(TaggedSentence("1", ("ខ្ញុំ", "ភ្នំពេញ"), ((1, 2, "LOC"),)), evaluation_only=True)
    assert [(entity.text, entity.label_) for entity in doc.ents] == [("ភ្នំពេញ", "LOC")]
