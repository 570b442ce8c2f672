"""Reading of a plans folder: plans.json, and chunks of arrays for English and each language.

docs/formats.md describes the arrays.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..data.docs import read_training_docs
from ..data.layout import CorpusFolder
from ..encoders.folder import TOKENIZER, WEIGHTS, check_encoder
from ..errors import Errors, OpticalError
from ..runtime.pieces import WordPieces
from .config import DistillConfig
from .plan_store import ArrayStore
from .provenance import provenance
from .sentences import Sentence, labelled_sentences
from .tagger import folder_tags
from .tagger_evaluation import check_labels

MARKER = "plans.json"


class English(NamedTuple):
    """The labelled English sentences and their arrays, `logits` and `last`."""

    sentences: list[Sentence]
    store: ArrayStore


def english_sentences(
    config: DistillConfig, pieces: WordPieces, tags: Sequence[str]
) -> list[Sentence]:
    """Read the labelled English sentences that fit the window.

    config (DistillConfig): The config.
    pieces (WordPieces): The teacher's tokenizer.
    tags (Sequence[str]): The teacher's tags by number.
    RETURNS (List[Sentence]): The sentences.
    RAISES (OpticalError): If none fits, or one has a label that the teacher does not have.
    """
    path = CorpusFolder(config.paths.corpus).source_train
    docs = read_training_docs(path)
    check_labels(docs, {tag[2:] for tag in tags[1:]}, path)
    return labelled_sentences(docs, pieces, tags, config.training.max_pieces)


def plans_belong(config: DistillConfig, teacher: Path) -> bool:
    """Check whether there are readable plans that were made with a config and a teacher."""
    try:
        read_plans(config, teacher)
    except OpticalError:
        return False
    return True


def read_plans(config: DistillConfig, teacher: Path) -> tuple[English, dict[str, ArrayStore]]:
    """Open the plans of a config. The arrays stay on disk.

    config (DistillConfig): The config.
    teacher (Path): The teacher's folder.
    RETURNS (Tuple[English, Dict[str, ArrayStore]]): English, and the plans of each language.
    RAISES (OpticalError): If there are none, they were made with another config, teacher or data,
        or the teacher is incomplete.
    """
    tags = folder_tags(teacher)
    folder, path = config.paths.plans, config.paths.plans / MARKER
    if not path.is_file():
        raise OpticalError(Errors.E002.format(what="plans", path=path))
    try:
        record = json.loads(path.read_text(encoding="utf8"))
        pairs = {language: row["pairs"] for language, row in record["languages"].items()}
    except (ValueError, KeyError, TypeError) as err:
        raise OpticalError(Errors.E205.format(path=path, reason=err)) from err
    if record.get("fingerprint") != plans_record(config, teacher)["fingerprint"]:
        raise OpticalError(Errors.E410.format(path=folder))
    pieces = WordPieces((Path(teacher) / TOKENIZER).read_bytes())
    english = english_sentences(config, pieces, tags)
    stores = {language: ArrayStore(folder, language) for language in config.data.languages}
    for language, store in stores.items():
        if len(store) != pairs[language]:
            reason = f"{language} has {len(store)} sentences instead of {pairs[language]}"
            raise OpticalError(Errors.E205.format(path=folder, reason=reason))
    return English(english, ArrayStore(folder, config.data.source)), stores


def plans_record(config: DistillConfig, teacher: Path) -> dict[str, Any]:
    """Record the config, data and models that plans depend on.

    config (DistillConfig): The config.
    teacher (Path): The teacher's folder.
    RETURNS (Dict[str, Any]): The result of `provenance`, and empty `languages`.
    RAISES (OpticalError): If the labelled sentences, a bitext or the encoder is missing.
    """
    corpus = CorpusFolder(config.paths.corpus)
    data = [corpus.source_train]
    if not data[0].is_file():
        raise OpticalError(Errors.E002.format(what="labelled file", path=data[0]))
    for language in config.data.languages:
        if not (path := corpus.bitext(language)).is_file():
            raise OpticalError(Errors.E409.format(lang=language, path=path))
        data += corpus.target_files(language)
    check_encoder(config.paths.encoder)
    data += [Path(teacher) / WEIGHTS, config.paths.encoder / WEIGHTS]
    return {**provenance(config, "plans", data), "languages": {}}
