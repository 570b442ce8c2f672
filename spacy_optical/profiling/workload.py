"""What is measured, on which texts, against which gold."""

import hashlib
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Literal

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


@dataclass(frozen=True)
class Gold:
    """The gold documents of one language: where, their texts and numbers of words, their labels."""

    language: str
    path: Path
    texts: tuple[str, ...]
    word_counts: tuple[int, ...]
    labels: frozenset[str]
    file: GoldFile

    @classmethod
    def read(cls, language: str, path: Path) -> "Gold":
        """Read a `.spacy` file, or raise an error if it is missing, damaged or without entities."""
        docs, path = read_docs(path), Path(path)
        labels = [ent.label_ for doc in docs for ent in doc.ents]
        if not labels:
            raise OpticalError(Errors.E604.format(path=path))
        texts = tuple(doc.text for doc in docs)
        words = tuple(len(word_tokens(doc)) for doc in docs)
        file = GoldFile(
            file=path.name,
            sha256=sha256(path),
            docs=len(docs),
            words=sum(words),
            entities=len(labels),
        )
        return cls(language, path, texts, words, frozenset(labels), file)


@dataclass(frozen=True)
class Workload:
    """The texts that speed and memory are measured on, and the words of each."""

    texts: tuple[str, ...]
    word_counts: tuple[int, ...]

    @classmethod
    def shuffled(cls, texts: Sequence[str], word_counts: Sequence[int], seed: int) -> "Workload":
        """Put texts into a random order, so that any stretch of them is a fair sample."""
        pairs = [pair for pair in zip(texts, word_counts, strict=True) if pair[1]]
        random.Random(seed).shuffle(pairs)
        return cls(tuple(text for text, _ in pairs), tuple(words for _, words in pairs))

    @property
    def longest(self) -> int:
        """The number of the text with the most words."""
        return max(range(len(self.texts)), key=self.word_counts.__getitem__)

    def longest_texts(self, count: int) -> list[str]:
        """Give the longest texts, which take the most memory."""
        order = sorted(range(len(self.texts)), key=self.word_counts.__getitem__, reverse=True)
        return [self.texts[place] for place in order[:count]]

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


def make_workload(gold: Iterable[Gold], texts: Sequence[str] | None, *, seed: int) -> Workload:
    """Take the texts to run: those given, or else those of the gold documents."""
    if texts is not None:
        words = [len(word_tokens(doc)) for doc in tokenizer_for("xx").pipe(texts)]
        return Workload.shuffled(texts, words, seed)
    files = list(gold)
    if not files:
        raise OpticalError(Errors.E608)
    all_texts = [text for file in files for text in file.texts]
    all_words = [words for file in files for words in file.word_counts]
    return Workload.shuffled(all_texts, all_words, seed)
