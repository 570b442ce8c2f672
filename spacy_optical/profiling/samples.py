"""The samples of one pipeline, before they are summarised."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .environment import Environment
from .schema import MEGABYTE
from .workload import Target, Workload

# A round of fewer calls has no useful percentiles.
LEAST_TEXTS = 8


@dataclass
class StartSample:
    """One fresh process.

    phases (Dict[str, Dict[str, Any]]): What it answered in each phase: `memory`, and for the first
        three, which are `import`, `load` and `first call`, `seconds`.
    text_seconds (float): Seconds of a text by itself.
    batch_text_seconds (Dict[int, float]): Seconds of a text in a batch, by batch size.
    """

    phases: dict[str, dict[str, Any]]
    first_pass_words_per_second: float
    text_seconds: float
    batch_text_seconds: dict[int, float]
    shared: dict[str, int] | None = None

    @property
    def seconds(self) -> list[float]:
        """The seconds of import, loading and the first call."""
        return [phase["seconds"] for phase in list(self.phases.values())[:3]]

    def peak_mb(self, phase: str) -> float:
        """The peak memory of one phase, MB."""
        return (self.phases[phase]["memory"]["peak"] or 0) / MEGABYTE

    def last_mb(self, kind: str) -> float | None:
        """The memory after the last phase, MB, if the system reports it."""
        value = list(self.phases.values())[-1]["memory"][kind]
        return None if value is None else value / MEGABYTE


@dataclass
class SingleRound:
    """Calls of one text each: the texts, and their times without and with waiting for a CPU."""

    places: NDArray[np.int64]
    milliseconds: NDArray[np.float64]
    wall_milliseconds: NDArray[np.float64]
    waiting_share: float

    @classmethod
    def of(cls, answer: dict[str, Any]) -> "SingleRound":
        """Read the answer of a measured process."""
        rows = np.asarray(answer["calls"], dtype=np.int64).reshape(-1, 3)
        own = (rows[:, 1] - rows[:, 2]) / 1e6
        return cls(rows[:, 0], own, rows[:, 1] / 1e6, answer["waiting_share"])


@dataclass
class BatchRound:
    """A block of texts, streamed one or more times: words, and nanoseconds with and of waiting."""

    words: int
    passed: int
    waited: int

    @property
    def speed(self) -> float:
        """Words per second, without the time spent waiting for a CPU."""
        return self.words * 1e9 / (self.passed - self.waited)

    @property
    def wall_speed(self) -> float:
        """Words per second."""
        return self.words * 1e9 / self.passed


@dataclass
class Samples:
    """One pipeline and its samples.

    counts (Dict[str, NDArray]): For each language [documents, labels, 3].
    pieces (Dict[str, Dict[str, int]]): For each language the result of `count_pieces`.
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


def block_sizes(
    pipelines: Sequence[Samples], workload: Workload, batch_sizes: Sequence[int], seconds: float
) -> tuple[int, dict[int, int]]:
    """Choose how many texts a round has: as many as the slowest pipeline processes in its time."""
    starts, every = [one.starts[-1] for one in pipelines], len(workload.texts)
    single = min(max(int(seconds / max(s.text_seconds for s in starts)), LEAST_TEXTS), every)
    batched = {}
    for size in batch_sizes:
        slowest = max(start.batch_text_seconds[size] for start in starts)
        batched[size] = max(int(min(seconds / slowest, every)) // size, 1) * size
    return single, batched
