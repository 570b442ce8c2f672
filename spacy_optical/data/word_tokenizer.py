"""The tokenizer that splits a text into words."""

import re
from functools import cache

import spacy
from spacy.language import Language

from ..errors import Errors, OpticalError

# Languages without spaces between words: Burmese, Cantonese, Chinese (also Gan, Mandarin, Wu and
# classical), Dzongkha, Japanese, Khmer, Lao, Mon, Shan, Thai, Northern Thai and Tibetan.
# fmt: off
WITHOUT_SPACES = frozenset({
    "bo", "bod", "bur", "chi", "cmn", "dz", "dzo", "gan", "ja", "jpn", "khm", "km", "lao", "lo",
    "lzh", "mnw", "my", "mya", "nod", "shn", "th", "tha", "tib", "wuu", "yue", "zh", "zho",
})
# fmt: on


def tokenizer_for(language: str) -> Language:
    """Get a blank pipeline with the tokenizer of a language.

    language (str): A language code. A region or script ("sw_KE", "zh-Hans") is ignored. If spaCy
        does not support the language, or its tokenizer needs a package that is not installed, the
        multilingual tokenizer is used. It splits at spaces and punctuation.
    RETURNS (Language): The blank pipeline, one for each code.
    RAISES (OpticalError): If the language has no spaces between words, and spaCy has no tokenizer
        for it or the package of its tokenizer is not installed.
    """
    return _blank(re.split("[-_]", language.strip())[0].lower() or "xx")


@cache
def _blank(code: str) -> Language:
    try:
        nlp = spacy.blank(code)
    except ImportError as err:
        unknown = str(err).startswith("[E048]")
        if code in WITHOUT_SPACES and not unknown:
            reason = " ".join(str(err).split()).rstrip(".")
            raise OpticalError(Errors.E250.format(lang=code, reason=reason)) from err
        nlp = spacy.blank("xx")
    # The default tokenizer splits at spaces. spaCy uses it for Tibetan, too.
    tokenizer = nlp.config["nlp"]["tokenizer"]["@tokenizers"]
    if code in WITHOUT_SPACES and tokenizer == "spacy.Tokenizer.v1":
        raise OpticalError(Errors.E251.format(lang=code))
    return nlp
