"""Fuzz target for the reader of bundles; run it with `python -m tests.fuzz`.

Each input is a bundle's bytes (hashes and all) or a tokenizer alone. Whatever it is, the answer is
a bundle, pieces, or an `OpticalError`; anything else is a find. `try_bundle` and `try_tokenizer`
are also what tests/fuzz/test_fuzz.py calls with damage of known kinds.
"""

from spacy_optical.errors import OpticalError
from spacy_optical.runtime.bundle import Bundle
from spacy_optical.runtime.pieces import WordPieces


def try_bundle(data: bytes) -> Bundle | None:
    """Read a bundle.

    data (bytes): Anything.
    RETURNS (Optional[Bundle]): The bundle; None if it was refused in words.
    """
    try:
        return Bundle.from_bytes(data)
    except OpticalError:
        return None


def try_tokenizer(data: bytes) -> bool:
    """Read a tokenizer.

    data (bytes): Anything.
    RETURNS (bool): Whether it was taken for one.
    """
    try:
        WordPieces(data).pieces(["Amina", "", "\ud800"])
    except OpticalError:
        return False
    return True


def one(data: bytes) -> None:
    """Try an input; its first byte says as what."""
    (try_bundle, try_tokenizer)[data[0] % 2 if data else 0](data[1:])
