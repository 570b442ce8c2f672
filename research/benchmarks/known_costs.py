"""Components with known costs, to check the profiler; passed to `profile` as --code."""

import time

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc


@Language.factory("sleeper", default_config={"milliseconds": 0.0})
def make_sleeper(nlp: Language, name: str, milliseconds: float) -> "Sleeper":
    return Sleeper(milliseconds)


class Sleeper:
    """Sleeps for a fixed time for each document."""

    def __init__(self, milliseconds: float) -> None:
        self.seconds = milliseconds / 1000

    def __call__(self, doc: Doc) -> Doc:
        time.sleep(self.seconds)
        return doc


@Language.factory("holder", default_config={"megabytes": 0})
def make_holder(nlp: Language, name: str, megabytes: int) -> "Holder":
    return Holder(megabytes)


class Holder:
    """Holds a fixed amount of memory after it is loaded."""

    def __init__(self, megabytes: int) -> None:
        self.held = np.ones(megabytes * 1_000_000, dtype=np.uint8)

    def __call__(self, doc: Doc) -> Doc:
        return doc
