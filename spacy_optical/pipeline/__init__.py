"""The components that spaCy loads: `optical_ner` and `optical_transformer`."""
