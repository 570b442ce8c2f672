"""The pipelines, texts and gold documents of a run."""

import hashlib
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Literal

from spacy.tokens import Doc
from spacy.util import is_package

from ..data.docs import read_docs
from ..errors import Errors, OpticalError
from ..files import sha256
from ..runtime.bundle import SIZES, model_path
from ..runtime.word_tokens import word_tokens
from .schema import GoldFile

Kind = Literal["pipeline", "bundle"]
# The files by which folders are recognised.
FILES: dict[str, Kind] = {"bundle.json": "bundle", "config.cfg": "pipeline"}
# The name of the default model of this package.
DEFAULT = "optical_ner"


@dataclass(frozen=True)
class Target:
    """A pipeline to measure.

    name (str): The name in the tables.
    path (str): The name of an installed pipeline, or the folder of a pipeline or bundle.
    kind (str): `pipeline` or `bundle`. A bundle runs in a blank multilingual pipeline.
    """

    name: str
    path: str
    kind: Kind

    @classmethod
    def parse(cls, text: str) -> "Target":
        """Parse `PIPELINE` or `NAME=PIPELINE`.

        text (str): The text. `optical_ner` is the default model of this package; `sm`, `md` and
            `lg` are its models of these sizes.
        RETURNS (Target): The target. The name defaults to the last part of the path.
        RAISES (OpticalError): If there is no such folder and no such package.
        """
        # The name of a folder may have an equals sign, as in runs/lr=0.1/model-best.
        name, path = text.split("=", 1) if "=" in text and not Path(text).exists() else ("", text)
        folder = Path(path)
        for file, kind in FILES.items():
            if path and (folder / file).is_file():
                return cls(name or folder.resolve().name, path, kind)
        if path in (DEFAULT, *SIZES) and not folder.exists():
            model = model_path(None if path == DEFAULT else path)
            return cls(name or path, str(model), "bundle")
        if folder.exists() or not path or not is_package(path):
            raise OpticalError(Errors.E603.format(path=path))
        return cls(name or path, path, "pipeline")


def read_gold(path: Path) -> list[Doc]:
    """Read a `.spacy` file. Raise an error if it is missing, damaged or has no entities."""
    docs = read_docs(path)
    if not any(doc.ents for doc in docs):
        raise OpticalError(Errors.E604.format(path=path))
    return docs


def describe_gold(path: Path, docs: Sequence[Doc]) -> GoldFile:
    """Compute the hash and the size of a gold file."""
    return GoldFile(
        file=path.name,
        sha256=sha256(path),
        docs=len(docs),
        words=sum(len(word_tokens(doc)) for doc in docs),
        entities=sum(len(doc.ents) for doc in docs),
    )


class Workload:
    """The texts to measure on, in random order, and their numbers of words.

    Texts without words are left out. The random order makes any block of texts a fair sample.
    """

    def __init__(self, docs: Iterable[Doc], seed: int) -> None:
        counted = [(doc.text, len(word_tokens(doc))) for doc in docs]
        pairs = [(text, words) for text, words in counted if words]
        random.Random(seed).shuffle(pairs)
        self.texts = [text for text, _ in pairs]
        self.word_counts = [words for _, words in pairs]

    @property
    def longest_first(self) -> list[int]:
        """The numbers of the texts, sorted by their words, longest first."""
        return sorted(range(len(self.texts)), key=self.word_counts.__getitem__, reverse=True)

    @property
    def sha256(self) -> str:
        """A hash of the texts. It does not depend on their order."""
        digest = hashlib.sha256()
        for text in sorted(self.texts):
            digest.update(text.encode("utf8") + b"\0")
        return digest.hexdigest()

    def words(self, places: Iterable[int]) -> int:
        """Count the words of some texts."""
        return sum(self.word_counts[place] for place in places)

    def blocks(self, size: int) -> Iterator[list[int]]:
        """Yield blocks of texts. After the last text, the first one follows."""
        places = cycle(range(len(self.texts)))
        while True:
            yield list(islice(places, size))
