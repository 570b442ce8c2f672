"""Projection of entities from labelled sentences to their translations."""

# The minimum confidence of a projected entity, in the commands and functions.
THRESHOLD = 0.5
