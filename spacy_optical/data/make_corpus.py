"""From the files that a config names to the corpus folder that training reads."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from spacy.language import Language as Pipeline
from spacy.tokens import Doc

from ..errors import Errors, OpticalError
from ..files import folder_written_whole, write_json
from .augment import augment_english, augment_pairs
from .conll import TaggedSentence
from .decontamination import Judged, key_of
from .docs import make_doc, write_docs
from .gold import marked_text, tagged_doc
from .labelled_sets import (
    FetchedFiles,
    SourceSentences,
    cut_otherwise,
    label,
    read_set,
    read_sources,
)
from .layout import MARKER, CorpusFolder
from .markup import MarkedText
from .pair_selection import TextPair, choose, read_pairs, read_texts, shared_words
from .sources import BitextSet, DataConfig, Language
from .word_tokenizer import tokenizer_for

# Gold and bitext of one language share more of their words, if there is enough of both to tell.
LEAST_SHARED = 0.05
ENOUGH_PAIRS, ENOUGH_WORDS = 200, 200
_ESCAPES = {"html": "HTML entities", "quotes": "doubled quotes"}


@dataclass
class LanguageSummary:
    """What was made of one language's files.

    pairs (int): Pairs that train, altered copies included.
    altered (int): Altered copies among them.
    texts (int): Sentences without translations, which train too.
    left_out (Dict[str, int]): Pairs that do not train, by reason: `duplicate`, `in_gold`,
        `in_source_gold`, `unnamed`, `not_drawn`, or the code of what is wrong with the line.
    escaped (Dict[str, int]): Pairs with HTML entities (`html`) and with doubled quotes (`quotes`).
    dev, test (int): Gold sentences.
    dev_in_test (int): Dev sentences that the test has too, left out.
    entities (Dict[str, int]): Entities of the test by type.
    tokenizer (str): The language whose tokenizer splits the bitext; `xx` where spaCy has none,
        empty without bitext.
    cut_otherwise (float): Share of gold words that this tokenizer cuts.
    shared_words (Optional[float]): Share of gold words that the bitext has.
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
    tokenizer: str = "xx"
    cut_otherwise: float = 0.0
    shared_words: float | None = None


@dataclass
class CorpusSummary:
    """What a corpus holds.

    source (Dict[str, int]): Sentences of the source language: `train`, of these `altered` and
        `silver`; `dev`, `test`, and `left_out` because they are in dev or test.
    entities (Dict[str, int]): Entities that train, by type, without altered copies.
    unseen_names (Optional[float]): Share of the names in the source language's test that training
        does not show; None without a test.
    languages (Dict[str, LanguageSummary]): By code.
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
    labeller: Pipeline | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> CorpusSummary:
    """Convert the files that a config names.

    config (DataConfig): The labelled sets, the languages and their files.
    files (Path): The folder of `fetch-data`; local files are where the config says.
    out (Path): Folder to write, see `CorpusFolder`: labelled sentences of the source language,
        bitext (text alone: no target label leaves this function for training), gold (marked as
        being for evaluation only), and corpus.json with every count, licence and hash.
    labeller (Optional[Language]): A pipeline that labels the bitext's source side, which then
        trains the teacher as well.
    say (Callable[[str], None]): Told what deserves a look.
    RETURNS (CorpusSummary): Counts.
    RAISES (OpticalError): If a file is missing, another than was pinned or of another form, has a
        label that is not the corpus's and not renamed, has no entity; if gold and bitext of a
        language have next to no word in common; if no pair of a bitext or no sentence of the
        source language is left; as `tokenizer_for`.
    """
    for code, language in config.languages.items():
        if language.bitext:
            tokenizer_for(code)  # before anything is read, if there is no tokenizer for it
    at = FetchedFiles(Path(files))
    source = read_sources(config, at)
    # A copy would not say that some labels were not looked for.
    known = [marked_text(sentence) for sentence in source.train if not sentence.not_labelled]
    judged = Judged(sentence.words for sentence in [*source.dev, *source.test])
    found: dict[str, LanguageSummary] = {}
    with folder_written_whole(Path(out), marker=MARKER) as path:
        folder = CorpusFolder(path)
        heard: dict[str, None] = {}
        for code, language in config.languages.items():
            maker = _LanguageMaker(config, code, language, at, folder, judged, known)
            pairs, found[code] = maker.make()
            for remark in _remarks(code, language, found[code], config.corpus.labels):
                say(remark)
            heard |= dict.fromkeys(pair.source for pair in pairs)
        settings = config.corpus
        silver = (
            [] if labeller is None else label(heard, labeller, settings.silver, settings.labels)
        )
        if source.left_out:
            say(f"{source.left_out} {config.source} sentences are in dev or test; left out")
        if source.not_drawn:
            say(f"{source.not_drawn} {config.source} sentences were not drawn; left out")
        counts = _write_source(config, source, known, judged, silver, folder)
        summary = CorpusSummary(
            counts,
            _by_type(source.train),
            _unseen_names(source.test, source.train),
            found,
        )
        record: dict[str, Any] = {**asdict(summary), "labels": settings.labels}
        record |= {"seed": config.seed, "max_pairs": settings.max_pairs}
        record |= {"licences": config.licences(), "data": at.hashes}
        write_json(folder.record, record)
    return summary


def _write_source(
    config: DataConfig,
    source: SourceSentences,
    known: Sequence[MarkedText],
    judged: Judged,
    silver: list[TaggedSentence],
    folder: CorpusFolder,
) -> dict[str, int]:
    """Write the source language's sentences; without gold, silver must choose."""
    gold = source.train if config.corpus.gold else []
    dev = source.dev
    if not dev:
        dev, silver = silver[: len(silver) // 10], silver[len(silver) // 10 :]
    train = [*gold, *silver]
    for use, sentences in (("training", train), ("choosing (dev)", dev)):
        if not any(sentence.spans for sentence in sentences):
            raise OpticalError(Errors.E241.format(use=use))
    altered = _altered_docs(config, known, judged) if gold else []
    docs = [tagged_doc(sentence, evaluation_only=False, missing=True) for sentence in gold]
    docs += altered
    docs += [tagged_doc(sentence, evaluation_only=False) for sentence in silver]
    write_docs(docs, folder.source_train)
    write_docs((tagged_doc(s, evaluation_only=False) for s in dev), folder.source_dev)
    _write_gold(folder, config.source, {"dev": source.dev, "test": source.test})
    return {
        "train": len(docs),
        "altered": len(altered),
        "silver": len(silver),
        "dev": len(dev),
        "test": len(source.test),
        "left_out": source.left_out,
    }


@dataclass(frozen=True)
class _LanguageMaker:
    """Makes one language's part of a corpus."""

    config: DataConfig
    code: str
    language: Language
    at: FetchedFiles
    folder: CorpusFolder
    judged_source: Judged
    known: Sequence[MarkedText]

    def make(self) -> tuple[list[TextPair], LanguageSummary]:
        """Write gold and bitext; give the pairs without altered copies, and the counts."""
        code, language = self.code, self.language
        test = read_set(language, language.test, code, self.config, self.at)
        every_dev = read_set(language, language.dev, code, self.config, self.at)
        judged_test = Judged(sentence.words for sentence in test)
        dev = [s for s in every_dev if not judged_test.same(" ".join(s.words))]
        gold = [*test, *dev]
        _write_gold(self.folder, code, {"dev": dev, "test": test})
        summary = LanguageSummary(
            dev=len(dev),
            test=len(test),
            dev_in_test=len(every_dev) - len(dev),
            entities=_by_type(test),
            tokenizer="",
        )
        if not language.bitext:
            return [], summary
        judged = Judged(sentence.words for sentence in gold)
        left_out: Counter[str] = Counter()
        escaped: Counter[str] = Counter()
        pairs = self._chosen(judged, left_out, escaped)
        altered = self._altered(pairs, judged)
        _write_bitext([*pairs, *altered], self.config.source, code, self.folder.bitext(code))
        known = {key_of(pair.target) for pair in pairs}
        texts = [
            text
            for text in self._texts(judged, left_out, escaped)
            if key_of(text.target) not in known
        ]
        if texts:
            _write_bitext(texts, "", code, self.folder.text(code))
        summary.texts = len(texts)
        summary.pairs, summary.altered = len(pairs) + len(altered), len(altered)
        summary.left_out = dict(left_out)
        summary.escaped = {kind: count for kind, count in escaped.items() if count}
        summary.tokenizer = tokenizer_for(code).lang or "xx"
        summary.cut_otherwise = round(cut_otherwise(gold, code), 4)
        summary.shared_words = _shared(code, pairs, gold)
        return pairs, summary

    def _chosen(
        self, judged: Judged, left_out: Counter[str], escaped: Counter[str]
    ) -> list[TextPair]:
        every = (
            pair
            for name, part in self.language.bitext.items()
            for pair in self._of_set(name, part, judged, left_out, escaped)
        )
        most = self.config.corpus.max_pairs
        pairs = self._choose(every, judged, left_out, most=most)
        if not pairs:
            counts = ", ".join(f"{n} {why}" for why, n in left_out.items()) or "the files are empty"
            raise OpticalError(Errors.E240.format(lang=self.code, counts=counts))
        return pairs

    def _of_set(
        self,
        name: str,
        part: BitextSet,
        judged: Judged,
        left_out: Counter[str],
        escaped: Counter[str],
    ) -> Iterable[TextPair]:
        """Read a set's pairs and draw from them, if the set says how many."""
        source, paths = self.config.source, self.at.paths(part.files)
        pairs = read_pairs(part, name, source, self.code, paths, skipped=left_out, escaped=escaped)
        if not part.max_pairs and part.unnamed_share == 1:
            return pairs
        most, share = part.max_pairs, part.unnamed_share
        return self._choose(pairs, judged, left_out, most=most, unnamed_share=share)

    def _texts(
        self, judged: Judged, left_out: Counter[str], escaped: Counter[str]
    ) -> Iterator[TextPair]:
        """Give the sentences without translations."""
        for name, part in self.language.text.items():
            paths = self.at.paths(part.files)
            every = read_texts(part, name, self.code, paths, skipped=left_out, escaped=escaped)
            yield from self._choose(every, judged, left_out, most=part.max_sentences)

    def _choose(
        self, pairs: Iterable[TextPair], judged: Judged, left_out: Counter[str], **limits: Any
    ) -> list[TextPair]:
        seed, source = self.config.seed, self.judged_source
        return choose(pairs, judged, source, seed=seed, left_out=left_out, **limits)

    def _altered(self, pairs: Sequence[TextPair], judged: Judged) -> list[TextPair]:
        """Give altered copies of the pairs whose source side is labelled."""
        settings = self.config.corpus
        copies = settings.augment if settings.augment_bitext is None else settings.augment_bitext
        marked = [(pair.marked, pair.target) for pair in pairs if pair.marked is not None]
        altered = augment_pairs(
            marked, self.code, copies=copies, seed=self.config.seed, more=self.known
        )
        kept = [
            (source, target)
            for source, target in altered
            if not (self.judged_source.same(source) or judged.same(target))
        ]
        return [TextPair(f"augmented-{i}", *pair) for i, pair in enumerate(kept)]


def _altered_docs(config: DataConfig, known: Sequence[MarkedText], judged: Judged) -> list[Doc]:
    """Make documents of altered copies, without those that judge or that no tokenizer could split.

    A name's new neighbours can fuse with it into one word ("2012," and "Å." may).
    """
    docs = []
    for marked in augment_english(known, copies=config.corpus.augment, seed=config.seed):
        if judged.same(marked.text):
            continue
        with suppress(OpticalError):
            docs.append(
                make_doc(marked, config.source, where="augmentation", evaluation_only=False)
            )
    return docs


def _write_gold(
    folder: CorpusFolder, language: str, splits: dict[str, list[TaggedSentence]]
) -> None:
    for split, sentences in splits.items():
        if sentences:
            docs = (tagged_doc(sentence, evaluation_only=True) for sentence in sentences)
            write_docs(docs, folder.gold(language, split))


def _write_bitext(pairs: Iterable[TextPair], source: str, target: str, path: Path) -> None:
    """Write source and target text, where there is a source, and nothing that markup said."""
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf8") as file:
        for pair in pairs:
            row = {"id": pair.id, source: pair.source, target: pair.target}
            row = {key: text for key, text in row.items() if key}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _shared(code: str, pairs: list[TextPair], gold: list[TaggedSentence]) -> float | None:
    if not gold:
        return None
    share = shared_words(pairs, (sentence.words for sentence in gold))
    enough = len(pairs) >= ENOUGH_PAIRS and sum(len(s.words) for s in gold) >= ENOUGH_WORDS
    if enough and share < LEAST_SHARED:
        raise OpticalError(Errors.E238.format(lang=code, share=share))
    return round(share, 4)


def _remarks(
    code: str, language: Language, found: LanguageSummary, labels: Iterable[str]
) -> Iterable[str]:
    if found.tokenizer not in ("", code):
        yield f"{code}: spaCy has no tokenizer of its own here; its multilingual one is used"
    if found.cut_otherwise > 0.1:
        yield (
            f"{code}: {found.cut_otherwise:.0%} of the gold words are cut by the tokenizer that "
            "splits the bitext; the student learns other words than it is judged on"
        )
    if found.escaped and not all(part.unescape for part in language.bitext.values()):
        counts = " and ".join(f"{n} with {_ESCAPES[kind]}" for kind, n in found.escaped.items())
        yield f"{code}: pairs {counts}; unescape = true turns them into characters"
    expected = set(labels) - set(language.not_labelled)
    missing = [label for label in labels if label in expected and not found.entities.get(label)]
    if found.test and missing:
        yield f"{code}: the test has no {' and no '.join(missing)}"


def _by_type(sentences: Iterable[TaggedSentence]) -> dict[str, int]:
    counts = Counter(label for sentence in sentences for _, _, label in sentence.spans)
    return dict(sorted(counts.items()))


def _unseen_names(test: Sequence[TaggedSentence], train: Sequence[TaggedSentence]) -> float | None:
    if not test:
        return None
    names = _names(test)
    return len(names - _names(train)) / max(1, len(names))


def _names(sentences: Iterable[TaggedSentence]) -> set[tuple[str, str]]:
    return {
        (entity.label, marked.surface(entity).casefold())
        for marked in map(marked_text, sentences)
        for entity in marked.entities
    }
