"""The tokenizer that splits a language's text into words."""

import re
from functools import cache

import spacy
from spacy.language import Language

from ..errors import Errors, OpticalError

BY_SPACES = "spacy.Tokenizer.v1"
# Languages that put no spaces between words: Burmese, Cantonese, Chinese (also Gan, Mandarin, Wu
# and classical), Dzongkha, Japanese, Khmer, Lao, Mon, Shan, Thai, Northern Thai and Tibetan.
# fmt: off
WITHOUT_SPACES = frozenset({
    "bo", "bod", "bur", "chi", "cmn", "dz", "dzo", "gan", "ja", "jpn", "khm", "km", "lao", "lo",
    "lzh", "mnw", "my", "mya", "nod", "shn", "th", "tha", "tib", "wuu", "yue", "zh", "zho",
})
# fmt: on


def tokenizer_for(language: str) -> Language:
    """Give the blank pipeline whose tokenizer splits a language's text into words.

    language (str): A language code; a region or script behind it ("sw_KE", "zh-Hans") makes no
        difference. Where spaCy has no such language, or its tokenizer needs a package that is not
        installed, the multilingual tokenizer is used, which splits at spaces and punctuation.
    RETURNS (Language): The blank pipeline, one for each code.
    RAISES (OpticalError): If the language puts no spaces between words and there is no tokenizer
        for it, or the package that it needs is not installed.
    """
    return _blank(re.split("[-_]", language.strip())[0].lower() or "xx")


@cache
def _blank(code: str) -> Language:
    try:
        nlp = spacy.blank(code)
    except ImportError as err:
        known = not str(err).startswith("[E048]")
        if code in WITHOUT_SPACES and known:
            reason = " ".join(str(err).split()).rstrip(".")
            raise OpticalError(Errors.E250.format(lang=code, reason=reason)) from err
        nlp = spacy.blank("xx")
    # spaCy has Tibetan, with a tokenizer that splits at spaces.
    if code in WITHOUT_SPACES and nlp.config["nlp"]["tokenizer"]["@tokenizers"] == BY_SPACES:
        raise OpticalError(Errors.E251.format(lang=code))
    return nlp
