"""Toy data sets in the formats of real ones, and a config of experiments."""

import json
from hashlib import sha256
from pathlib import Path

from spacy_optical.data.conll import TaggedSentence
from spacy_optical.data.markup import parse_markup
from spacy_optical.data.parallel import LABELS

from ..toy_project import toy_groups, toy_text
from ..util import toy_encoder, trained_toy_tokenizer

HOST = "https://data.example"


def tagged(text: str) -> TaggedSentence:
    """The words of a marked sentence, split at spaces and before the final punctuation."""
    marked = parse_markup(text, LABELS, where="toy")
    words: list[str] = []
    starts: list[int] = []
    at = 0
    for word in marked.text.replace(".", " .").replace(",", " ,").replace(":", " :").split():
        at = marked.text.index(word, at)
        words.append(word)
        starts.append(at)
        at += len(word)
    spans = []
    for entity in marked.entities:
        inside = [i for i, start in enumerate(starts) if entity.start <= start < entity.end]
        spans.append((inside[0], inside[-1] + 1, entity.label))
    return TaggedSentence("", tuple(words), tuple(spans))


def tags_of(sentence: TaggedSentence) -> list[str]:
    """The BIO tags of a sentence."""
    tags = ["O"] * len(sentence.words)
    for start, end, label in sentence.spans:
        tags[start:end] = [f"B-{label}", *[f"I-{label}"] * (end - start - 1)]
    return tags


def conll(texts: list[str]) -> str:
    """The format of MasakhaNER: one word and tag per line, an empty line after each sentence."""
    sentences = map(tagged, texts)
    return "".join(
        "".join(f"{w} {t}\n" for w, t in zip(s.words, tags_of(s), strict=True)) + "\n"
        for s in sentences
    )


def table(texts: list[str]) -> str:
    """The format of MahaNER: a header, tags of its own scheme, sentence numbers."""
    lines = ["words\tlabels\tsentence_id"]
    for number, text in enumerate(texts):
        sentence = tagged(text)
        for word, tag in zip(sentence.words, tags_of(sentence), strict=True):
            own = tag if tag == "O" else f"{tag[0]}NE{tag[2]}"
            lines.append(f"{word}\t{own}\t{number}.0")
    return "\n".join(lines) + "\n"


def lafand(groups: list[dict[str, str]], language: str, key: str) -> str:
    """The bitext format of LAFAND-MT."""
    rows = [{"translation": {"en": plain(g["en"]), key: plain(g[language])}} for g in groups]
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def plain(text: str) -> str:
    """A marked sentence's text."""
    return parse_markup(text, LABELS, where="toy").text


def pinned(mirror: Path, name: str) -> str:
    """The URL and hash of a file in the mirror, for a config."""
    digest = sha256((mirror / name).read_bytes()).hexdigest()
    return f'"{HOST}/{name}#sha256={digest}"'


CONFIG = """
[general]
seed = 3

[paths]
encoder = "assets/encoder"
corpus = "data/experiments/corpus"
plans = "training/experiments/plans"

[corpus]
dev_sentences = 8

[sources.toy]
train = ["{host}/toy/en/train.iob2#optional=yes", {en_test}]
dev = [{en_dev}]
labels = {{"DATE": ""}}

[languages.sw]
name = "Swahili"
dev = [{sw_dev}]
test = [{sw_test}]
labels = {{"DATE": ""}}

[languages.sw.bitext.lafand]
files = [{sw_bitext}]
keys = ["en", "swa"]

[languages.fi]
name = "Finnish"
test = [{fi_test}]
gold_format = "table"
labels = {{"BNEP": "B-PER", "INEP": "I-PER", "BNEL": "B-LOC", "INEL": "I-LOC",
    "BNEO": "B-ORG", "INEO": "I-ORG", "BNED": ""}}

[experiments]
reference = "target-soft"

[arms.teacher]
number = "0"
title = "zero-shot teacher"

[arms.target-soft]
number = "3"
title = "no bitext"
seeds = [0, 1]
overrides = {{"objective.representation": 0, "objective.labels": 0}}

[arms.pooled]
number = "4c"
title = "mean vectors"
overrides = {{"objective.labels": 0, "plans.align.solver": "independent"}}

[arms.ot-both]
number = "7"
title = "both"

[arms.adapted]
number = "A"
title = "adapted"
preset = ""
overrides = {{"student.layers": [0, 1, 2]}}

[arms.from-adapted]
number = "11"
title = "from the adapted"
teacher = "adapted"

[teacher]
epochs = 2
batch_size = 8
learning_rate = 0.003
freeze_embeddings = false
max_pieces = 64

[plans]
layer = 1

[student]
layers = [0, 2]
intermediate = 48
vocabulary = 110
positions = 64

[objective]
hard = 1.0

[training]
epochs = 1
batch_size = 8
learning_rate = 0.003
freeze_embeddings = false
max_pieces = 64
"""


def toy_experiments(folder: Path) -> Path:
    """A project folder with a toy encoder, a mirror of toy data sets, and its config.

    The mirror lacks the optional English train file. Three pairs of the bitext are there twice,
    and two hold a gold test sentence.

    folder (Path): The folder.
    RETURNS (Path): The config's path.
    """
    toy_encoder(folder / "assets" / "encoder", trained_toy_tokenizer(toy_text()))
    (folder / "assets" / "parallel").mkdir()
    groups = toy_groups()
    train, test, dev, english = groups[:24], groups[24:36], groups[36:40], groups[40:]
    bitext = [*train, *train[:3], *test[:2]]
    mirror = folder / "mirror"
    files = {
        "toy/en/test.iob2": conll([g["en"] for g in english[12:]]),
        "toy/en/dev.iob2": conll([g["en"] for g in english[:12]]),
        "toy/en-swa/train.json": lafand(bitext, "sw", "swa"),
        "toy/swa/dev.txt": conll([g["sw"] for g in [*dev, test[0]]]),
        "toy/swa/test.txt": conll([g["sw"] for g in test]),
        "toy/fi/test.txt": table([g["fi"] for g in test]),
    }
    for name, text in files.items():
        (mirror / name).parent.mkdir(parents=True, exist_ok=True)
        (mirror / name).write_text(text, encoding="utf8")
    keys = ("en_test", "en_dev", "sw_bitext", "sw_dev", "sw_test", "fi_test")
    named = {key: pinned(mirror, name) for key, name in zip(keys, files, strict=True)}
    config = folder / "research" / "configs" / "experiments.cfg"
    config.parent.mkdir(parents=True)
    config.write_text(CONFIG.format(host=HOST, **named), encoding="utf8")
    return config
