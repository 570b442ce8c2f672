"""From other people's data sets to the corpus folder that `teach`, `plans` and `distill` read."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from spacy.language import Language as Pipeline

from ..data.conll import TaggedSentence
from ..data.decontamination import Judged
from ..data.docs import write_docs
from ..data.gold import tagged_doc
from ..data.layout import MARKER
from ..data.word_tokenizer import tokenizer_for
from ..errors import Errors, OpticalError
from ..files import folder_written_whole, write_json
from .config import Benchmark, Language
from .gold import Files, cut_otherwise, read_english, read_gold, silver
from .pairs import Texts, choose, read_texts, shared_words

# Gold and bitext of one language share more of their words, if there is enough of both to tell.
LEAST_SHARED = 0.05
ENOUGH_PAIRS, ENOUGH_WORDS = 200, 200
_ESCAPES = {"html": "HTML entities", "quotes": "doubled quotes"}


@dataclass
class LanguageSummary:
    """What was made of one language's files.

    pairs (int): Pairs that train.
    left_out (Dict[str, int]): Pairs that do not, by reason: `duplicate`, `in_gold`,
        `in_source_dev`, `not_drawn`, or the code of what is wrong with the line.
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
class BenchmarkSummary:
    """What a conversion wrote: English sentences by use, and each language's counts."""

    english: dict[str, int]
    languages: dict[str, LanguageSummary]


def make_benchmark_corpus(
    benchmark: Benchmark,
    files: Path,
    out: Path,
    *,
    max_pairs: int = 0,
    labeller: Pipeline | None = None,
    gold_english: bool = True,
    seed: int = 0,
    say: Callable[[str], None] = lambda text: None,
) -> BenchmarkSummary:
    """Convert a benchmark's files to the layout that `make_corpus` writes.

    benchmark (Benchmark): The languages and their files.
    files (Path): The folder of `fetch-data`.
    out (Path): Folder to write: `english/{train,dev}.spacy`, `bitext/LANG.jsonl` (text alone),
        `gold/LANG-{dev,test}.spacy` (the data sets' own words, marked as being for evaluation
        only), and corpus.json with every count and the files' hashes.
    max_pairs (int): How many pairs of a language to draw at the most; 0 for all.
    labeller (Optional[Language]): A pipeline that labels the bitext's English, which then trains
        the teacher as well.
    gold_english (bool): Whether English gold trains; it always chooses, where there is any.
    seed (int): Seed of what is drawn.
    say (Callable[[str], None]): Told what deserves a look.
    RETURNS (BenchmarkSummary): Counts.
    RAISES (OpticalError): If a file is missing, another than was pinned or of another form, has a
        label that is not judged and not renamed, has no entity; if gold and bitext of a language
        have next to no word in common; if no pair of a bitext or no English sentence is left; as
        `tokenizer_for`.
    """
    for code, language in benchmark.languages.items():
        if language.bitext:
            tokenizer_for(code)  # before anything is read, if there is no tokenizer for it
    at = Files(Path(files))
    english = read_english(benchmark, at, seed=seed)
    source_dev = Judged(sentence.words for sentence in english.dev)
    found: dict[str, LanguageSummary] = {}
    with folder_written_whole(Path(out), marker=MARKER) as folder:
        heard: list[str] = []
        for code, language in benchmark.languages.items():
            pairs, found[code] = _one_language(
                benchmark, code, language, at, folder, source_dev, max_pairs, seed
            )
            for remark in _remarks(code, language, found[code], benchmark.labels):
                say(remark)
            heard += [text for text, _ in pairs]
        train = list(english.train) if gold_english else []
        guessed: list[TaggedSentence] = []
        if labeller is not None:
            every = dict.fromkeys(heard)
            guessed = silver(every, labeller, benchmark.silver, benchmark.labels)
        dev = english.dev
        if not dev:  # without gold, silver must choose
            dev, guessed = guessed[: len(guessed) // 10], guessed[len(guessed) // 10 :]
        train += guessed
        for use, sentences in (("training", train), ("choosing (dev)", dev)):
            if not any(sentence.spans for sentence in sentences):
                raise OpticalError(Errors.E241.format(use=use))
        for name, sentences in (("train", train), ("dev", dev)):
            path = folder / "english" / f"{name}.spacy"
            _write(sentences, path, evaluation_only=False)
        counts = {"train": len(train), "silver": len(guessed), "dev": len(dev)}
        counts["train_in_dev"] = english.in_dev
        summary = BenchmarkSummary(counts, found)
        record: dict[str, Any] = {**asdict(summary), "labels": benchmark.labels}
        record |= {"seed": seed, "max_pairs": max_pairs, "data": at.hashes}
        write_json(folder / MARKER, record)
    return summary


def _one_language(
    benchmark: Benchmark,
    code: str,
    language: Language,
    at: Files,
    folder: Path,
    source_dev: Judged,
    max_pairs: int,
    seed: int,
) -> tuple[list[Texts], LanguageSummary]:
    test = read_gold(language, language.test, code, benchmark.labels, at)
    every_dev = read_gold(language, language.dev, code, benchmark.labels, at)
    judged_test = Judged(sentence.words for sentence in test)
    dev = [s for s in every_dev if not judged_test.same(" ".join(s.words))]
    gold = [*test, *dev]
    for name, sentences in (("test", test), ("dev", dev)):
        if sentences:
            path = folder / "gold" / f"{code}-{name}.spacy"
            _write(sentences, path, evaluation_only=True)
    left_out: Counter[str] = Counter()
    escaped: Counter[str] = Counter()
    pairs: list[Texts] = []
    shared = None
    if language.bitext:
        texts = read_texts(
            language, code, benchmark.source, at.paths(language.bitext), left_out, escaped
        )
        judged = Judged(sentence.words for sentence in gold)
        pairs = choose(texts, judged, source_dev, most=max_pairs, seed=seed, left_out=left_out)
        if not pairs:
            counts = ", ".join(f"{n} {why}" for why, n in left_out.items()) or "the files are empty"
            raise OpticalError(Errors.E240.format(lang=code, counts=counts))
        shared = _shared(code, pairs, gold)
        _write_bitext(pairs, benchmark.source, code, folder / "bitext" / f"{code}.jsonl")
    return pairs, LanguageSummary(
        pairs=len(pairs),
        left_out=dict(left_out),
        escaped={kind: count for kind, count in escaped.items() if count},
        dev=len(dev),
        test=len(test),
        dev_in_test=len(every_dev) - len(dev),
        entities=dict(Counter(label for s in test for _, _, label in s.spans)),
        tokenizer=(tokenizer_for(code).lang or "xx") if language.bitext else "",
        cut_otherwise=round(cut_otherwise(gold, code), 4) if language.bitext else 0.0,
        shared_words=shared,
    )


def _shared(code: str, pairs: list[Texts], gold: list[TaggedSentence]) -> float | None:
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
    if found.escaped and not language.unescape:
        counts = ", ".join(f"{n} with {_ESCAPES[kind]}" for kind, n in found.escaped.items())
        yield f"{code}: pairs {counts}; unescape = true turns them into characters"
    missing = [label for label in labels if not found.entities.get(label)]
    if found.test and missing:
        yield f"{code}: the test has no {' and no '.join(missing)}"


def _write(sentences: Iterable[TaggedSentence], path: Path, *, evaluation_only: bool) -> None:
    docs = (tagged_doc(s, evaluation_only=evaluation_only) for s in sentences)
    write_docs(docs, path)


def _write_bitext(pairs: Iterable[Texts], source: str, code: str, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf8") as file:
        for number, (left, right) in enumerate(pairs, 1):
            row = {"id": f"{code}-{number}", source: left, code: right}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
