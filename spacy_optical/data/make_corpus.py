"""Converts the data files of a config to the corpus folder for training."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from spacy.tokens import Doc

from ..errors import Errors, OpticalError
from ..files import folder_written_whole, write_json
from .augment import augment_english, augment_pairs
from .bitext import BitextPair
from .conll import TaggedSentence
from .corpus_checks import entity_counts, shared_words, split_words, unseen_names
from .decontamination import GoldIndex, key_of
from .docs import make_doc, write_docs
from .gold import marked_text, tagged_doc
from .labelled_sets import FetchedFiles, SourceSentences
from .layout import MARKER, CorpusFolder
from .pair_selection import choose, read_pairs
from .sources import BitextSet, DataConfig, TextSet
from .word_tokenizer import tokenizer_for

_ESCAPES = {"html": "HTML entities", "quotes": "doubled quotes"}


@dataclass
class LanguageSummary:
    """Statistics of a target language.

    pairs, altered (int): Training pairs, and how many of them are altered copies.
    texts (int): Training sentences without translations.
    left_out (Dict[str, int]): Pairs that are left out, by reason; see docs/new-language.md.
    escaped (Dict[str, int]): Pairs with HTML entities (`html`) and with doubled quotes (`quotes`).
    dev, test, dev_in_test (int): Gold sentences, and dev sentences that are left out because they
        are in test.
    entities (Dict[str, int]): Entities of the test by type.
    tokenizer (str): The language of the tokenizer for the bitext; `xx` if spaCy has none for the
        language, empty without bitext.
    cut_otherwise (float): Share of gold words that this tokenizer splits.
    shared_words (Optional[float]): Share of gold words that occur in the bitext.
    """

    pairs: int = 0
    altered: int = 0
    texts: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    escaped: dict[str, int] = field(default_factory=dict)
    dev: int = 0
    test: int = 0
    dev_in_test: int = 0
    entities: dict[str, int] = field(default_factory=dict)
    tokenizer: str = ""
    cut_otherwise: float = 0.0
    shared_words: float | None = None


@dataclass
class CorpusSummary:
    """Statistics of a corpus.

    source (Dict[str, int]): Sentences of the source language: `train`, how many of these are
        `altered`, `dev`, `test`, and `left_out` because they are in dev or test.
    entities (Dict[str, int]): Training entities by type, without altered copies.
    unseen_names (Optional[float]): Share of the names in the test of the source language that are
        not in train; None without a test.
    languages (Dict[str, LanguageSummary]): Target languages by code.
    """

    source: dict[str, int]
    entities: dict[str, int]
    unseen_names: float | None
    languages: dict[str, LanguageSummary]


def make_corpus(
    config: DataConfig,
    files: Path,
    out: Path,
    *,
    say: Callable[[str], None] = lambda text: None,
) -> CorpusSummary:
    """Convert the data files of a config.

    config (DataConfig): The labelled sets, the languages and their files.
    files (Path): The folder of `fetch-data`. Local files are read from their own paths.
    out (Path): The output folder, see `CorpusFolder`: labelled sentences of the source language,
        bitext without labels, gold marked as evaluation only, and corpus.json with all counts,
        licences and hashes.
    say (Callable[[str], None]): Called with each warning.
    RETURNS (CorpusSummary): Statistics.
    RAISES (OpticalError): If a file is missing, does not match its SHA-256 or has another form, has
        an unknown label or no entity; if gold and bitext share almost no words; if no pair of a
        bitext or no sentence of the source language is left; as `tokenizer_for`.
    """
    for code, language in config.languages.items():
        if language.bitext:
            tokenizer_for(code)  # fail early if there is no tokenizer
    at = FetchedFiles(config, Path(files))
    source = at.read_sources()
    languages: dict[str, LanguageSummary] = {}
    with folder_written_whole(Path(out), marker=MARKER) as path:
        maker = _Maker(config, at, CorpusFolder(path), source)
        for code in config.languages:
            languages[code] = maker.write_language(code)
            for warning in _warnings(config, code, languages[code]):
                say(warning)
        if source.left_out:
            say(f"{source.left_out} {config.source} sentences are in dev or test; left out")
        if source.not_drawn:
            say(f"{source.not_drawn} {config.source} sentences were not drawn; left out")
        summary = CorpusSummary(
            maker.write_source(),
            entity_counts(source.train),
            unseen_names(source.test, source.train),
            languages,
        )
        record = asdict(summary) | {"labels": config.corpus.labels, "seed": config.seed}
        record |= {"max_pairs": config.corpus.max_pairs, "licences": config.licences()}
        write_json(path / MARKER, record | {"data": at.hashes})
    return summary


class _Maker:
    """Writes the parts of a corpus."""

    def __init__(
        self, config: DataConfig, at: FetchedFiles, folder: CorpusFolder, source: SourceSentences
    ) -> None:
        self.config, self.at, self.folder, self.source = config, at, folder, source
        self.source_gold = GoldIndex(s.words for s in [*source.dev, *source.test])
        # Altered copies do not have `not_labelled`.
        self.known = [marked_text(s) for s in source.train if not s.not_labelled]

    def write_source(self) -> dict[str, int]:
        source, folder = self.source, self.folder
        for use, sentences in (("training", source.train), ("choosing (dev)", source.dev)):
            if not any(sentence.spans for sentence in sentences):
                raise OpticalError(Errors.E241.format(use=use))
        altered = list(self._altered_docs())
        docs = [tagged_doc(sentence, missing=True) for sentence in source.train] + altered
        write_docs(docs, folder.source_train)
        write_docs(map(tagged_doc, source.dev), folder.source_dev)
        self._write_gold(self.config.source, dev=source.dev, test=source.test)
        return {
            "train": len(docs),
            "altered": len(altered),
            "dev": len(source.dev),
            "test": len(source.test),
            "left_out": source.left_out,
        }

    def write_language(self, code: str) -> LanguageSummary:
        config, language = self.config, self.config.languages[code]
        test = self.at.read(language, language.test, code)
        every_dev = self.at.read(language, language.dev, code)
        test_index = GoldIndex(sentence.words for sentence in test)
        dev = [s for s in every_dev if not test_index.same(" ".join(s.words))]
        gold = [*test, *dev]
        self._write_gold(code, dev=dev, test=test)
        summary = LanguageSummary(
            dev=len(dev),
            test=len(test),
            dev_in_test=len(every_dev) - len(dev),
            entities=entity_counts(test),
        )
        if not language.bitext:
            return summary
        left_out, escaped = Counter[str](), Counter[str]()
        gold_index = GoldIndex(sentence.words for sentence in gold)
        draw = partial(
            choose,
            gold_index=gold_index,
            source_gold=self.source_gold,
            seed=config.seed,
            left_out=left_out,
        )

        def read(name: str, part: BitextSet | TextSet) -> Iterator[BitextPair]:
            counts = {"skipped": left_out, "escaped": escaped}
            return read_pairs(part, name, config.source, code, self.at.paths(part.files), **counts)

        def every_pair() -> Iterator[BitextPair]:
            for name, part in language.bitext.items():
                pairs, most, share = read(name, part), part.max_pairs, part.unnamed_share
                limited = most or share < 1
                yield from draw(pairs, most=most, unnamed_share=share) if limited else pairs

        pairs = draw(every_pair(), most=config.corpus.max_pairs)
        if not pairs:
            counts = ", ".join(f"{n} {why}" for why, n in left_out.items()) or "the files are empty"
            raise OpticalError(Errors.E240.format(lang=code, counts=counts))
        altered = self._altered(code, pairs, gold_index)
        write_bitext([*pairs, *altered], config.source, code, self.folder.bitext(code))
        in_pairs = {key_of(pair.target) for pair in pairs}
        texts = [
            text
            for name, part in language.text.items()
            for text in draw(read(name, part), most=part.max_sentences)
            if key_of(text.target) not in in_pairs
        ]
        if texts:
            write_bitext(texts, "", code, self.folder.text(code))
        summary.texts = len(texts)
        summary.pairs, summary.altered = len(pairs) + len(altered), len(altered)
        summary.left_out, summary.escaped = dict(left_out), dict(+escaped)
        summary.tokenizer = tokenizer_for(code).lang or "xx"
        summary.cut_otherwise = split_words(gold, code)
        summary.shared_words = shared_words(code, pairs, gold)
        return summary

    def _altered(
        self, code: str, pairs: Sequence[BitextPair], gold_index: GoldIndex
    ) -> list[BitextPair]:
        """Make altered copies of the pairs with a labelled source side."""
        settings = self.config.corpus
        copies = settings.augment if settings.augment_bitext is None else settings.augment_bitext
        marked = [(pair.marked, pair.target) for pair in pairs if pair.marked is not None]
        altered = augment_pairs(marked, code, copies=copies, seed=self.config.seed, more=self.known)
        kept = [
            (source, target)
            for source, target in altered
            if not (self.source_gold.same(source) or gold_index.same(target))
        ]
        return [BitextPair(f"augmented-{i}", *pair) for i, pair in enumerate(kept)]

    def _altered_docs(self) -> Iterator[Doc]:
        """Make documents of altered copies that are not in gold and can be tokenized.

        With a new name, an entity can end inside a token ("2012," and "Å.").
        """
        copies, seed = self.config.corpus.augment, self.config.seed
        for marked in augment_english(self.known, copies=copies, seed=seed):
            if not self.source_gold.same(marked.text):
                with suppress(OpticalError):
                    yield make_doc(marked, self.config.source, where="augmentation")

    def _write_gold(self, language: str, **splits: Sequence[TaggedSentence]) -> None:
        for split, sentences in splits.items():
            if sentences:
                docs = (tagged_doc(sentence, evaluation_only=True) for sentence in sentences)
                write_docs(docs, self.folder.gold(language, split))


def write_bitext(pairs: Iterable[BitextPair], source: str, target: str, path: Path) -> None:
    """Write the texts without entities. An empty `source` writes the target side only."""
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf8") as file:
        for pair in pairs:
            row = {"id": pair.id, source: pair.source, target: pair.target}
            row.pop("", None)
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _warnings(config: DataConfig, code: str, summary: LanguageSummary) -> Iterator[str]:
    language = config.languages[code]
    if not language.bitext:
        yield f"{code}: it has no bitext, so it is only evaluated"
    if summary.tokenizer not in ("", code):
        yield f"{code}: spaCy has no tokenizer for this language; the multilingual one is used"
    if summary.cut_otherwise > 0.1:
        yield (
            f"{code}: the tokenizer for the bitext splits {summary.cut_otherwise:.0%} of the gold "
            "words; the student is trained on other words than it is evaluated on"
        )
    if summary.escaped and not all(part.unescape for part in language.bitext.values()):
        counts = " and ".join(f"{n} with {_ESCAPES[kind]}" for kind, n in summary.escaped.items())
        yield f"{code}: pairs {counts}; unescape = true turns them into characters"
    expected = [label for label in config.corpus.labels if label not in language.not_labelled]
    missing = [label for label in expected if not summary.entities.get(label)]
    if summary.test and missing:
        yield (
            f"{code}: the test has no {' and no '.join(missing)}; add labels that its files do not "
            "annotate to not_labelled"
        )
