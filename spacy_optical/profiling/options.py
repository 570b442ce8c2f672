"""The settings of a run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import Errors, OpticalError
from .limit import MemoryLimit, can_limit
from .schema import MEGABYTE, Budget, LimitKind

MAX_SEED = 2**32 - 1  # of PYTHONHASHSEED


@dataclass(frozen=True)
class Options:
    """The settings of a run, for all pipelines.

    threads (int): Threads of the numeric libraries and of `optical_ner`.
    batch_sizes (Tuple[int, ...]): Batch sizes of `nlp.pipe`.
    seconds (float): Seconds to measure each pipeline one by one, and again for each batch size.
    rounds (int): Number of rounds to divide these seconds into.
    starts (int): Number of fresh processes per pipeline, for start times and memory.
    seed (int): Seed for the order of the texts, string hashes and resampling.
    baseline (Optional[str]): The name of the pipeline that the others are compared with.
    labels (Optional[Tuple[str, ...]]): The labels to evaluate. Defaults to all labels in the gold.
    label_map (Mapping[str, str]): Gold labels by labels of the pipelines.
    source_language (str): The language of the training labels. Macro F1 leaves it out.
    code (Optional[Path]): A Python file that registers components.
    processes (int): Number of `nlp.pipe` processes to measure the combined memory of. 1 is off.
    memory_limit_mb (Optional[float]): The memory limit of each measured process, MB.
    memory_group (Optional[Path]): A control group, to limit resident memory.
    budget (Optional[Budget]): Maximum costs. The report marks the pipelines within them.
    RAISES (OpticalError): If a value is out of range or cannot be used.
    """

    threads: int = 1
    batch_sizes: tuple[int, ...] = (64,)
    seconds: float = 10.0
    rounds: int = 6
    starts: int = 3
    seed: int = 0
    baseline: str | None = None
    labels: tuple[str, ...] | None = None
    label_map: Mapping[str, str] = field(default_factory=dict)
    source_language: str = "en"
    code: Path | None = None
    processes: int = 1
    memory_limit_mb: float | None = None
    memory_group: Path | None = None
    budget: Budget | None = None

    def __post_init__(self) -> None:
        counts = [(name, getattr(self, name)) for name in ("threads", "rounds", "starts")]
        counts += [("processes", self.processes), *(("batch size", n) for n in self.batch_sizes)]
        memory = self.memory_limit_mb
        checks = [
            *((name, value, value >= 1, "1 or more") for name, value in counts),
            ("batch sizes", "()", bool(self.batch_sizes), "one or more"),
            ("seconds", self.seconds, self.seconds > 0, "above 0"),
            ("memory limit", memory, memory is None or memory > 0, "above 0"),
            ("seed", self.seed, 0 <= self.seed <= MAX_SEED, f"0 to {MAX_SEED}"),
        ]
        for name, value, is_valid, expected in checks:
            if not is_valid:
                raise OpticalError(Errors.E114.format(name=name, value=value, expected=expected))
        if self.code is not None and not Path(self.code).is_file():
            raise OpticalError(Errors.E002.format(what="Python file", path=self.code))
        if self.memory_group is not None and self.memory_limit_mb is None:
            raise OpticalError(Errors.E622)
        if self.memory_limit_mb is not None and not can_limit():
            raise OpticalError(Errors.E619)
        if (limit := self.new_limit()) is not None:
            limit.close()

    def new_limit(self) -> MemoryLimit | None:
        """Create the memory limit of one measured process."""
        if self.memory_limit_mb is None:
            return None
        try:
            return MemoryLimit.new(int(self.memory_limit_mb * MEGABYTE), self.memory_group)
        except OSError as err:
            message = Errors.E620.format(path=self.memory_group, reason=err.strerror or err)
            raise OpticalError(message) from err

    @property
    def limit_kind(self) -> LimitKind | None:
        """The kind of the memory limit, or None."""
        if self.memory_limit_mb is None:
            return None
        return "address space" if self.memory_group is None else "resident memory"
