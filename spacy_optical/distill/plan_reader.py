"""The plans of a folder: what a teacher said about every sentence, and how pairs align.

The folder holds plans.json and chunks of arrays for English and for each language, see
`plan_store`; docs/formats.md says what each array is.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


@dataclass(frozen=True)
class English:
    """The labelled English sentences, and the arrays of each (`logits` and `last`)."""

    sentences: list[Sentence]
    store: ArrayStore


def english_sentences(
    config: DistillConfig, pieces: WordPieces, tags: Sequence[str]
) -> list[Sentence]:
    """Read the labelled English sentences that fit the window.

    config (DistillConfig): The config.
    pieces (WordPieces): The teacher's tokenizer.
    tags (Sequence[str]): The teacher's tags, whose numbers the sentences get.
    RETURNS (List[Sentence]): The sentences.
    RAISES (OpticalError): If none fits, or one has a label that the teacher lacks.
    """
    path = CorpusFolder(config.paths.corpus).source_train
    docs = read_training_docs(path)
    check_labels(docs, {tag[2:] for tag in tags[1:]}, path)
    return labelled_sentences(docs, pieces, tags, config.training.max_pieces)


def plans_belong(config: DistillConfig, teacher: Path) -> bool:
    """Tell whether there are readable plans that belong to a config and a teacher."""
    try:
        read_plans(config, teacher)
    except OpticalError:
        return False
    return True


def read_plans(config: DistillConfig, teacher: Path) -> tuple[English, dict[str, ArrayStore]]:
    """Open the plans that belong to a config; of the bitext nothing is held in memory.

    config (DistillConfig): The config.
    teacher (Path): The teacher's folder.
    RETURNS (Tuple[English, Dict[str, ArrayStore]]): English, and the plans of each language.
    RAISES (OpticalError): If there are none, or they were made from something else.
    """
    path = config.paths.plans / MARKER
    if not path.is_file():
        raise OpticalError(Errors.E002.format(what="plans", path=path))
    try:
        record = json.loads(path.read_text(encoding="utf8"))
        pairs = {language: row["pairs"] for language, row in record["languages"].items()}
    except (ValueError, KeyError, TypeError) as err:
        raise OpticalError(Errors.E205.format(path=path, reason=err)) from err
    if record.get("fingerprint") != plans_record(config, teacher)["fingerprint"]:
        raise OpticalError(Errors.E410.format(path=config.paths.plans))
    pieces = WordPieces((Path(teacher) / TOKENIZER).read_bytes())
    english = english_sentences(config, pieces, folder_tags(teacher))
    folder = config.paths.plans
    stores = {language: ArrayStore(folder, language) for language in config.data.languages}
    for language, store in stores.items():
        if len(store) != pairs[language]:
            reason = f"{language} has {len(store)} sentences instead of {pairs[language]}"
            raise OpticalError(Errors.E205.format(path=folder, reason=reason))
    return English(english, ArrayStore(folder, config.data.source)), stores


def plans_record(config: DistillConfig, teacher: Path) -> dict[str, Any]:
    """Record what plans depend on.

    config (DistillConfig): The config.
    teacher (Path): The teacher's folder.
    RETURNS (Dict[str, Any]): What `provenance` gives, and `languages`, still empty.
    RAISES (OpticalError): If a bitext or the encoder is missing.
    """
    corpus = CorpusFolder(config.paths.corpus)
    data = [corpus.source_train]
    for language in config.data.languages:
        if not (path := corpus.bitext(language)).is_file():
            raise OpticalError(Errors.E409.format(lang=language, path=path))
        data += corpus.target_files(language)
    check_encoder(config.paths.encoder)
    data += [Path(teacher) / WEIGHTS, config.paths.encoder / WEIGHTS]
    record = provenance(config, "plans", data)
    return {**record, "languages": {}}
