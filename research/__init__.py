"""The evidence behind the package: experiments, their results page and the microbenchmarks.

Not installed; run from the repository as `python -m research`.
"""
