"""Measure the speed and memory of the training of a student.

    python -m research.benchmarks.training_speed [--config FILE.cfg] [--steps 40]

Runs the steps of the training loop in fp32 and, if the processor supports it, in bf16, each in a
separate process. Student, objective and batch size come from the config. There is one English
sentence for each pair. Pairs, plans, outputs of the teacher and weights of the student are random,
because the time of a step does not depend on their values. The times are wall-clock times, so the
machine should be idle.
"""

import argparse
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForTokenClassification, BertConfig

from spacy_optical.distill.config import DistillConfig, Precision, load_config
from spacy_optical.distill.loop import Losses, train
from spacy_optical.distill.plan_reader import English
from spacy_optical.distill.plan_store import (
    ArrayStore,
    bytes_of,
    chunk_path,
    sparse,
    write_chunk,
)
from spacy_optical.distill.sentences import Sentence, plain_sentence
from spacy_optical.distill.student import NeuronOutputs, make_student
from spacy_optical.distill.tagger import WordTagger, multiplies_in_bf16
from spacy_optical.distill.training_batches import StepMaker, StudentTask
from spacy_optical.encoders.vocabulary_trimming import Vocabulary
from spacy_optical.profiling.memory import read_memory, reset_peak
from spacy_optical.runtime.decode import bio_tags
from spacy_optical.runtime.pieces import WordPieces
from tests.util import trained_toy_tokenizer

from .alignment_speed import words_of

WORDS = (5, 35)  # minimum and maximum length of a sentence
TAGS = bio_tags(("LOC", "ORG", "PER"))
WARMUP = 3  # steps before the measurement


class Timed(StudentTask):
    """The task of a student for a number of steps, with their start times."""

    steps = 0

    def batches(self, rng: np.random.Generator) -> list[StepMaker]:
        """Get the first batches of an epoch."""
        self.began: list[float] = []
        return super().batches(rng)[: self.steps]

    def losses(self, tagger: WordTagger, batch: StepMaker) -> Losses:
        """Record the time and compute the losses."""
        self.began.append(time.perf_counter())
        return super().losses(tagger, batch)


def drawn_plans(folder: Path, pairs: int, width: int) -> ArrayStore:
    """Write plans with random arrays for generated sentences, and open them."""
    rng = np.random.default_rng(0)
    known = np.array(words_of(rng, 5000))
    rows = []
    for _ in range(pairs):
        words = known[rng.integers(0, len(known), size=rng.integers(*WORDS))]
        arrays = {
            "plan": sparse(np.eye(len(words)) / len(words)),
            "weight": np.ones(1),
            "trust": rng.random(len(words)),
            "logits": rng.normal(size=(len(words), len(TAGS))),
            "last": rng.normal(size=(len(words), width)),
            "source": rng.normal(size=(len(words), width)),
            "projected": rng.dirichlet(np.ones(len(TAGS)), size=len(words)),
        }
        row = {name: array.astype(np.float16) for name, array in arrays.items()}
        rows.append(row | {"target-words": bytes_of(words)})
    write_chunk(chunk_path(folder, "sw", 0), rows)
    return ArrayStore(folder, "sw")


def drawn_student(config: DistillConfig) -> WordTagger:
    """Make the student of the config from a random teacher with the shape of the encoder."""
    labels = dict(enumerate(TAGS))
    shape = BertConfig(
        vocab_size=config.student.vocabulary,
        hidden_size=384,
        num_hidden_layers=12,
        num_attention_heads=12,
        intermediate_size=1536,
        id2label=labels,
        label2id={tag: number for number, tag in labels.items()},
    )
    big = WordTagger(AutoModelForTokenClassification.from_config(shape))
    size = shape.intermediate_size
    outputs = [NeuronOutputs(torch.zeros(size), torch.ones(size))] * shape.num_hidden_layers
    vocabulary = Vocabulary(b"", np.arange(shape.vocab_size))
    return make_student(big, config.student, vocabulary, outputs)


def measured(path: Path, precision: Precision, steps: int) -> str:
    """Train the student for a number of steps, and return a row of the table."""
    values: dict[str, Any] = {"training.precision": precision, "training.english": 1.0}
    values |= {"training.epochs": 1, "training.freeze_embeddings": True}
    config = load_config(path, values | {"data.languages": ["sw"]})
    size = config.training.batch_size
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # Sentences that are too long for the window are left out.
        of_language = drawn_plans(folder, 2 * size * (steps + WARMUP), 384)
        texts = list(of_language.words("target-words"))
        tokenizer = trained_toy_tokenizer(
            [" ".join(text) for text in texts], size=min(4000, config.student.vocabulary)
        )
        pieces = WordPieces(tokenizer)
        plain = [plain_sentence(text, pieces) for text in texts]
        rng = np.random.default_rng(1)
        tags = [tuple(rng.integers(0, len(TAGS), size=len(one.words)).tolist()) for one in plain]
        tagged = [Sentence(s.words, s.pieces, t) for s, t in zip(plain, tags, strict=True)]
        student = drawn_student(config)
        student.freeze_embeddings()
        task = Timed(config, English(tagged, of_language), {"sw": of_language}, pieces)
        task.steps = steps + WARMUP
        reset_peak()
        train(
            student,
            task,
            config.training,
            seed=0,
            fingerprint="",
            folder=folder,
            evaluate=lambda model: 0.0,
        )
        peak = read_memory()["peak"] or 0
        taken = task.began[-1] - task.began[WARMUP]
        rate = size * (len(task.began) - 1 - WARMUP) / taken
        layers, length = len(config.student.layers), np.mean([len(one) for one in plain])
        setting = f"{layers}×384, {length:.0f} pieces a sentence, {torch.get_num_threads()} threads"
        return f"| {precision} | {rate:.1f} | {peak / 1e6:.0f} | {setting} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--config",
        type=Path,
        default=Path("research/configs/experiments.cfg"),
        help="config with the student",
    )
    parser.add_argument("--steps", type=int, default=40, help="number of steps")
    arguments = parser.parse_args()
    print("| precision | pairs/s, both sides | peak memory, MB | student |\n|---|---|---|---|")
    precisions = ["fp32", "bf16"] if multiplies_in_bf16(torch.device("cpu")) else ["fp32"]
    for precision in precisions:
        with ProcessPoolExecutor(1, get_context("spawn")) as alone:
            row = alone.submit(measured, arguments.config, precision, arguments.steps)
            print(row.result(), flush=True)


if __name__ == "__main__":
    main()
