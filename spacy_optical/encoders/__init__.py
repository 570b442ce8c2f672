"""The multilingual encoder that everything starts from: where it comes from, how it is read."""
