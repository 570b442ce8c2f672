"""The labelled sets of a config: those that teach the source language, and gold that evaluates."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ..errors import Errors, OpticalError
from .conll import TaggedSentence
from .decontamination import GoldIndex
from .download import DataFile, check
from .gold import read_tagged
from .sources import DataConfig, LabelledSet


@dataclass(frozen=True)
class FetchedFiles:
    """The fetched files, and the hash of every one that was read.

    folder (Path): Where `fetch-data` put them.
    hashes (Dict[str, str]): SHA-256 by address.
    """

    folder: Path
    hashes: dict[str, str] = field(default_factory=dict)

    def paths(self, files: Iterable[str]) -> list[Path]:
        """Give the paths of files, without those that may be missing and are.

        files (Iterable[str]): The files as the config writes them.
        RETURNS (List[Path]): Their paths.
        RAISES (OpticalError): If one is missing or has another hash.
        """
        found = []
        for file in map(DataFile.parse, files):
            path = file.place(self.folder)
            if not path.is_file() and file.optional:
                continue
            self.hashes[file.address] = check(file, path)
            found.append(path)
        return found


@dataclass(frozen=True)
class SourceSentences:
    """The labelled sentences of the source language.

    train (List[TaggedSentence]): Those that train.
    dev (List[TaggedSentence]): Those that the best model is chosen by.
    test (List[TaggedSentence]): Those that evaluate.
    left_out (int): Sentences that would train and are in dev or test.
    not_drawn (int): Sentences that would train and were not drawn.
    """

    train: list[TaggedSentence]
    dev: list[TaggedSentence]
    test: list[TaggedSentence]
    left_out: int
    not_drawn: int


def read_set(
    part: LabelledSet, files: Iterable[str], language: str, config: DataConfig, at: FetchedFiles
) -> list[TaggedSentence]:
    """Read labelled files and make sure that they have the corpus's labels.

    part (LabelledSet): Says the format and renames labels.
    files (Iterable[str]): The files as the config writes them.
    language (str): The language.
    config (DataConfig): Names the labels and the source language.
    at (FetchedFiles): Where files are.
    RETURNS (List[TaggedSentence]): All sentences; empty if there are no files.
    RAISES (OpticalError): As `read_tagged`; if a label is none of those, or no sentence has any.
    """
    found: list[TaggedSentence] = []
    labels = [label for label in config.corpus.labels if label not in part.not_labelled]
    for path in at.paths(files):
        sentences = read_tagged(
            path,
            part.labels,
            language=language,
            source=config.source,
            format=part.gold_format,
            columns=part.columns,
        )
        used = Counter(label for s in sentences for _, _, label in s.spans)
        if unknown := sorted(used.keys() - set(labels)):
            known = ", ".join(labels)
            raise OpticalError(Errors.E235.format(path=path, label=unknown[0], known=known))
        if not used:
            raise OpticalError(Errors.E604.format(path=path))
        found += sentences
    if part.not_labelled:
        return [replace(sentence, not_labelled=tuple(part.not_labelled)) for sentence in found]
    return found


def read_sources(config: DataConfig, at: FetchedFiles) -> SourceSentences:
    """Read the source language's sets and draw the sentences that choose.

    config (DataConfig): Names the sets; `dev_sentences` says how many are drawn.
    at (FetchedFiles): Where files are.
    RETURNS (SourceSentences): What was not drawn to choose trains, unless it is among the drawn or
        in test, as far as `max_sentences` and `empty_share` let it.
    RAISES (OpticalError): As `read_set`.
    """
    train: list[tuple[str, TaggedSentence]] = []
    pool: list[tuple[str, TaggedSentence]] = []
    test: list[TaggedSentence] = []
    for name, part in config.sources.items():
        train += [(name, s) for s in read_set(part, part.train, config.source, config, at)]
        pool += [(name, s) for s in read_set(part, part.dev, config.source, config, at)]
        test += read_set(part, part.test, config.source, config, at)
    most = config.corpus.dev_sentences or len(pool)
    drawn = set(np.random.default_rng(config.seed).permutation(len(pool))[:most].tolist())
    dev = [sentence for i, (_, sentence) in enumerate(pool) if i in drawn]
    train += [named for i, named in enumerate(pool) if i not in drawn]
    gold_index = GoldIndex(sentence.words for sentence in [*dev, *test])
    kept = [(name, s) for name, s in train if not gold_index.same(" ".join(s.words))]
    sample = _sample(kept, config)
    return SourceSentences(sample, dev, test, len(train) - len(kept), len(kept) - len(sample))


def _sample(
    sentences: list[tuple[str, TaggedSentence]], config: DataConfig
) -> list[TaggedSentence]:
    """Draw the sentences of each source that train; what is drawn of one depends on it alone."""
    chosen: set[int] = set()
    for name, part in config.sources.items():
        rng = np.random.default_rng([config.seed, *name.encode()])
        own = [(i, sentence) for i, (source, sentence) in enumerate(sentences) if source == name]
        kept = [i for i, sentence in own if sentence.spans or rng.random() < part.empty_share]
        chosen.update(rng.permutation(kept)[: part.max_sentences or None].tolist())
    return [sentence for i, (_, sentence) in enumerate(sentences) if i in chosen]
