"""What transformers has to know about a tokenizer.json to load it without any other file.

The generic class is named, not XLM-R's or BERT's own: spacy-transformers asks a tokenizer of those
for its SentencePiece or vocabulary file, and everything is in tokenizer.json already.
"""

import json
from pathlib import Path

from ..files import write_json

SETTINGS = "tokenizer_config.json"
_ROLES = ("bos", "eos", "unk", "sep", "cls", "pad", "mask")
_FAMILIES = (
    ("<s>", "</s>", "<unk>", "</s>", "<s>", "<pad>", "<mask>"),  # XLM-R, RoBERTa
    ("[CLS]", "[SEP]", "[UNK]", "[SEP]", "[CLS]", "[PAD]", "[MASK]"),  # BERT
)


def write_settings(tokenizer: Path, max_length: int) -> None:
    """Write tokenizer_config.json beside a tokenizer.json.

    tokenizer (Path): The tokenizer.json.
    max_length (int): The most pieces that the encoder reads.
    """
    known = {
        added["content"]
        for added in json.loads(tokenizer.read_text(encoding="utf8"))["added_tokens"]
    }
    settings: dict[str, object] = {"tokenizer_class": "PreTrainedTokenizerFast"}
    for family in _FAMILIES:
        found = {f"{r}_token": piece for r, piece in zip(_ROLES, family, strict=True)}
        settings |= {role: piece for role, piece in found.items() if piece in known}
    write_json(tokenizer.with_name(SETTINGS), {**settings, "model_max_length": max_length})
