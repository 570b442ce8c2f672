"""A trained tagger on disk: a Hugging Face folder with the metrics of its training."""

import hashlib
import json
from pathlib import Path

from safetensors import SafetensorError

from ..encoders.folder import CONFIG, TOKENIZER, TOKENIZER_HASH, WEIGHTS, write_settings
from ..files import folder_written_whole, json_text
from .tagger import WordTagger

METRICS = "metrics.json"


def save_tagger(tagger: WordTagger, tokenizer: bytes, metrics: dict, out: Path) -> None:
    """Write a tagger as a Hugging Face folder, whole or not at all.

    tagger (WordTagger): The tagger.
    tokenizer (bytes): Its tokenizer.json.
    metrics (dict): What is known of it, for metrics.json.
    out (Path): The folder.
    RAISES (OpticalError): If `out` holds something else or cannot be written.
    """
    setattr(tagger.model.config, TOKENIZER_HASH, hashlib.sha256(tokenizer).hexdigest())
    with folder_written_whole(out, marker=CONFIG) as folder:
        try:
            tagger.model.save_pretrained(folder, safe_serialization=True)
        except SafetensorError as err:  # what the library makes of the system's refusal
            raise OSError(str(err)) from err
        (folder / WEIGHTS).chmod(0o644)
        (folder / TOKENIZER).write_bytes(tokenizer)
        write_settings(folder / TOKENIZER, tagger.max_pieces)
        (folder / METRICS).write_text(json_text(metrics), encoding="utf8")


def finished(folder: Path, fingerprint: str) -> dict | None:
    """Give the metrics of a tagger that was made from this already; None if there is none."""
    path = folder / METRICS
    if not (path.is_file() and (folder / WEIGHTS).is_file()):
        return None
    try:
        metrics: dict = json.loads(path.read_text(encoding="utf8"))
        return metrics if metrics["fingerprint"] == fingerprint else None
    except (KeyError, TypeError, ValueError):  # somebody else's file
        return None
