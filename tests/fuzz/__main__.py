"""A coverage-guided fuzzer for the reader of bundles; not part of the test suite.

pip install atheris
python -m tests.fuzz -max_total_time=600 -rss_limit_mb=2048
"""

import sys

import atheris

# Of all that is imported, only this project's own code guides the search.
with atheris.instrument_imports(include=["spacy_optical"]):
    from .bundle import one

atheris.Setup(sys.argv, one)
atheris.Fuzz()
