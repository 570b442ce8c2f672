"""The package's name and version, readable without importing anything."""

__title__ = "spacy-optical"
__version__ = "0.2.0"
