"""A toy of the whole project: parallel corpus, config, and the four-bit encoder file."""

import json
import struct
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .util import toy_encoder, trained_toy_tokenizer

PEOPLE = ("Amina Juma", "Otto Fischer", "Siti Aalto", "Leila Haddad", "Wanjiru", "Pekka")
PLACES = ("Nairobi", "Tampere", "Mombasa", "Lyon", "Pune")
COMPANIES = ("Benki Kuu", "Kone", "Safari Air")
DAYS = (("Monday", "Jumatatu", "maanantaina"), ("Friday", "Ijumaa", "perjantaina"))
PATTERNS = (
    (
        "[{p}](PER) lives near [{l}](LOC).",
        "[{p}](PER) anaishi karibu na [{l}](LOC).",
        "[{p}](PER) asuu lähellä kaupunkia [{l}](LOC).",
    ),
    (
        "[{c}](ORG) pays [{p}](PER) every [{d0}](DATE).",
        "[{c}](ORG) hulipa [{p}](PER) kila [{d1}](DATE).",
        "[{c}](ORG) maksaa palkan [{d2}](DATE): [{p}](PER).",
    ),
    (
        "We met in [{l}](LOC) with [{c}](ORG) last week.",
        "Tulikutana [{l}](LOC) na [{c}](ORG) wiki iliyopita.",
        "Tapasimme viime viikolla: [{l}](LOC), [{c}](ORG).",
    ),
)
PLAIN = (
    ("The road was closed all night.", "Barabara ilifungwa usiku kucha.", "Tie oli kiinni."),
    ("Bring your own lunch, please.", "Leteni chakula chenu.", "Ottakaa omat eväät mukaan."),
)


def toy_groups() -> list[dict[str, str]]:
    """Groups of English, Swahili and Finnish sentences, all different, in a fixed order."""
    filled = []
    for pattern, p, l, c, d in product(PATTERNS, PEOPLE, PLACES, COMPANIES, DAYS):  # noqa: E741
        values = {"p": p, "l": l, "c": c, "d0": d[0], "d1": d[1], "d2": d[2]}
        filled.append(tuple(text.format(**values) for text in pattern))
    different = [*PLAIN, *dict.fromkeys(filled)]
    order = np.random.default_rng(0).permutation(len(different))
    return [
        {"id": f"g{i}", "genre": "toy", **dict(zip(("en", "sw", "fi"), different[i], strict=True))}
        for i in order
    ]


def write_groups(path: Path, groups: list[dict[str, str]]) -> Path:
    """Write groups as JSON lines, making the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(group, ensure_ascii=False) + "\n" for group in groups)
    path.write_text(text, encoding="utf8")
    return path


def toy_marked_corpus(folder: Path) -> tuple[Path, Path]:
    """The folders that the corpus command reads: parallel groups, and more English sentences."""
    groups = toy_groups()
    sizes = {"train": 32, "dev": 8, "test": 8}
    at = 0
    for name, size in sizes.items():
        write_groups(folder / "parallel" / f"{name}.jsonl", groups[at : at + size])
        at += size
    write_groups(folder / "english" / "train.jsonl", groups[at : at + 32])
    return folder / "parallel", folder / "english"


def toy_data(marked: Path, languages: tuple[str, ...] = ("sw", "fi")) -> str:
    """The sections of a config that name the marked corpus.

    marked (Path): The folder of `toy_marked_corpus`.
    languages (Tuple[str, ...]): The target languages.
    RETURNS (str): The sections.
    """
    groups = marked / "parallel"
    gold = f'dev = ["{groups}/dev.jsonl"]\ntest = ["{groups}/test.jsonl"]\ngold_format = "marked"\n'
    sections = [
        '[corpus]\nlabels = ["PER", "ORG", "LOC", "DATE"]\n',
        f'[sources.parallel]\ntrain = ["{groups}/train.jsonl"]\n{gold}',
        f'[sources.english]\ntrain = ["{marked}/english/train.jsonl"]\ngold_format = "marked"\n',
    ]
    for language in languages:
        bitext = f'files = ["{groups}/train.jsonl"]\nformat = "marked"\n'
        sections += [f"[languages.{language}]\n{gold}"]
        sections += [f"[languages.{language}.bitext.parallel]\n{bitext}"]
    return "\n".join(sections)


def toy_text() -> list[str]:
    """The toy corpus's sentences without markup, in all three languages."""
    from spacy_optical.data.markup import parse_markup
    from spacy_optical.data.parallel import LABELS

    return [
        parse_markup(group[lang], LABELS, where="toy").text
        for group in toy_groups()
        for lang in ("en", "sw", "fi")
    ]


CONFIG = """
[general]
seed = 3

[paths]
encoder = "{folder}/encoder"
corpus = "{folder}/corpus"
plans = "{folder}/plans"

{data}
[teacher]
epochs = 8
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
representation = 1.0
labels = 1.0

[training]
epochs = 4
batch_size = 8
learning_rate = 0.003
freeze_embeddings = false
max_pieces = 64
"""


def toy_project(folder: Path) -> Path:
    """A folder with a toy encoder, the converted toy corpus and config.cfg; nothing is trained.

    folder (Path): The folder.
    RETURNS (Path): The config's path.
    """
    from spacy_optical.data.make_corpus import make_corpus
    from spacy_optical.data.sources import load_data_config

    toy_marked_corpus(folder / "marked")
    toy_encoder(folder / "encoder", trained_toy_tokenizer(toy_text()))
    config = folder / "config.cfg"
    data = toy_data(folder / "marked")
    config.write_text(CONFIG.format(folder=folder, data=data), encoding="utf8")
    make_corpus(load_data_config(config), folder, folder / "corpus")
    return config


def write_toy_q4(
    path: Path,
    *,
    hidden: int = 32,
    layers: int = 1,
    intermediate: int = 64,
    vocabulary: int = 300,
    positions: int = 64,
) -> dict[str, NDArray[np.float32]]:
    """An E5S1 file of random four-bit weights.

    path (Path): The file to write.
    hidden, layers, intermediate, vocabulary, positions (int): The encoder's shape; 4 heads.
    RETURNS (Dict[str, NDArray[float32]]): The weights that it stands for, by the file's names.
    """
    matrices = {
        "emb.word": (vocabulary, hidden),
        "emb.pos": (positions, hidden),
        "emb.type": (2, hidden),
    }
    vectors = {"emb.ln.w": hidden, "emb.ln.b": hidden}
    for layer in range(layers):
        for part in ("q", "k", "v", "ao", "fi", "fo"):
            rows = intermediate if part == "fi" else hidden
            columns = intermediate if part == "fo" else hidden
            matrices[f"l{layer}.{part}.w"] = (rows, columns)
            vectors[f"l{layer}.{part}.b"] = rows
        for norm in ("aln", "oln"):
            vectors[f"l{layer}.{norm}.w"] = vectors[f"l{layer}.{norm}.b"] = hidden
    rng = np.random.default_rng(0)
    weights: dict[str, NDArray[np.float32]] = {}
    stored: dict[str, tuple[int, bytes]] = {}
    for name, shape in matrices.items():
        nibbles = rng.integers(0, 16, size=(shape[0] * shape[1] // 32, 32))
        scales = rng.uniform(0.01, 0.05, size=(len(nibbles), 1)).astype(np.float16)
        weights[name] = ((nibbles - 8) * scales.astype(np.float32)).astype(np.float32)
        weights[name] = weights[name].reshape(shape)
        stored[name] = (1, b"".join(map(q4_block, scales.ravel(), nibbles)))
    for name, size in vectors.items():
        weights[name] = rng.normal(size=size).astype(np.float32)
        stored[name] = (0, weights[name].tobytes())

    head = b"E5S1" + struct.pack(
        "<8i", 1, hidden, layers, 4, intermediate, vocabulary, positions, 2
    )
    head += struct.pack("<fi", 1e-12, 32)
    pieces = b"<s><pad>"
    head += struct.pack("<i4iQ", 2, 0, 2, 1, 3, len(pieces))
    head += struct.pack("<3I2f", 0, 3, 8, 0.0, 0.0) + pieces
    head += struct.pack("<iI", 0, 4) + b"\0\0\0\0"
    head += struct.pack("<i", len(stored))
    at = len(head) + sum(2 + len(name) + struct.calcsize("<BIQQ") for name in stored)
    for name, (kind, content) in stored.items():
        head += struct.pack("<H", len(name)) + name.encode()
        head += struct.pack("<BIQQ", kind, weights[name].size, at, len(content))
        at += len(content)
    path.write_bytes(head + b"".join(content for _, content in stored.values()))
    return weights


def q4_block(scale: np.floating, nibbles: NDArray[np.integer]) -> bytes:
    """Pack 32 weights: a float16 scale, then bytes with weight j low and weight j + 16 high."""
    packed = bytes(int(nibbles[j]) | int(nibbles[j + 16]) << 4 for j in range(16))
    return np.float16(scale).tobytes() + packed
