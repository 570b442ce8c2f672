"""Named-entity recognition for spaCy, distilled across languages through optimal transport."""

from .about import __version__

__all__ = ["__version__"]
