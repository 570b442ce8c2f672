"""Hugging Face folders of encoders: file names, checks, and properties of the models."""

import json
from pathlib import Path
from typing import Any

from ..compat import require
from ..errors import Errors, OpticalError
from ..files import sha256, write_json

CONFIG, WEIGHTS, TOKENIZER = "config.json", "model.safetensors", "tokenizer.json"
NEEDED = (CONFIG, WEIGHTS, TOKENIZER)
SETTINGS = "tokenizer_config.json"
# The key of config.json with the hash of the tokenizer.json that a tagger was trained with.
TOKENIZER_HASH = "tokenizer_sha256"
_KINDS = ("bert", "roberta", "xlm-roberta", "camembert")
_ROLES = ("bos", "eos", "unk", "sep", "cls", "pad", "mask")
_FAMILIES = (
    ("<s>", "</s>", "<unk>", "</s>", "<s>", "<pad>", "<mask>"),  # XLM-R, RoBERTa
    ("[CLS]", "[SEP]", "[UNK]", "[SEP]", "[CLS]", "[PAD]", "[MASK]"),  # BERT
)


def check_encoder(folder: Path) -> None:
    """Check that a folder has an encoder with a matching tokenizer.

    folder (Path): A Hugging Face folder.
    RAISES (OpticalError): If a file is missing or unreadable, the architecture is not supported, or
        the tokenizer has more pieces than the encoder or is not the one of its training.
    """
    from tokenizers import Tokenizer

    folder = Path(folder)
    for name in NEEDED:
        if not (folder / name).is_file():
            raise OpticalError(Errors.E702.format(path=folder, name=name))
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf8"))
        rows, kind = int(config["vocab_size"]), config["model_type"]
        pooled = config.get("pool_after")
        if pooled is not None and pooled not in range(config["num_hidden_layers"]):
            raise ValueError(f"pool_after is {pooled}, with {config['num_hidden_layers']} layers")
    except (ValueError, KeyError, TypeError) as err:
        raise OpticalError(Errors.E703.format(path=folder / CONFIG, reason=err)) from err
    if kind not in _KINDS:
        raise OpticalError(Errors.E708.format(path=folder, kind=kind, known=", ".join(_KINDS)))
    try:
        pieces = Tokenizer.from_file(str(folder / TOKENIZER)).get_vocab_size()
    except Exception as err:  # tokenizers raises bare Exception
        raise OpticalError(Errors.E703.format(path=folder / TOKENIZER, reason=err)) from err
    if pieces > rows:
        raise OpticalError(Errors.E704.format(path=folder, pieces=pieces, rows=rows))
    if config.get(TOKENIZER_HASH) not in (None, sha256(folder / TOKENIZER)):
        raise OpticalError(Errors.E709.format(path=folder))
    safetensors = require("safetensors")
    try:
        with safetensors.safe_open(folder / WEIGHTS, framework="numpy") as weights:
            empty = not weights.keys()
    except safetensors.SafetensorError as err:
        raise OpticalError(Errors.E703.format(path=folder / WEIGHTS, reason=err)) from err
    if empty:
        raise OpticalError(Errors.E703.format(path=folder / WEIGHTS, reason="it is empty"))


def pool_after(config: Any) -> int | None:
    """Get the number of layers that work on pieces from a model's config; None for all."""
    return getattr(config, "pool_after", None)


def position_offset(model: Any) -> int:
    """Get the number of unused rows at the start of the position embeddings.

    model (PreTrainedModel): The model.
    RETURNS (int): 0 for BERT. RoBERTa and XLM-R start after the id of the padding piece.
    """
    padding = getattr(model.base_model.embeddings, "padding_idx", None)
    return 0 if padding is None else padding + 1


def most_pieces(model: Any) -> int:
    """Get the maximum number of pieces of a model's input.

    model (PreTrainedModel): The model.
    RETURNS (int): The number of pieces, special ones included.
    """
    return model.config.max_position_embeddings - position_offset(model)


def write_settings(tokenizer: Path, max_length: int) -> None:
    """Write the tokenizer_config.json that transformers needs beside a tokenizer.json.

    tokenizer (Path): The tokenizer.json.
    max_length (int): The maximum number of pieces of the encoder.
    """
    added = json.loads(tokenizer.read_text(encoding="utf8"))["added_tokens"]
    known = {token["content"] for token in added}
    # With the class of XLM-R or BERT, spacy-transformers needs their vocabulary files.
    settings: dict[str, object] = {"tokenizer_class": "PreTrainedTokenizerFast"}
    for family in _FAMILIES:
        roles = {f"{r}_token": piece for r, piece in zip(_ROLES, family, strict=True)}
        settings |= {role: piece for role, piece in roles.items() if piece in known}
    write_json(tokenizer.with_name(SETTINGS), {**settings, "model_max_length": max_length})
