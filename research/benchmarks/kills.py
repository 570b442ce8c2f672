"""Kill a run of `annotate` at random times and compare its rows with those of a complete run.

    python -m research.benchmarks.kills [--kills 10] [--texts 4000] [--n-process 2] [--seed 0]

Each process is killed with SIGKILL between its first and its last part, and the next one continues.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from spacy_optical import annotate

PARTS = 80


def main() -> int:
    """Kill, continue, compare and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--texts", type=int, default=4_000)
    parser.add_argument("--n-process", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    part_size = max(arguments.texts // PARTS, 1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        texts = [f"Amina Juma {i} anaishi Nairobi." for i in range(arguments.texts)]
        source = folder / "texts.parquet"
        pq.write_table(pa.table({"id": range(len(texts)), "text": texts}), source)
        annotate(source, folder / "whole", part_size=part_size)
        total = len(list((folder / "whole").glob("part-*")))
        command = [sys.executable, "-m", "spacy", "optical", "annotate", str(source)]
        command += [str(folder / "out"), "--part-size", str(part_size), "--resume"]
        command += ["--n-process", str(arguments.n_process)]
        done = kills = 0
        while kills < arguments.kills and done < total:
            process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
            # A random part within the share of this kill.
            wanted = done + rng.uniform(0, (total - done) / (arguments.kills - kills))
            while process.poll() is None and done < wanted:
                time.sleep(rng.uniform(0, 0.05))
                done = len(list((folder / "out").glob("part-*")))
            if process.poll() is None:
                os.kill(process.pid, signal.SIGKILL)
                kills += 1
                left = len(list((folder / "out").glob(".part-*")))
                print(f"kill {kills}: {done} of {total} parts, {left} unfinished", flush=True)
            process.wait()
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        whole, out = (pq.read_table(folder / one) for one in ("whole", "out"))
        print(f"{whole.num_rows} rows without kills, {out.num_rows} after {kills}: ", end="")
        print("equal" if whole.equals(out) else "DIFFERENT")
        return int(not whole.equals(out))


if __name__ == "__main__":
    sys.exit(main())
