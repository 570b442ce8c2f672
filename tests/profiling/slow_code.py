"""Components for tests: passed to the measured processes as --code."""

import time

from spacy.language import Language
from spacy.tokens import Doc


@Language.factory("sleeper", default_config={"milliseconds": 0.0})
def make_sleeper(nlp: Language, name: str, milliseconds: float) -> "Sleeper":
    return Sleeper(milliseconds)


class Sleeper:
    """Takes a set time for every document."""

    def __init__(self, milliseconds: float) -> None:
        self.seconds = milliseconds / 1000

    def __call__(self, doc: Doc) -> Doc:
        time.sleep(self.seconds)
        return doc
