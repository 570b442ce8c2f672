"""The labelled data sets of a config: training data of the source language, and gold."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ..errors import Errors, OpticalError
from .conll import TaggedSentence
from .decontamination import GoldIndex
from .download import DataFile, check
from .gold import label_by_patterns, read_tagged
from .sources import DataConfig, LabelledSet


@dataclass(frozen=True)
class SourceSentences:
    """The labelled sentences of the source language.

    train, dev, test (List[TaggedSentence]): The sentences by their use.
    left_out, not_drawn (int): How many training sentences were removed because they are in dev or
        test, and because of `max_sentences` or `empty_share`.
    """

    train: list[TaggedSentence]
    dev: list[TaggedSentence]
    test: list[TaggedSentence]
    left_out: int
    not_drawn: int


@dataclass(frozen=True)
class FetchedFiles:
    """The downloaded files of a config.

    config (DataConfig): The config.
    folder (Path): The output folder of `fetch-data`.
    hashes (Dict[str, str]): SHA-256 of the files that were read, by address.
    """

    config: DataConfig
    folder: Path
    hashes: dict[str, str] = field(default_factory=dict)

    def paths(self, files: Iterable[str]) -> list[Path]:
        """Get the paths of files, without optional files that are missing.

        files (Iterable[str]): The files as written in the config.
        RETURNS (List[Path]): Their paths.
        RAISES (OpticalError): If a file is missing or does not match its SHA-256.
        """
        paths = []
        for file in map(DataFile.parse, files):
            path = file.place(self.folder)
            if path.is_file() or not file.optional:
                self.hashes[file.address] = check(file, path)
                paths.append(path)
        return paths

    def read(self, part: LabelledSet, files: Iterable[str], language: str) -> list[TaggedSentence]:
        """Read labelled files and check their labels.

        part (LabelledSet): The data set of the files.
        files (Iterable[str]): The files as written in the config.
        language (str): The language.
        RETURNS (List[TaggedSentence]): The sentences; empty if there are no files.
        RAISES (OpticalError): As `read_tagged`, or if a label is not in the corpus or a file has no
            entities.
        """
        all_sentences: list[TaggedSentence] = []
        lacks = tuple(part.not_labelled)
        labels = [name for name in self.config.corpus.labels if name not in lacks]
        for path in self.paths(files):
            sentences = read_tagged(path, part, language=language, source=self.config.source)
            used = {label for sentence in sentences for _, _, label in sentence.spans}
            if unknown := sorted(used.difference(labels)):
                values = {"label": unknown[0], "known": ", ".join(labels)}
                raise OpticalError(Errors.E235.format(path=path, **values))
            if not used:
                raise OpticalError(Errors.E604.format(path=path))
            all_sentences += [replace(s, not_labelled=lacks or s.not_labelled) for s in sentences]
        return all_sentences

    def read_sources(self) -> SourceSentences:
        """Read the data sets of the source language and sample dev and train.

        RETURNS (SourceSentences): The sentences. Dev sentences that are not in the sample of
            `dev_sentences` are used for training.
        RAISES (OpticalError): As `read`.
        """
        config = self.config
        train: list[tuple[str, TaggedSentence]] = []
        pool: list[tuple[str, TaggedSentence]] = []
        test: list[TaggedSentence] = []
        for name, part in config.sources.items():
            sentences: Iterable[TaggedSentence] = self.read(part, part.train, config.source)
            for path in self.paths(filter(None, [part.patterns])):
                sentences = label_by_patterns(sentences, path)
            train += [(name, s) for s in sentences]
            pool += [(name, s) for s in self.read(part, part.dev, config.source)]
            test += self.read(part, part.test, config.source)
        most = config.corpus.dev_sentences or len(pool)
        drawn = set(np.random.default_rng(config.seed).permutation(len(pool))[:most].tolist())
        dev = [sentence for i, (_, sentence) in enumerate(pool) if i in drawn]
        train += [named for i, named in enumerate(pool) if i not in drawn]
        gold_index = GoldIndex(sentence.words for sentence in [*dev, *test])
        kept = [(name, s) for name, s in train if not gold_index.same(" ".join(s.words))]
        sample = self._sample(kept)
        return SourceSentences(sample, dev, test, len(train) - len(kept), len(kept) - len(sample))

    def _sample(self, sentences: list[tuple[str, TaggedSentence]]) -> list[TaggedSentence]:
        """Sample training sentences. The sample of a source does not depend on other sources."""
        chosen: set[int] = set()
        for name, part in self.config.sources.items():
            rng = np.random.default_rng([self.config.seed, *name.encode()])
            own = [(i, s) for i, (source, s) in enumerate(sentences) if source == name]
            kept = [i for i, s in own if s.spans or rng.random() < part.empty_share]
            chosen.update(rng.permutation(kept)[: part.max_sentences or None].tolist())
        return [sentence for i, (_, sentence) in enumerate(sentences) if i in chosen]
