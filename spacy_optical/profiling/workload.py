"""What is measured, on which texts, against which gold."""

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
from ..data.word_tokenizer import tokenizer_for
from ..errors import Errors, OpticalError
from ..files import sha256
from ..runtime.bundle import SIZES, model_path
from ..runtime.word_tokens import word_tokens
from .schema import GoldFile

Kind = Literal["pipeline", "bundle"]
# Files that tell what a folder holds.
FILES: dict[str, Kind] = {"bundle.json": "bundle", "config.cfg": "pipeline"}
# The component of this package, with the bundle that comes with it.
DEFAULT = "optical_ner"


@dataclass(frozen=True)
class Target:
    """A pipeline to measure.

    name (str): Its display name.
    path (str): The name of an installed pipeline, or the folder of a pipeline or a bundle.
    kind (str): `pipeline` for what `spacy.load` takes, `bundle` for a bundle's folder, which is
        wrapped in a blank multilingual pipeline.
    """

    name: str
    path: str
    kind: Kind

    @classmethod
    def parse(cls, text: str) -> "Target":
        """Read `PIPELINE` or `NAME=PIPELINE`.

        text (str): The text. The path `optical_ner` is the default model of this package;
            `sm`, `md` and `lg` are its models of these sizes.
        RETURNS (Target): The target; without a name, the last part of the path is its name.
        RAISES (OpticalError): If there is neither such a folder nor such a package.
        """
        name, equals, path = text.partition("=")
        if not equals:
            name, path = "", text
        folder = Path(path)
        for file, kind in FILES.items():
            if (folder / file).is_file():
                return cls(name or folder.resolve().name, path, kind)
        if path in (DEFAULT, *SIZES) and not folder.exists():
            model = model_path(None if path == DEFAULT else path)
            return cls(name or path, str(model), "bundle")
        if folder.exists() or not path or not is_package(path):
            raise OpticalError(Errors.E603.format(path=path))
        return cls(name or path, path, "pipeline")


def read_gold(path: Path) -> list[Doc]:
    """Read a `.spacy` file, or raise an error if it is missing, damaged or without entities."""
    docs = read_docs(path)
    if not any(doc.ents for doc in docs):
        raise OpticalError(Errors.E604.format(path=path))
    return docs


def describe_gold(path: Path, docs: Sequence[Doc]) -> GoldFile:
    """Describe a gold file by its hash, and count what it holds."""
    return GoldFile(
        file=path.name,
        sha256=sha256(path),
        docs=len(docs),
        words=sum(len(word_tokens(doc)) for doc in docs),
        entities=sum(len(doc.ents) for doc in docs),
    )


class Workload:
    """The texts that speed and memory are measured on, and the words of each.

    Texts without words are left out, and the others are in a random order, so that any stretch of
    them is a fair sample.
    """

    def __init__(self, docs: Iterable[Doc], seed: int) -> None:
        counted = [(doc.text, len(word_tokens(doc))) for doc in docs]
        pairs = [(text, words) for text, words in counted if words]
        random.Random(seed).shuffle(pairs)
        self.texts = [text for text, _ in pairs]
        self.word_counts = [words for _, words in pairs]

    @property
    def longest_first(self) -> list[int]:
        """The numbers of the texts, from the most words, which take the most memory, down."""
        return sorted(range(len(self.texts)), key=self.word_counts.__getitem__, reverse=True)

    @property
    def sha256(self) -> str:
        """A hash over the texts, whatever their order."""
        digest = hashlib.sha256()
        for text in sorted(self.texts):
            digest.update(text.encode("utf8") + b"\0")
        return digest.hexdigest()

    def words(self, places: Iterable[int]) -> int:
        """Count the words of some texts."""
        return sum(self.word_counts[place] for place in places)

    def blocks(self, size: int) -> Iterator[list[int]]:
        """Go round the texts in blocks without end."""
        places = cycle(range(len(self.texts)))
        while True:
            yield list(islice(places, size))


def make_workload(gold: Sequence[Doc], texts: Sequence[str] | None, *, seed: int) -> Workload:
    """Take the texts to run: those given, or else those of the gold documents."""
    if texts is None and not gold:
        raise OpticalError(Errors.E608)
    return Workload(gold if texts is None else tokenizer_for("xx").pipe(texts), seed)
