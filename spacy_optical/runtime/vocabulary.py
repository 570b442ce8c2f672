"""A tokenizer.json without its vocabulary, and that one a part at a time.

Read at once, a vocabulary is three objects a piece, for a moment. The interpreter gives memory back
to the system only where nothing that stays has come to lie among them, so some of it would be kept.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

# Quotes within a text are escaped: this is a key.
BEGIN = re.compile(rb'"vocab"\s*:\s*\[')
# A piece and its score, and the comma before the next.
ENTRY = rb'\s*\[\s*"[^"\\]*(?:\\.[^"\\]*)*"\s*,[^]["]*\]\s*,?'
PART = re.compile(rb"(?:%b){1,256}" % ENTRY)


def taken_apart(content: bytes) -> tuple[dict[str, Any], Iterator[tuple[str, float]]]:
    """Read a tokenizer whose vocabulary is a list of pieces and scores.

    content (bytes): A tokenizer.json.
    RETURNS (Tuple[Dict[str, Any], Iterator[Tuple[str, float]]]): The tokenizer without the
        vocabulary of its model, and that one: pieces and scores, read as they are asked for.
    RAISES (ValueError): If it is no JSON or there is no such list; of a list that is no JSON, while
        it is read.
    """
    begins = list(BEGIN.finditer(content))
    if len(begins) != 1:
        raise ValueError("not one vocabulary in a list")
    begin = end = begins[0].end()
    parts = []
    while part := PART.match(content, end):
        parts.append(part.group().rstrip())
        end = part.end()
    setup = json.loads(content[:begin] + content[end:])
    model = setup.get("model") if isinstance(setup, dict) else None
    if not isinstance(model, dict) or model.pop("vocab", None) != []:
        raise ValueError("the vocabulary is not the model's, or holds more than pieces and scores")
    return setup, _entries(parts)


def _entries(parts: list[bytes]) -> Iterator[tuple[str, float]]:
    for left, part in enumerate(parts, 1 - len(parts)):
        # Each part but the last has a comma behind it.
        if part.endswith(b",") is not bool(left):
            raise ValueError("a comma too many, or one is missing")
        yield from json.loads(b"[" + part.removesuffix(b",") + b"]")
