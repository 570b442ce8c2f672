"""What a Hugging Face folder is here: the names of its files, and what must be true of them."""

import json
from pathlib import Path
from typing import Any

from ..compat import require
from ..errors import Errors, OpticalError
from ..files import sha256, write_json

CONFIG, WEIGHTS, TOKENIZER = "config.json", "model.safetensors", "tokenizer.json"
NEEDED = (CONFIG, WEIGHTS, TOKENIZER)
SETTINGS = "tokenizer_config.json"
# Where config.json says which tokenizer.json a tagger was trained with.
TOKENIZER_HASH = "tokenizer_sha256"
_KINDS = ("bert", "roberta", "xlm-roberta", "camembert")
_ROLES = ("bos", "eos", "unk", "sep", "cls", "pad", "mask")
_FAMILIES = (
    ("<s>", "</s>", "<unk>", "</s>", "<s>", "<pad>", "<mask>"),  # XLM-R, RoBERTa
    ("[CLS]", "[SEP]", "[UNK]", "[SEP]", "[CLS]", "[PAD]", "[MASK]"),  # BERT
)


def check_encoder(folder: Path) -> None:
    """Make sure that a folder is an encoder whose tokenizer and weights belong together.

    folder (Path): A Hugging Face folder.
    RAISES (OpticalError): If a file is missing or unreadable, the encoder is of another
        architecture, the tokenizer has pieces for which it has no row, or is another than it was
        trained with.
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
    """Give how many layers of an encoder with this config work on pieces; None if all of them."""
    return getattr(config, "pool_after", None)


def position_offset(model: Any) -> int:
    """Count the rows of a position table that no piece uses.

    model (PreTrainedModel): The model.
    RETURNS (int): 0 for BERT. RoBERTa and its relatives start after the id of the padding piece.
    """
    padding = getattr(model.base_model.embeddings, "padding_idx", None)
    return 0 if padding is None else padding + 1


def most_pieces(model: Any) -> int:
    """Give the largest number of pieces that a model can read at once.

    model (PreTrainedModel): The model.
    RETURNS (int): The number of pieces, special ones included.
    """
    return model.config.max_position_embeddings - position_offset(model)


def write_settings(tokenizer: Path, max_length: int) -> None:
    """Write tokenizer_config.json beside a tokenizer.json, so that transformers needs nothing else.

    The generic class is named, not XLM-R's or BERT's own: spacy-transformers asks a tokenizer of
    those for its SentencePiece or vocabulary file, and everything is in tokenizer.json already.

    tokenizer (Path): The tokenizer.json.
    max_length (int): The most pieces that the encoder reads.
    """
    known = {
        added["content"]
        for added in json.loads(tokenizer.read_text(encoding="utf8"))["added_tokens"]
    }
    settings: dict[str, object] = {"tokenizer_class": "PreTrainedTokenizerFast"}
    for family in _FAMILIES:
        roles = {f"{r}_token": piece for r, piece in zip(_ROLES, family, strict=True)}
        settings |= {role: piece for role, piece in roles.items() if piece in known}
    write_json(tokenizer.with_name(SETTINGS), {**settings, "model_max_length": max_length})
