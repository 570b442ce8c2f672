"""Name and version of the package."""

__title__ = "spacy-optical"
__version__ = "0.2.0"
