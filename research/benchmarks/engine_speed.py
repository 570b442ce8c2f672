"""Measure texts per second of each engine, compared with `nlp.pipe(n_process=…)`.

    python -m research.benchmarks.engine_speed [--texts 100000] [--engines local,ray]

Each engine runs once. The times include the start of the workers.
"""

import argparse
import tempfile
import time
from collections import deque
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from spacy_optical import annotate
from spacy_optical.runtime.load_model import load_model

from .memory_growth import documents


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
        began = time.perf_counter()
        deque(nlp.pipe(texts, n_process=arguments.n_process), maxlen=0)
        base = time.perf_counter() - began
        print(f"nlp.pipe {base:8.1f} s {len(texts) / base:8.1f} texts/s", flush=True)
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
            print(f"{engine:8} {took:8.1f} s {rate:8.1f} texts/s {base / took:5.2f} {equal=}")


if __name__ == "__main__":
    main()
