"""Measure the F1 of a bundle on changed text: other case, typos, no diacritics.

The number of words does not change, so the gold entities keep their positions.

Example: python -m research.benchmarks.robustness corpus/gold --languages sw,ha,fi,de
--out docs/results/release/robustness.json
"""

import argparse
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from spacy.tokens import Doc

from spacy_optical.data.docs import read_docs
from spacy_optical.files import write_json
from spacy_optical.runtime.load_model import load_model
from spacy_optical.scores.counts import span_counts
from spacy_optical.scores.f1 import score

Words = list[str]
TYPO_SHARE = 0.05
# Letters that have no decomposition in Unicode.
_PLAIN = str.maketrans("ɓɗƙƴøØßđĐłŁƁƊƘƳ", "bdkyoOsdDlLBDKY")


def title(words: Words, random: Random) -> Words:
    """Change the first letter of every word to upper case."""
    return [word[:1].upper() + word[1:] for word in words]


def without_diacritics(words: Words, random: Random) -> Words:
    """Remove diacritics."""
    return [_plain(word) or word for word in words]


def with_typos(words: Words, random: Random) -> Words:
    """Swap two adjacent letters in one of twenty words."""
    return [_swapped(word, random) if random.random() < TYPO_SHARE else word for word in words]


def with_soft_hyphens(words: Words, random: Random) -> Words:
    """Insert a soft hyphen in the middle of each word of six or more letters."""
    return [
        f"{word[: len(word) // 2]}\u00ad{word[len(word) // 2 :]}"
        if len(word) >= 6 and word.isalpha()
        else word
        for word in words
    ]


def like_tweets(words: Words, random: Random) -> Words:
    """Change the text to that of a tweet: half in lower case, typos, hashtags, repeated letters."""
    if random.random() < 0.5:
        words = [word.lower() for word in words]
    changed = []
    for word in with_typos(words, random):
        chance = random.random()
        if chance < 0.05 and word.isalpha():
            word += 2 * word[-1]
        elif chance < 0.15 and word[:1].isupper() and word.isalpha():
            word = f"#{word}"
        changed.append(word)
    return changed


WRITINGS: dict[str, Callable[[Words, Random], Words]] = {
    "as it is": lambda words, random: words,
    "lower case": lambda words, random: [word.lower() for word in words],
    "upper case": lambda words, random: [word.upper() for word in words],
    "title case": title,
    "no diacritics": without_diacritics,
    "typos": with_typos,
    "soft hyphens": with_soft_hyphens,
    "like tweets": like_tweets,
}


def _plain(word: str) -> str:
    letters = (c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
    return "".join(letters).translate(_PLAIN).strip()


def _swapped(word: str, random: Random) -> str:
    if len(word) < 3 or not word.isalpha():
        return word
    at = random.randrange(len(word) - 1)
    return f"{word[:at]}{word[at + 1]}{word[at]}{word[at + 2 :]}"


def rewritten(docs: list[Doc], writing: str, seed: int) -> Iterator[Doc]:
    """Change the words of documents, and leave out their entities."""
    random = Random(seed)
    for doc in docs:
        words = WRITINGS[writing]([token.text for token in doc], random)
        spaces = [bool(token.whitespace_) for token in doc]
        yield Doc(doc.vocab, words=words, spaces=spaces)


def measured(
    folder: Path, languages: list[str], labels: set[str], args: argparse.Namespace
) -> dict:
    """Measure F1 by change and language."""
    nlp = load_model(args.model)
    component = nlp.get_pipe("optical_ner")
    table: dict[str, dict[str, float]] = {writing: {} for writing in WRITINGS}
    for language in languages:
        gold = read_docs(folder / f"{language}-test.spacy", nlp.vocab)[: args.most]
        wanted = [_spans(doc, labels) for doc in gold]
        for writing in WRITINGS:
            found = component.pipe(rewritten(gold, writing, args.seed))
            counts = span_counts(wanted, [_spans(doc, labels) for doc in found])
            table[writing][language] = round(score(counts).f1, 1)
    return table


def _spans(doc: Doc, labels: set[str]) -> list[tuple[int, int, str]]:
    return [(e.start, e.end, e.label_) for e in doc.ents if e.label_ in labels]


def markdown(table: dict[str, dict[str, float]]) -> str:
    """Make a Markdown table, with the mean over the languages."""
    languages = list(next(iter(table.values())))
    lines = [f"| | {' | '.join(languages)} | mean |", f"|---|{'---:|' * (len(languages) + 1)}"]
    for writing, row in table.items():
        values = [*row.values(), sum(row.values()) / len(row)]
        lines.append(f"| {writing} | {' | '.join(f'{value:.1f}' for value in values)} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table, and write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gold", type=Path, help="Gold folder of the corpus command")
    parser.add_argument("--languages", default="sw,ha,fi,de", help="Languages, separated by commas")
    parser.add_argument("--labels", default="PER,ORG,LOC", help="Labels that are evaluated")
    parser.add_argument("--model", help="Bundle, or model of the package [default: md]")
    parser.add_argument("--most", type=int, default=300, help="Sentences of each language")
    parser.add_argument("--seed", type=int, default=0, help="Seed of typos and tweets")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    args = parser.parse_args()
    table = measured(args.gold, args.languages.split(","), set(args.labels.split(",")), args)
    if args.out is not None:
        settings = {
            "model": args.model or "default",
            "sentences": args.most,
            "seed": args.seed,
            "labels": args.labels.split(","),
        }
        write_json(args.out, {**settings, "f1": table})
    print(markdown(table))


if __name__ == "__main__":
    main()
