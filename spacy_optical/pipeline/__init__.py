"""The spaCy components of the package."""
