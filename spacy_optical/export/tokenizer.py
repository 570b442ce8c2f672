"""Reduce the size of a tokenizer file."""

import json

import numpy as np


def compact(tokenizer: bytes) -> bytes:
    """Write a tokenizer with fewer bytes.

    The file has the scores of a Unigram vocabulary in double precision, but SentencePiece computes
    them in single precision. They are written with the fewest digits, and JSON without spaces.

    tokenizer (bytes): The content of a tokenizer.json.
    RETURNS (bytes): The content for the same tokenizer.
    """
    setup = json.loads(tokenizer)
    model = setup["model"]
    if model.get("type") == "Unigram":
        model["vocab"] = [[piece, float(str(np.float32(score)))] for piece, score in model["vocab"]]
    return json.dumps(setup, ensure_ascii=False, separators=(",", ":")).encode("utf8")
