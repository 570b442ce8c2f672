"""What is measured, on which texts, against which gold."""

import hashlib
import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from ..runtime.bundle import default_bundle_path
from .schema import GoldFile

# Files that tell what a folder holds.
BUNDLE_MANIFEST = "bundle.json"
PIPELINE_CONFIG = "config.cfg"
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
    kind: Literal["pipeline", "bundle"]

    @classmethod
    def parse(cls, text: str) -> "Target":
        """Read `PIPELINE` or `NAME=PIPELINE`.

        text (str): The text.
        RETURNS (Target): The target; without a name, the last part of the path is its name. The
            path `optical_ner` is the bundle that this package carries, if there is no such folder.
        RAISES (OpticalError): If there is neither such a folder nor such a package.
        """
        name, equals, path = text.partition("=")
        if not equals:
            name, path = "", text
        folder = Path(path)
        if (folder / BUNDLE_MANIFEST).is_file():
            return cls(name or folder.resolve().name, path, "bundle")
        if (folder / PIPELINE_CONFIG).is_file():
            return cls(name or folder.resolve().name, path, "pipeline")
        if path == DEFAULT and not folder.exists():
            return cls(name or path, str(default_bundle_path()), "bundle")
        if folder.exists() or not path or not is_package(path):
            raise OpticalError(Errors.E603.format(path=path))
        return cls(name or path, path, "pipeline")


@dataclass(frozen=True)
class Gold:
    """The gold documents of one language.

    language (str): The language's code.
    path (Path): The `.spacy` file.
    texts (Tuple[str, ...]): Their texts.
    word_counts (Tuple[int, ...]): Their words, spaces not counted.
    labels (FrozenSet[str]): The labels of their entities.
    entities (int): How many entities they have.
    """

    language: str
    path: Path
    texts: tuple[str, ...]
    word_counts: tuple[int, ...]
    labels: frozenset[str]
    entities: int

    @classmethod
    def read(cls, language: str, path: Path) -> "Gold":
        """Read a gold file.

        language (str): The language's code.
        path (Path): The `.spacy` file.
        RETURNS (Gold): What it holds.
        RAISES (OpticalError): If the file is missing, damaged, empty, or without an entity.
        """
        docs = read_docs(path)
        entities = [ent for doc in docs for ent in doc.ents]
        if not entities:
            raise OpticalError(Errors.E604.format(path=path))
        return cls(
            language=language,
            path=Path(path),
            texts=tuple(doc.text for doc in docs),
            word_counts=tuple(map(count_words, docs)),
            labels=frozenset(ent.label_ for ent in entities),
            entities=len(entities),
        )

    def describe(self) -> GoldFile:
        """Name the file by its hash.

        RETURNS (GoldFile): The entry of the metrics file.
        """
        return GoldFile(
            file=self.path.name,
            sha256=sha256(self.path),
            docs=len(self.texts),
            words=sum(self.word_counts),
            entities=self.entities,
        )


@dataclass(frozen=True)
class Workload:
    """The texts that speed and memory are measured on.

    texts (Tuple[str, ...]): The texts, in random order, without empty ones.
    word_counts (Tuple[int, ...]): The words of each, the same for all pipelines.
    """

    texts: tuple[str, ...]
    word_counts: tuple[int, ...]

    @classmethod
    def shuffled(cls, texts: Sequence[str], word_counts: Sequence[int], seed: int) -> "Workload":
        """Put texts into a random order, so that any stretch of them is a fair sample.

        texts (Sequence[str]): The texts.
        word_counts (Sequence[int]): The words of each.
        seed (int): Seed of the order.
        RETURNS (Workload): The workload.
        """
        pairs = [pair for pair in zip(texts, word_counts, strict=True) if pair[1]]
        random.Random(seed).shuffle(pairs)
        return cls(tuple(text for text, _ in pairs), tuple(words for _, words in pairs))

    @property
    def longest(self) -> int:
        """The place of the text with the most words."""
        return max(range(len(self.texts)), key=self.word_counts.__getitem__)

    @property
    def sha256(self) -> str:
        """A hash over the texts, whatever their order."""
        digest = hashlib.sha256()
        for text in sorted(self.texts):
            digest.update(text.encode("utf8") + b"\0")
        return digest.hexdigest()

    def words(self, places: Iterable[int]) -> int:
        """Count the words of some texts.

        places (Iterable[int]): Their places.
        RETURNS (int): The words.
        """
        return sum(self.word_counts[place] for place in places)

    def blocks(self, size: int) -> Iterator[list[int]]:
        """Go round the texts in blocks without end.

        size (int): Texts of a block; more than there are means that some come again.
        YIELDS (List[int]): The places of the next block's texts.
        """
        places = cycle(range(len(self.texts)))
        while True:
            yield list(islice(places, size))


def read_texts(path: Path) -> list[str]:
    """Read texts: a line each, JSON lines with `text`, or the documents of a `.spacy` file.

    path (Path): A file named `.txt`, `.jsonl` or `.spacy`.
    RETURNS (List[str]): The texts that are not blank.
    RAISES (OpticalError): If it is missing, of another kind, not UTF-8, damaged, or empty.
    """
    path = Path(path)
    if not path.is_file():
        raise OpticalError(Errors.E002.format(what="file of texts", path=path))
    if path.suffix == ".spacy":
        texts = [doc.text for doc in read_docs(path)]
    else:
        try:
            lines = path.read_text(encoding="utf8").split("\n")
        except UnicodeDecodeError as err:
            raise OpticalError(Errors.E605.format(path=path, place=err.start)) from err
        if path.suffix == ".txt":
            texts = lines
        elif path.suffix == ".jsonl":
            texts = [
                _text_of(line, f"{path}, line {number}")
                for number, line in enumerate(lines, 1)
                if line.strip()
            ]
        else:
            raise OpticalError(Errors.E606.format(path=path))
    texts = [text for text in texts if text.strip()]
    if not texts:
        raise OpticalError(Errors.E206.format(path=path))
    return texts


def _text_of(line: str, where: str) -> str:
    try:
        value = json.loads(line)
        text = value["text"]
    except (json.JSONDecodeError, KeyError, TypeError) as err:
        raise OpticalError(Errors.E607.format(where=where)) from err
    if not isinstance(text, str):
        raise OpticalError(Errors.E607.format(where=where))
    return text


def count_words(doc: Doc) -> int:
    """Count the tokens of a document that are not white space.

    doc (Doc): The document.
    RETURNS (int): The words.
    """
    return sum(not token.is_space for token in doc)


def make_workload(
    gold: Mapping[str, Gold], texts: Sequence[str] | None, *, seed: int, language: str = "xx"
) -> Workload:
    """Take the texts to run: those given, or else those of the gold documents.

    gold (Mapping[str, Gold]): Gold by language.
    texts (Optional[Sequence[str]]): Texts to run instead.
    seed (int): Seed of their order.
    language (str): The language whose tokenizer counts the words of `texts`.
    RETURNS (Workload): The workload.
    RAISES (OpticalError): If there are neither texts nor gold.
    """
    if texts is not None:
        words = [count_words(doc) for doc in tokenizer_for(language).pipe(texts)]
        return Workload.shuffled(texts, words, seed)
    if not gold:
        raise OpticalError(Errors.E608)
    all_texts = [text for file in gold.values() for text in file.texts]
    all_words = [words for file in gold.values() for words in file.word_counts]
    return Workload.shuffled(all_texts, all_words, seed)
