"""Vocabulary trimming: the same tokenizer with fewer pieces (Ushio et al. 2023).

A word whose pieces were removed is split into smaller pieces. All single characters of the scripts
in use are kept.
"""

import json
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import chain, zip_longest
from typing import NamedTuple

import numpy as np
from tokenizers import Tokenizer

from ..errors import Errors, OpticalError
from ..runtime.pieces import WordPieces

SPACE = "▁"
CONTINUED = "##"
LEAST_SHARE = 0.02
# The share of the pieces that the scripts other than the largest may take to be kept whole.
SMALL_SCRIPTS = 0.4
# The weight of a word with a capital letter, most of which are names.
CAPITALISED = 4


class Vocabulary(NamedTuple):
    """A trimmed tokenizer.json, and the old id of each of its pieces, int64 [pieces]."""

    tokenizer: bytes
    old_ids: np.ndarray


def trim_vocabulary(
    tokenizer: bytes, texts: Iterable[Iterable[Iterable[str]]], size: int
) -> Vocabulary:
    """Trim a tokenizer to the pieces that are used in texts.

    tokenizer (bytes): A tokenizer.json with a Unigram or WordPiece model.
    texts (Iterable[Iterable[Iterable[str]]]): The text of each language, as sentences of words. All
        languages have the same weight.
    size (int): The number of pieces to keep: special pieces, single characters of the scripts in
        use, all pieces of the scripts other than the largest if these are at most 40 % of the
        size, pieces in the texts by frequency, where a capitalised word counts four times, then
        pieces of each script in turn.
    RETURNS (Vocabulary): The trimmed tokenizer and the old ids.
    RAISES (OpticalError): If the tokenizer has another model, or `size` is too small for special
        pieces and characters.
    """
    spec = json.loads(tokenizer)
    kind = spec["model"].get("type")
    if kind not in ("Unigram", "WordPiece"):
        raise OpticalError(Errors.E404.format(kind=kind))
    vocabulary = Tokenizer.from_buffer(tokenizer).get_vocab(with_added_tokens=True)
    ranked = {i: piece for piece, i in vocabulary.items()}
    unknown = spec["model"].get("unk_token") or ranked.get(spec["model"].get("unk_id"))
    used, scripts = _usage(WordPieces(tokenizer), texts, ranked)
    special = {unknown, *(added["content"] for added in spec["added_tokens"])}
    must = []
    of_script: defaultdict[str, list[int]] = defaultdict(list)
    for i, piece in sorted(ranked.items()):
        bare = piece.removeprefix(CONTINUED) if kind == "WordPiece" else piece.lstrip(SPACE)
        if piece in special or not bare:
            must.append(i)
        elif any(c.isalpha() and _script(c) not in scripts for c in bare):
            continue
        elif len(bare) == 1 and (i in used or _script(bare) in scripts or _common(bare)):
            must.append(i)
        else:
            of_script[next((_script(c) for c in bare if c.isalpha()), "")].append(i)
    if size < len(must):
        raise OpticalError(Errors.E405.format(size=size, least=len(must)))
    # Names have pieces that a small text has not. In a small script, there are few of them.
    small = sorted(filter(None, of_script), key=lambda script: len(of_script[script]))[:-1]
    whole: list[int] = []
    if sum(len(of_script[script]) for script in small) <= SMALL_SCRIPTS * size:
        whole = list(chain.from_iterable(of_script.pop(script) for script in small))
    # In both models the pieces are in order of frequency.
    seen = [i for i in chain.from_iterable(of_script.values()) if i in used]
    seen.sort(key=lambda i: (-used[i], i))
    spare = [[i for i in ids if i not in used] for ids in of_script.values()]
    turns = (i for turn in zip_longest(*spare) for i in turn if i is not None)
    kept = sorted([*must, *whole, *seen, *turns][:size])
    return Vocabulary(_rewritten(spec, kind, ranked, kept), np.array(kept, dtype=np.int64))


def _usage(
    pieces: WordPieces, texts: Iterable[Iterable[Iterable[str]]], ranked: dict[int, str]
) -> tuple[dict[int, float], set[str]]:
    """Compute the share of each piece in a text, summed over the texts, and the scripts in use."""
    used: defaultdict[int, float] = defaultdict(float)
    scripts: set[str] = set()
    for sentences in texts:
        times: Counter[int] = Counter()
        for word, count in Counter(chain.from_iterable(sentences)).items():
            weight = CAPITALISED if word[:1].isupper() else 1
            for piece in pieces.pieces([word])[0]:
                times[piece] += weight * count
        total = sum(times.values())
        of_script: Counter[str] = Counter()
        for piece, count in times.items():
            used[piece] += count / total
            for script in {_script(c) for c in ranked[piece] if c.isalpha()}:
                of_script[script] += count
        # A few quoted words of another script would add thousands of characters.
        scripts |= {script for script, count in of_script.items() if count >= LEAST_SHARE * total}
    return used, scripts


def _script(character: str) -> str:
    """Get a character's script, the first word of its Unicode name, e.g. DEVANAGARI."""
    return unicodedata.name(character, "?").partition(" ")[0]


def _common(character: str) -> bool:
    """Check whether a character is in Latin-1, general punctuation or a currency sign."""
    return character < "\u0100" or "\u2010" <= character < "\u20d0"


def _rewritten(spec: dict, kind: str, ranked: dict[int, str], kept: list[int]) -> bytes:
    new_id = {ranked[old]: new for new, old in enumerate(kept)}
    model = spec["model"]
    if kind == "Unigram":
        if model.get("unk_id") is not None:
            model["unk_id"] = new_id[ranked[model["unk_id"]]]
        model["vocab"] = [model["vocab"][old] for old in kept if old < len(model["vocab"])]
    else:
        model["vocab"] = {piece: new for piece, new in new_id.items() if piece in model["vocab"]}
    for added in spec["added_tokens"]:
        added["id"] = new_id[added["content"]]
    processor = spec.get("post_processor") or {}
    for part in (processor, *processor.get("processors", ())):
        for token in part.get("special_tokens", {}).values():
            token["ids"] = [new_id[name] for name in token["tokens"]]
        for end in ("cls", "sep"):  # the post-processors of BERT and RoBERTa
            if end in part:
                part[end] = [part[end][0], new_id[part[end][0]]]
    if spec.get("padding"):
        spec["padding"]["pad_id"] = new_id[spec["padding"]["pad_token"]]
    return json.dumps(spec, ensure_ascii=False, separators=(",", ":")).encode("utf8")
