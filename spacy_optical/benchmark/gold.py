"""The labelled side of the benchmark: English that trains, and gold that judges."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from spacy.language import Language as Pipeline

from ..data.conll import TaggedSentence
from ..data.decontamination import Judged
from ..data.download import Source, check
from ..data.gold import read_tagged
from ..data.word_tokenizer import tokenizer_for
from ..errors import Errors, OpticalError
from .config import Benchmark, Gold


@dataclass(frozen=True)
class Files:
    """The fetched files, and the hash of every one that was read.

    folder (Path): Where `fetch-data` put them.
    hashes (Dict[str, str]): SHA-256 by address.
    """

    folder: Path
    hashes: dict[str, str] = field(default_factory=dict)

    def paths(self, files: Iterable[str]) -> list[Path]:
        """Give the paths of files, those left out that may be missing and are.

        files (Iterable[str]): The files as the config writes them.
        RETURNS (List[Path]): Their paths.
        RAISES (OpticalError): If one is missing or has another hash.
        """
        found = []
        for source in map(Source.parse, files):
            path = source.place(self.folder)
            if not path.is_file() and source.optional:
                continue
            self.hashes[source.address] = check(source, path)
            found.append(path)
        return found


@dataclass(frozen=True)
class English:
    """The English sentences: those that train, and those that choose."""

    train: list[TaggedSentence]
    dev: list[TaggedSentence]
    in_dev: int


def read_gold(
    section: Gold, files: Iterable[str], language: str, labels: Sequence[str], at: Files
) -> list[TaggedSentence]:
    """Read gold files and make sure that they are labelled as the benchmark is.

    section (Gold): Says the format and renames labels.
    files (Iterable[str]): The files as the config writes them.
    language (str): The language.
    labels (Sequence[str]): The labels that are judged.
    at (Files): Where files are.
    RETURNS (List[TaggedSentence]): All sentences; empty if there are no files.
    RAISES (OpticalError): As `read_tagged`; if a label is none of those, or no sentence has any.
    """
    found = []
    for path in at.paths(files):
        sentences = read_tagged(
            path,
            section.labels,
            language=language,
            format=section.gold_format,
            columns=section.columns,
        )
        used = Counter(label for s in sentences for _, _, label in s.spans)
        if unknown := sorted(used.keys() - set(labels)):
            known = ", ".join(labels)
            raise OpticalError(Errors.E235.format(path=path, label=unknown[0], known=known))
        if not used:
            raise OpticalError(Errors.E604.format(path=path))
        found += sentences
    return found


def read_english(benchmark: Benchmark, at: Files, *, seed: int) -> English:
    """Read the English sets and draw the sentences that choose.

    benchmark (Benchmark): Names the sets; `dev_sentences` says how many are drawn.
    at (Files): Where files are.
    seed (int): Seed of the draw.
    RETURNS (English): What was not drawn trains, unless it is among the drawn (`in_dev`).
    RAISES (OpticalError): As `read_gold`.
    """
    train: list[TaggedSentence] = []
    pool: list[TaggedSentence] = []
    for section in benchmark.english.values():
        train += read_gold(section, section.train, benchmark.source, benchmark.labels, at)
        pool += read_gold(section, section.dev, benchmark.source, benchmark.labels, at)
    most = benchmark.dev_sentences or len(pool)
    drawn = set(np.random.default_rng(seed).permutation(len(pool))[:most].tolist())
    dev = [sentence for i, sentence in enumerate(pool) if i in drawn]
    train += [sentence for i, sentence in enumerate(pool) if i not in drawn]
    judged = Judged(sentence.words for sentence in dev)
    kept = [sentence for sentence in train if not judged.same(" ".join(sentence.words))]
    return English(kept, dev, len(train) - len(kept))


def silver(
    texts: Iterable[str], labeller: Pipeline, names: dict[str, str], labels: Sequence[str]
) -> list[TaggedSentence]:
    """Let a pipeline label sentences.

    texts (Iterable[str]): The sentences.
    labeller (Language): Any spaCy pipeline with entities.
    names (Dict[str, str]): New names of its labels; by default they are taken as they are.
    labels (Sequence[str]): Other labels than these are left out.
    RETURNS (List[TaggedSentence]): The sentences with its words and labels.
    """
    from ..projection.words import sentence_of

    kept = {label: label for label in labels} | {k: v for k, v in names.items() if v in labels}
    found = []
    for number, doc in enumerate(labeller.pipe(texts), 1):
        sentence = sentence_of(doc, kept)
        if sentence.words:
            found.append(TaggedSentence(f"silver-{number}", sentence.words, sentence.spans))
    return found


def cut_otherwise(sentences: Iterable[TaggedSentence], language: str) -> float:
    """Give the share of gold words that the tokenizer of the bitext would cut.

    sentences (Iterable[TaggedSentence]): Gold sentences.
    language (str): The language, which chooses the tokenizer.
    RETURNS (float): 0 to 1.
    """
    tokenizer = tokenizer_for(language)
    words = [word for sentence in sentences for word in sentence.words]
    cut = {word: len(tokenizer.make_doc(word)) > 1 for word in set(words)}
    return sum(cut[word] for word in words) / max(1, len(words))
