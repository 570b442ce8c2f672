"""Measure texts per second of each engine, compared with `nlp.pipe` in one and in N processes.

    python -m research.benchmarks.engine_speed [--texts 100000] [--engines local,ray]

Each engine runs once. The times include the start of the workers. The rate of one process is that
of `nlp.pipe` on the first `PIPE_TEXTS` texts, the mean of before and after each engine, because
the speed of a machine can change in a minute.
"""

import argparse
import tempfile
import time
from collections import deque
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from spacy.language import Language

from spacy_optical import annotate
from spacy_optical.runtime.load_model import load_model

from .memory_growth import documents

PIPE_TEXTS = 20_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--n-process", type=int, default=2)
    parser.add_argument("--engines", default="local,ray,spark")
    arguments = parser.parse_args()
    texts = list(documents(arguments.texts))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pq.write_table(pa.table({"id": range(len(texts)), "text": texts}), folder / "t.parquet")
        words = sum(text.count(" ") + 1 for text in texts)
        print(f"{len(texts)} texts, {words} words, {arguments.n_process} processes")
        nlp = load_model()
        some = texts[:PIPE_TEXTS]
        base = _pipe_rate(nlp, some, arguments.n_process)
        single = _pipe_rate(nlp, some, 1)
        tables = []
        for engine in arguments.engines.split(","):
            began = time.perf_counter()
            annotate(
                folder / "t.parquet",
                folder / engine,
                engine=engine,
                n_process=arguments.n_process,
                part_size=max(len(texts) // 20, 1),
            )
            took = time.perf_counter() - began
            tables.append(pq.read_table(folder / engine))
            rate, equal = len(texts) / took, tables[0].equals(tables[-1])
            before, single = single, _pipe_rate(nlp, some, 1)
            ideal = (before + single) / 2 * arguments.n_process
            ratios = f"{rate / base:5.2f} of nlp.pipe, {rate / ideal:5.2f} of N single processes"
            print(f"{engine:8} {took:8.1f} s {rate:8.1f} texts/s, {ratios}, {equal=}", flush=True)


def _pipe_rate(nlp: Language, texts: list[str], n_process: int) -> float:
    began = time.perf_counter()
    deque(nlp.pipe(texts, n_process=n_process), maxlen=0)
    took = time.perf_counter() - began
    rate = len(texts) / took
    print(f"nlp.pipe {took:8.1f} s {rate:8.1f} texts/s, {n_process=}", flush=True)
    return rate


if __name__ == "__main__":
    main()
