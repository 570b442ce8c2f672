"""The labelled sets of a config: those that teach the source language, and gold that evaluates."""

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
    """The labelled sentences of the source language, by their use.

    `left_out` would train and are in dev or test; `not_drawn` would train and were not drawn.
    """

    train: list[TaggedSentence]
    dev: list[TaggedSentence]
    test: list[TaggedSentence]
    left_out: int
    not_drawn: int


@dataclass(frozen=True)
class FetchedFiles:
    """The fetched files of a config, and the hash of every one that was read.

    config (DataConfig): Names the files, the labels and the source language.
    folder (Path): Where `fetch-data` put them.
    hashes (Dict[str, str]): SHA-256 by address.
    """

    config: DataConfig
    folder: Path
    hashes: dict[str, str] = field(default_factory=dict)

    def paths(self, files: Iterable[str]) -> list[Path]:
        """Give the paths of files, without those that may be missing and are.

        files (Iterable[str]): The files as the config writes them.
        RETURNS (List[Path]): Their paths.
        RAISES (OpticalError): If one is missing or has another hash.
        """
        paths = []
        for file in map(DataFile.parse, files):
            path = file.place(self.folder)
            if path.is_file() or not file.optional:
                self.hashes[file.address] = check(file, path)
                paths.append(path)
        return paths

    def read(self, part: LabelledSet, files: Iterable[str], language: str) -> list[TaggedSentence]:
        """Read labelled files and make sure that they have the corpus's labels.

        part (LabelledSet): The set that they belong to.
        files (Iterable[str]): The files as the config writes them.
        language (str): The language.
        RETURNS (List[TaggedSentence]): All sentences; empty if there are no files.
        RAISES (OpticalError): As `read_tagged`; if a label is not the corpus's, or a file has none.
        """
        all_sentences: list[TaggedSentence] = []
        labels = [name for name in self.config.corpus.labels if name not in part.not_labelled]
        for path in self.paths(files):
            sentences = read_tagged(path, part, language=language, source=self.config.source)
            used = {label for sentence in sentences for _, _, label in sentence.spans}
            if unknown := sorted(used.difference(labels)):
                known = ", ".join(labels)
                raise OpticalError(Errors.E235.format(path=path, label=unknown[0], known=known))
            if not used:
                raise OpticalError(Errors.E604.format(path=path))
            all_sentences += sentences
        if part.not_labelled:
            lacks = tuple(part.not_labelled)
            return [replace(sentence, not_labelled=lacks) for sentence in all_sentences]
        return all_sentences

    def read_sources(self) -> SourceSentences:
        """Read the source language's sets and draw the sentences that choose.

        RETURNS (SourceSentences): Dev sentences that were not drawn train; what is in dev or test
            does not; `max_sentences` and `empty_share` limit the rest.
        RAISES (OpticalError): As `read`.
        """
        config = self.config
        train: list[tuple[str, TaggedSentence]] = []
        pool: list[tuple[str, TaggedSentence]] = []
        test: list[TaggedSentence] = []
        for name, part in config.sources.items():
            sentences: Iterable[TaggedSentence] = self.read(part, part.train, config.source)
            if part.patterns is not None:
                sentences = label_by_patterns(sentences, self.paths([part.patterns])[0])
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
        """Draw the sentences that train; what is drawn of one source depends on it alone."""
        chosen: set[int] = set()
        for name, part in self.config.sources.items():
            rng = np.random.default_rng([self.config.seed, *name.encode()])
            own = [(i, s) for i, (source, s) in enumerate(sentences) if source == name]
            kept = [i for i, s in own if s.spans or rng.random() < part.empty_share]
            chosen.update(rng.permutation(kept)[: part.max_sentences or None].tolist())
        return [sentence for i, (_, sentence) in enumerate(sentences) if i in chosen]
