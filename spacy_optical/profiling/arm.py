"""What was sampled of one pipeline, before anything is summed up."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .environment import Environment
from .schema import MEGABYTE
from .workload import Target, Workload

NANOSECONDS = 1e9


@dataclass
class StartSample:
    """One fresh process: seconds and, for each phase, what `read_memory` gave after it."""

    import_seconds: float
    load_seconds: float
    first_seconds: float
    first_pass_words_per_second: float
    text_seconds: float
    batch_text_seconds: dict[int, float]
    memory: dict[str, dict[str, int | None]]
    shared: dict[str, int] | None = None

    def peak_mb(self, phase: str) -> float:
        """The most memory of one phase, MB."""
        return (self.memory[phase]["peak"] or 0) / MEGABYTE

    @property
    def highest_mb(self) -> float:
        """The most memory of all phases, MB."""
        return max(self.peak_mb(phase) for phase in self.memory)

    def last_mb(self, kind: str) -> float | None:
        """Memory after the last phase, MB, if the system told."""
        value = list(self.memory.values())[-1][kind]
        return None if value is None else value / MEGABYTE


@dataclass
class SingleRound:
    """Calls of one text each.

    places (NDArray[int64]): The texts.
    milliseconds (NDArray[float64]): What each took, waiting for a CPU subtracted.
    wall_milliseconds (NDArray[float64]): The same with the waiting.
    waiting_share (float): Waiting as a share of the round.
    """

    places: NDArray[np.int64]
    milliseconds: NDArray[np.float64]
    wall_milliseconds: NDArray[np.float64]
    waiting_share: float

    @classmethod
    def of(cls, answer: dict[str, Any]) -> "SingleRound":
        """Read what a measured process answered."""
        rows = np.asarray(answer["calls"], dtype=np.int64).reshape(-1, 3)
        own = (rows[:, 1] - rows[:, 2]) / 1e6
        return cls(rows[:, 0], own, rows[:, 1] / 1e6, answer["waiting_share"])


@dataclass
class BatchRound:
    """A block of texts, streamed one or more times.

    words_per_second (float): Speed, waiting for a CPU subtracted.
    wall_words_per_second (float): The same with the waiting.
    waiting_share (float): Waiting as a share of the round.
    """

    words_per_second: float
    wall_words_per_second: float
    waiting_share: float

    @classmethod
    def of(cls, answer: dict[str, Any], words: int) -> "BatchRound":
        """Read what a measured process answered; `words` are those of the block."""
        passed, waited = answer["passed"], answer["waited"]
        work = words * answer["times"] * NANOSECONDS
        return cls(work / (passed - waited), work / passed, waited / passed)


@dataclass
class Arm:
    """One pipeline and its samples.

    target (Target): Which pipeline.
    environment (str): What its processes see.
    loaded (Dict[str, Any]): What a process told after loading it.
    counts (Dict[str, NDArray]): For each language [sentences, labels, 3].
    pieces (Dict[str, Dict[str, int]]): For each language what `count_pieces` gave.
    """

    target: Target
    environment: Environment
    loaded: dict[str, Any]
    counts: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    pieces: dict[str, dict[str, int]] = field(default_factory=dict)
    starts: list[StartSample] = field(default_factory=list)
    singles: list[SingleRound] = field(default_factory=list)
    batches: dict[int, list[BatchRound]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The display name."""
        return self.target.name

    def above_floor(self, floors: Sequence[float]) -> list[float]:
        """Peak MB of each start above the middle of the processes that only imported."""
        floor = float(np.median(floors))
        return [start.highest_mb - floor for start in self.starts]

    def counts_of_all_labels(self) -> dict[str, NDArray[np.float64]]:
        """For each language [sentences, 3]."""
        return {language: counts.sum(axis=1) for language, counts in self.counts.items()}


def block_sizes(
    arms: Sequence[Arm], workload: Workload, batch_sizes: Sequence[int], seconds: float
) -> tuple[int, dict[int, int]]:
    """Choose how many texts the slowest pipeline gets through in one round; all get the same.

    arms (Sequence[Arm]): The pipelines, each with a start.
    workload (Workload): The texts.
    batch_sizes (Sequence[int]): The batch sizes.
    seconds (float): Seconds of a round.
    RETURNS (Tuple[int, Dict[int, int]]): Texts of a block one by one, and for each batch size,
        where a block is one batch at least.
    """
    slowest = max(arm.starts[-1].text_seconds for arm in arms)
    single = min(max(int(seconds / slowest), LEAST_TEXTS), len(workload.texts))
    batched = {}
    for size in batch_sizes:
        slowest = max(arm.starts[-1].batch_text_seconds[size] for arm in arms)
        whole_batches = int(min(seconds / slowest, len(workload.texts))) // size
        batched[size] = max(whole_batches, 1) * size
    return single, batched


# A round of fewer calls has no percentiles to speak of.
LEAST_TEXTS = 8
