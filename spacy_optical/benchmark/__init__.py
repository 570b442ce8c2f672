"""The benchmark on real languages: languages and arms as data, metrics files, and their table."""
