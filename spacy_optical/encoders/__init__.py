"""Multilingual encoders: download, checks, word and sentence vectors, vocabulary trimming."""
