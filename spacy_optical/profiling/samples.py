"""The raw measurements of one pipeline."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .environment import Environment
from .process import Worker
from .schema import MEGABYTE
from .workload import Target


@dataclass
class SingleRound:
    """Calls with one text each, with their times without and with waiting for a CPU."""

    places: NDArray[np.int64]
    milliseconds: NDArray[np.float64]
    wall_milliseconds: NDArray[np.float64]
    waiting_share: float

    @classmethod
    def of(cls, answer: dict[str, Any]) -> "SingleRound":
        """Convert the answer of a worker."""
        rows = np.asarray(answer["calls"], dtype=np.int64).reshape(-1, 3)
        own = (rows[:, 1] - rows[:, 2]) / 1e6
        return cls(rows[:, 0], own, rows[:, 1] / 1e6, answer["waiting_share"])


@dataclass
class BatchRound:
    """Words per second in batches, without and with waiting for a CPU, and the share of waiting."""

    speed: float
    wall_speed: float
    waiting_share: float


@dataclass
class StartSample:
    """One fresh process.

    phases (Dict[str, Dict[str, Any]]): The answer in each phase, with `memory`. The answers of the
        first three, `import`, `load` and `first call`, also have `seconds`.
    first_pass (SingleRound): The first texts, one by one.
    batch_text_seconds (Dict[int, float]): Seconds for one text, by batch size.
    shared (Optional[Dict[str, int]]): The peak memory of several processes together, bytes.
    """

    phases: dict[str, dict[str, Any]]
    first_pass: SingleRound
    batch_text_seconds: dict[int, float]
    shared: dict[str, int] | None

    @property
    def seconds(self) -> list[float]:
        """Seconds for the import, for loading and for the first call."""
        return [phase["seconds"] for phase in list(self.phases.values())[:3]]

    def peak_mb(self, phase: str) -> float:
        """Peak memory in a phase, MB."""
        return (self.phases[phase]["memory"]["peak"] or 0) / MEGABYTE

    def last_mb(self, kind: str) -> float | None:
        """Memory after the last phase, MB. None if the system does not report it."""
        value = list(self.phases.values())[-1]["memory"][kind]
        return None if value is None else value / MEGABYTE


@dataclass
class Samples:
    """One pipeline and its measurements.

    loaded (Dict[str, Any]): The answer of the first worker to `load`.
    worker (Worker): The process of the current phase of the run.
    counts (Dict[str, ndarray]): For each language [documents, labels, 3].
    pieces (Dict[str, Dict[str, int]]): For each language the result of `count_pieces`.
    """

    target: Target
    environment: Environment
    loaded: dict[str, Any]
    worker: Worker
    counts: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    pieces: dict[str, dict[str, int]] = field(default_factory=dict)
    starts: list[StartSample] = field(default_factory=list)
    singles: list[SingleRound] = field(default_factory=list)
    batches: dict[int, list[BatchRound]] = field(default_factory=dict)
