"""Measure the speed of alignment, and the memory of plans by the number of pairs.

    OMP_NUM_THREADS=1 python -m research.benchmarks.alignment_speed  # pairs per second
    … --pairs 200000  # also the memory for this number of pairs

The second part uses a very small encoder and teacher, because it does not measure time. The memory
of the process is read from /proc.
"""

import argparse
import json
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from spacy_optical.align import AlignConfig, align_words, project_spans
from spacy_optical.profiling.memory import read_memory, reset_peak

WORDS = 25
WIDTH = 384
SYLLABLES = [c + v for c in "bdfghjklmnprstvwz" for v in ("a", "e", "i", "o", "u", "aa", "en")]


def words_of(rng: np.random.Generator, count: int) -> list[str]:
    """Generate words of one to four syllables, every third with a capital letter."""
    lengths = rng.integers(1, 5, size=count)
    words = ["".join(rng.choice(SYLLABLES, size=n)) for n in lengths]
    return [word.capitalize() if i % 3 == 0 else word for i, word in enumerate(words)]


def aligned_pairs(rng: np.random.Generator, count: int) -> list[tuple]:
    """Generate pairs of sentences: changed words in another order, with noisy vectors."""
    pairs = []
    for _ in range(count):
        order = np.argsort(np.arange(WORDS) + rng.normal(scale=3, size=WORDS))
        source = rng.normal(size=(WORDS, WIDTH)).astype(np.float32)
        target = source[order] + rng.normal(size=(WORDS, WIDTH)).astype(np.float32)
        words = words_of(rng, WORDS)
        other = [words[i][:-1] + "i" for i in order]
        pairs.append((source, target, words, other))
    return pairs


def speed(pairs: int = 500, rounds: int = 7) -> None:
    """Print pairs per second of processor time, for cost, plan and projection of three spans."""
    config = AlignConfig()
    spans = [(0, 2, "PER"), (8, 9, "LOC"), (15, 18, "ORG")]
    drawn = aligned_pairs(np.random.default_rng(0), pairs)
    rates = []
    for _ in range(rounds):
        start = time.process_time()
        for source, target, words, other in drawn:
            project_spans(align_words(source, target, words, other, config), spans, config)
        rates.append(pairs / (time.process_time() - start))
    low, middle, high = np.quantile(rates, [0, 0.5, 1])
    print(f"{WORDS} words, {config.solver}: {middle:.0f} pairs/s (rounds: {low:.0f} to {high:.0f})")


def write_bitext(path: Path, pairs: int) -> None:
    """Write pairs of 4 to 8 words out of 20,000, with different frequencies."""
    rng = np.random.default_rng(0)
    sides = [np.array(words_of(rng, 20_000)) for _ in range(2)]
    with path.open("w", encoding="utf8") as file:
        for number in range(pairs):
            drawn = (20_000 * rng.random(rng.integers(4, 9)) ** 3).astype(int)
            source, target = (" ".join(words[drawn]) + "." for words in sides)
            file.write(json.dumps({"id": str(number), "en": source, "sw": target}) + "\n")


def memory(pairs: int) -> None:
    """Print a table of memory by the number of pairs while plans are made."""
    from spacy_optical.distill.config import load_config
    from spacy_optical.distill.make_plans import make_plans
    from spacy_optical.distill.teacher import teach
    from tests.toy_project import toy_project

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        overrides: dict[str, Any] = {"teacher.epochs": 1, "data.languages": ["sw"]}
        # Keep all pairs, although generated sentences are not translations.
        overrides |= {"plans.align.skip_below": 0.0, "plans.align.full_weight_above": 0.0}
        config = load_config(toy_project(folder), overrides)
        teach(config, folder / "teacher")
        write_bitext(folder / "corpus" / "bitext" / "sw.jsonl", pairs)
        step, start = max(1000, pairs // 10 // 1000 * 1000), time.perf_counter()
        print("| pairs | resident, MB | peak, MB | seconds |\n|---|---|---|---|", flush=True)

        def row(what: str) -> None:
            now = read_memory()
            cells = " | ".join(f"{(now[key] or 0) / 1e6:.0f}" for key in ("rss", "peak"))
            print(f"| {what} | {cells} | {time.perf_counter() - start:.0f} |", flush=True)

        def say(text: str) -> None:
            parts = text.split()
            if text.endswith("pairs read") and (int(parts[1]) % step == 0 or parts[1] == "1000"):
                row(f"{int(parts[1]):,}")

        reset_peak()
        row("0")
        record = make_plans(config, folder / "teacher", say=say)
        row(f"{pairs:,}, all written")
        files = (folder / "plans").iterdir()
        size = sum(path.stat().st_size for path in files) / 1e6
        print(f"\n{record['languages']['sw']}; {size:.0f} MB on disk\n")


def reading(pairs: int) -> None:
    """Print a table of memory while plans are opened and batches of them are read.

    The arrays have the width of a real teacher and are zero. Private memory is separate from mapped
    files, which the system can free.
    """
    from spacy_optical.distill.config import load_config
    from spacy_optical.distill.plan_reader import English
    from spacy_optical.distill.plan_store import (
        ArrayStore,
        bytes_of,
        chunk_path,
        sparse,
        write_chunk,
    )
    from spacy_optical.distill.plan_writer import CHUNK
    from spacy_optical.distill.sentences import plain_sentence
    from spacy_optical.distill.training_batches import StudentTask
    from spacy_optical.runtime.pieces import WordPieces
    from tests.toy_project import toy_project

    rng = np.random.default_rng(0)
    known = np.array(words_of(rng, 20_000))
    widths = {"logits": (9,), "projected": (9,), "last": (WIDTH,), "source": (WIDTH,), "trust": ()}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = load_config(toy_project(folder), {"data.languages": ["sw"]})
        for number in range(-(-pairs // CHUNK)):
            rows = []
            for _ in range(min(CHUNK, pairs - number * CHUNK)):
                words = known[(20_000 * rng.random(rng.integers(4, 9)) ** 3).astype(int)]
                arrays = {key: np.zeros((len(words), *width)) for key, width in widths.items()}
                arrays |= {"plan": sparse(np.eye(len(words)) / len(words)), "weight": np.ones(1)}
                row = {key: array.astype(np.float16) for key, array in arrays.items()}
                rows.append(row | {"target-words": bytes_of(words)})
            write_chunk(chunk_path(folder, "sw", number), rows)
        size = sum(path.stat().st_size for path in folder.glob("sw-*")) / 1e6
        print(f"\n{pairs:,} pairs, {size:.0f} MB on disk\n\n| step | private, MB | mapped, MB |")
        print("|---|---|---|")

        def row(what: str) -> None:
            lines = Path("/proc/self/status").read_text(encoding="utf8").splitlines()
            kilobytes = {line.split(":")[0]: line.split()[1] for line in lines if "kB" in line}
            own, mapped = (int(kilobytes[key]) * 1024 / 1e6 for key in ("RssAnon", "RssFile"))
            print(f"| {what} | {own:.0f} | {mapped:.0f} |", flush=True)

        pieces = WordPieces((folder / "encoder" / "tokenizer.json").read_bytes())
        row("written")
        store = ArrayStore(folder, "sw")
        texts = islice(store.words("target-words"), 50)
        english = English([plain_sentence(words, pieces) for words in texts], store)
        task = StudentTask(config, english, {"sw": store}, pieces)
        row("opened")
        batches = task.batches(rng)
        row("an epoch's batches drawn")
        for batch in batches[:1000]:
            batch.make()
        row("1,000 batches read")


def main() -> None:
    """Measure speed, and memory if `--pairs` is given."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--pairs", type=int, default=0, help="number of pairs for the measurement of memory"
    )
    pairs = parser.parse_args().pairs
    speed()
    if pairs:
        memory(pairs)
        reading(pairs)


if __name__ == "__main__":
    main()
