"""From the marked corpus to what the commands read: `.spacy` files and bitext without labels."""

import json
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from spacy.tokens import Doc

from ..errors import Errors, OpticalError
from ..files import folder_written_whole, json_text
from .augment import augment_english, augment_pairs
from .docs import make_doc, write_docs
from .layout import MARKER
from .markup import MarkedText
from .parallel import SOURCE_LANGUAGE, Group, check_disjoint, names, read_groups
from .word_tokenizer import tokenizer_for


@dataclass(frozen=True)
class CorpusSummary:
    """What a conversion wrote."""

    groups: dict[str, int]
    english_sentences: int
    augmented_english: int
    pairs: dict[str, int]
    entities: dict[str, int]
    groups_without_entities: int
    test_names_unseen_in_train: float


def make_corpus(
    parallel: Path,
    english: Path,
    out: Path,
    languages: Sequence[str],
    *,
    augment: int = 0,
    augment_bitext: int | None = None,
    seed: int = 0,
) -> CorpusSummary:
    """Check the marked corpus and convert it.

    parallel (Path): Folder with train.jsonl, dev.jsonl and test.jsonl, one group a line.
    english (Path): Folder with train.jsonl: more English sentences that train the teacher.
    out (Path): Folder to write: `english/{train,dev}.spacy` (training and choosing),
        `bitext/LANG.jsonl` (train groups, plain text: no target label leaves this function for
        training), `gold/LANG-{dev,test}.spacy` (marked as being for evaluation only).
    languages (Sequence[str]): The target languages.
    augment (int): How many altered copies of each English training sentence to add (see `augment`).
    augment_bitext (Optional[int]): How many of each pair; as many if not given.
    seed (int): Seed of the augmentation.
    RETURNS (CorpusSummary): Counts, and the share of the test names that training never shows.
    RAISES (OpticalError): If `languages` are none, twice the same or the source's, the
        corpus breaks a rule of `read_groups`, a test sentence is in a training file, or as
        `tokenizer_for`.
    """
    every = (SOURCE_LANGUAGE, *languages)
    if not languages or len(set(every)) < len(every):
        raise OpticalError(Errors.E212.format(languages=",".join(languages), source=every[0]))
    for language in every:  # before anything is read, if there is no tokenizer for it
        tokenizer_for(language)
    splits = {
        name: read_groups(Path(parallel) / f"{name}.jsonl", every)
        for name in ("train", "dev", "test")
    }
    more = read_groups(Path(english) / "train.jsonl", (SOURCE_LANGUAGE,))
    learned_from = [*splits["train"], *more]
    check_disjoint(learned_from, [*splits["dev"], *splits["test"]])
    check_disjoint(splits["dev"], splits["test"])

    sentences = [(g.sentences[SOURCE_LANGUAGE], g.where) for g in learned_from]
    judged = {
        marked.text.casefold()
        for group in (*splits["dev"], *splits["test"])
        for marked in group.sentences.values()
    }
    altered = _altered_docs([marked for marked, _ in sentences], judged, augment, seed)
    with folder_written_whole(out, marker=MARKER) as folder:
        train_docs = [
            make_doc(marked, SOURCE_LANGUAGE, where=where, evaluation_only=False)
            for marked, where in sentences
        ]
        write_docs([*train_docs, *altered], folder / "english" / "train.spacy")
        dev_docs = [
            make_doc(
                g.sentences[SOURCE_LANGUAGE], SOURCE_LANGUAGE, where=g.where, evaluation_only=False
            )
            for g in splits["dev"]
        ]
        write_docs(dev_docs, folder / "english" / "dev.spacy")
        pairs = {}
        copies = augment if augment_bitext is None else augment_bitext
        for language in languages:
            altered_pairs = augment_pairs(
                [
                    (g.sentences[SOURCE_LANGUAGE], g.sentences[language].text)
                    for g in splits["train"]
                ],
                language,
                copies=copies,
                seed=seed,
                more=[g.sentences[SOURCE_LANGUAGE] for g in more],
            )
            pairs[language] = _write_bitext(
                splits["train"], language, folder / "bitext", judged, altered_pairs
            )
        for language in every:
            for split in ("dev", "test"):
                gold = [
                    make_doc(g.sentences[language], language, where=g.where, evaluation_only=True)
                    for g in splits[split]
                ]
                write_docs(gold, folder / "gold" / f"{language}-{split}.spacy")
        test_names, train_names = names(splits["test"]), names(learned_from)
        groups = [group for split in splits.values() for group in split]
        summary = CorpusSummary(
            groups={name: len(split) for name, split in splits.items()},
            english_sentences=len(more),
            augmented_english=len(altered),
            pairs=pairs,
            entities=_entities(groups),
            groups_without_entities=sum(
                not group.sentences[SOURCE_LANGUAGE].entities for group in groups
            ),
            test_names_unseen_in_train=len(test_names - train_names) / max(1, len(test_names)),
        )
        record = {**vars(summary), "languages": list(languages), "seed": seed}
        (folder / MARKER).write_text(json_text(record), encoding="utf8")
    return summary


def _altered_docs(
    sentences: Sequence[MarkedText], judged: set[str], copies: int, seed: int
) -> list[Doc]:
    """Make documents of altered copies, without those that judge or that no tokenizer could split.

    A name's new neighbours can fuse with it into one word ("2012," and "Å." may).
    """
    docs = []
    for marked in augment_english(sentences, copies=copies, seed=seed):
        if marked.text.casefold() in judged:
            continue
        with suppress(OpticalError):
            docs.append(
                make_doc(marked, SOURCE_LANGUAGE, where="augmentation", evaluation_only=False)
            )
    return docs


def _write_bitext(
    groups: Sequence[Group],
    language: str,
    folder: Path,
    judged: set[str],
    altered: Sequence[tuple[str, str]],
) -> int:
    """Write source and target text, and nothing that the target's markup said."""
    rows = [
        (group.id, group.sentences[SOURCE_LANGUAGE].text, group.sentences[language].text)
        for group in groups
    ]
    rows += [
        (f"augmented-{i}", source, target)
        for i, (source, target) in enumerate(
            pair for pair in altered if judged.isdisjoint(text.casefold() for text in pair)
        )
    ]
    lines = [
        {"id": name, SOURCE_LANGUAGE: source, language: target} for name, source, target in rows
    ]
    folder.mkdir(exist_ok=True)
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (folder / f"{language}.jsonl").write_text(text, encoding="utf8")
    return len(lines)


def _entities(groups: Sequence[Group]) -> dict[str, int]:
    counts = Counter(
        entity.label for group in groups for entity in group.sentences[SOURCE_LANGUAGE].entities
    )
    return dict(sorted(counts.items()))
