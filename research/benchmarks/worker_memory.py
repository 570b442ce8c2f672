"""Measure the memory of the workers of `annotate` on each engine.

    python -m research.benchmarks.worker_memory [--texts 20000] [--engines local,ray,spark]

Each engine runs twice with the same texts: with a blank spaCy pipeline, and with the default model.
The difference is the memory of the model. The figure of a worker is its largest proportional set
size: memory that N processes share, such as the weights, counts 1/N for each.
"""

import argparse
import tempfile
import threading
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import spacy

from spacy_optical import annotate

from .memory_growth import documents

# What the command lines or names of worker processes contain.
WORKER = {"local": "spawn_main", "ray": "ray::MapWorker", "spark": "pyspark.daemon"}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--texts", type=int, default=20_000)
    parser.add_argument("--n-process", type=int, default=2)
    parser.add_argument("--engines", default="local,ray,spark")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        blank = folder / "blank"
        spacy.blank("xx").to_disk(blank)
        texts = list(documents(arguments.texts))
        pq.write_table(pa.table({"id": range(len(texts)), "text": texts}), folder / "t.parquet")
        for engine in arguments.engines.split(","):
            found = []
            for label, model in (("blank", blank), ("default", None)):
                peaks: dict[int, float] = {}
                stop = threading.Event()
                watcher = threading.Thread(target=_watch, args=(WORKER[engine], peaks, stop))
                watcher.start()
                try:
                    annotate(
                        folder / "t.parquet",
                        folder / f"{engine}-{label}",
                        engine=engine,
                        model=model,
                        n_process=arguments.n_process,
                        part_size=max(len(texts) // 20, 1),
                    )
                finally:
                    stop.set()
                    watcher.join()
                found.append(sorted(peaks.values())[-arguments.n_process :])
            means = [sum(values) / len(values) for values in found]
            shown = ", ".join(f"{mean:.1f}" for mean in means)
            print(f"{engine:8} blank, default: {shown} MB; difference {means[1] - means[0]:.1f} MB")
            print(f"         all workers: {found}", flush=True)


def _watch(marker: str, peaks: dict[int, float], stop: threading.Event) -> None:
    while not stop.wait(0.5):
        for process in psutil.process_iter(["pid", "name", "cmdline"]):
            words = " ".join([process.info["name"] or "", *(process.info["cmdline"] or [])])
            if marker not in words or process.pid == psutil.Process().pid:
                continue
            try:
                size = process.memory_full_info().pss / 1e6
            except psutil.Error:
                continue
            peaks[process.pid] = max(peaks.get(process.pid, 0.0), size)


if __name__ == "__main__":
    main()
