"""ONNX Runtime's Python tools without their advice, which is for who wrote them."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def errors_only() -> Iterator[None]:
    """Let only errors through to any log while the block runs.

    The tools log under the names of their files (`onnx_model`, `fusion_skiplayernorm`), whichever
    these are in a version; so the level is raised for all.
    """
    before = logging.root.manager.disable
    logging.disable(max(before, logging.WARNING))
    try:
        yield
    finally:
        logging.disable(before)
