"""Measure the memory of a pipeline above the import floor, and its growth.

    python -m research.benchmarks.memory_growth [--bundle FOLDER] [--documents 100000]

Prints the resident memory above the import floor, current and peak, after each step of loading, and
then ten times while documents of different lengths are processed. Run it in a separate process on a
system with /proc, without torch.
"""

import argparse
import random
from collections import deque
from collections.abc import Iterator
from itertools import islice

from spacy_optical.compat import require_onnxruntime
from spacy_optical.profiling.environment import enter_environment
from spacy_optical.profiling.memory import read_memory, reset_peak

TEXT = (
    "Rais wa Kenya alisema jana mjini Nairobi kwamba serikali itajenga barabara mpya kutoka Mombasa"
    " hadi Kisumu ifikapo Desemba , bila kuchelewa . Amina Juma anafanya kazi Benki Kuu"
)
WORDS = TEXT.split()
MEGABYTE = 1e6
LONGEST = 400
ZONE = 1000  # documents


def documents(count: int) -> Iterator[str]:
    """Generate texts, most of them short, a few with hundreds of words, each with a unique word."""
    rng = random.Random(0)
    for at in range(count):
        size = min(LONGEST, int(rng.lognormvariate(2.5, 1)) + 1)
        yield " ".join([*rng.choices(WORDS, k=size), f"neno{at}"])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bundle", help="a bundle [default: the model of the package]")
    parser.add_argument("--blank", action="store_true", help="measure the blank pipeline alone")
    parser.add_argument("--documents", type=int, default=10_000, help="number of documents")
    arguments = parser.parse_args()
    enter_environment("base")
    import spacy
    import tokenizers  # noqa: F401

    require_onnxruntime()

    floor = read_memory()["rss"] or 0
    print(f"{'import-only floor':24} {floor / MEGABYTE:6.1f} MB; the other figures are above it")

    def show(step: str) -> None:
        found = read_memory()
        now, peak = (((found[which] or 0) - floor) / MEGABYTE for which in ("rss", "peak"))
        print(f"{step:24} now {now:6.1f} MB, peak {peak:6.1f} MB", flush=True)
        reset_peak()

    nlp = spacy.blank("xx")
    show("spacy.blank")
    if not arguments.blank:
        component = nlp.add_pipe("optical_ner", config={"model": arguments.bundle})
        show("optical_ner")
        runtime = component.runtime
        show("bundle checked")
        _ = runtime.words_to_pieces
        show("tokenizer")
        _ = runtime.session
        show("session")
    nlp("Amina Juma anaishi Nairobi")
    show("first text")
    tenth = max(arguments.documents // 10, 1)
    texts = documents(arguments.documents)
    for at in range(tenth, arguments.documents + 1, tenth):
        # Every document has a unique word, which spaCy keeps outside of a memory zone.
        for _ in range(0, tenth, ZONE):
            with nlp.memory_zone():
                deque(nlp.pipe(islice(texts, ZONE), batch_size=ZONE), maxlen=0)
        show(f"{at:,} documents")


if __name__ == "__main__":
    main()
