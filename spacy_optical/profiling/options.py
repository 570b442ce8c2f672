"""How to measure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import Errors, OpticalError
from .limit import MemoryLimit, can_limit
from .schema import MEGABYTE, Budget, LimitKind


@dataclass(frozen=True)
class Options:
    """How to measure; the same for all pipelines of a run.

    threads (int): Threads of the numeric libraries and of `optical_ner`.
    batch_sizes (Tuple[int, ...]): Batch sizes of `nlp.pipe`.
    seconds (float): Timed seconds of a pipeline one by one, and again for each batch size.
    rounds (int): Rounds that these seconds are divided into; the pipelines take turns.
    starts (int): Fresh processes of each pipeline for start times and memory.
    seed (int): Seed of the texts' order, of string hashes and of resampling.
    baseline (Optional[str]): The display name of the pipeline that others are compared with.
    labels (Optional[Tuple[str, ...]]): The gold labels to judge; all that the gold has by default.
        Entities of other labels count neither way.
    label_map (Mapping[str, str]): The gold label that a label of a pipeline stands for.
    source_language (str): The language that the models learned from, left out of macro F1.
    code (Optional[Path]): A Python file that registers components.
    processes (int): Processes of `nlp.pipe` whose common memory is told too; 1 for none.
    memory_limit_mb (Optional[float]): The most memory of each measured process, MB.
    memory_group (Optional[Path]): A control group of the system in which one for each process is
        made, to limit resident memory; without one the address space is limited.
    budget (Optional[Budget]): What a pipeline may cost; the report marks what fits.
    RAISES (OpticalError): If a number is out of range.
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
        numbers = {
            "threads": self.threads,
            "rounds": self.rounds,
            "starts": self.starts,
            "processes": self.processes,
        }
        for name, value in numbers.items():
            if value < 1:
                raise OpticalError(Errors.E614.format(name=name, value=value, expected="1 or more"))
        for size in self.batch_sizes:
            if size < 1:
                message = Errors.E614.format(name="batch size", value=size, expected="1 or more")
                raise OpticalError(message)
        if self.seconds <= 0:
            message = Errors.E614.format(name="seconds", value=self.seconds, expected="above 0")
            raise OpticalError(message)
        if self.code is not None and not Path(self.code).is_file():
            raise OpticalError(Errors.E002.format(what="Python file", path=self.code))
        self._check_limit()

    def _check_limit(self) -> None:
        if self.memory_limit_mb is None:
            if self.memory_group is not None:
                raise OpticalError(Errors.E622)
            return
        if self.memory_limit_mb <= 0:
            message = Errors.E614.format(
                name="memory limit", value=self.memory_limit_mb, expected="above 0"
            )
            raise OpticalError(message)
        if not can_limit():
            raise OpticalError(Errors.E619)
        limit = self.new_limit()
        if limit is not None:
            limit.close()

    def new_limit(self) -> MemoryLimit | None:
        """Make the limit of one measured process.

        RETURNS (Optional[MemoryLimit]): The limit, if there is to be one.
        RAISES (OpticalError): If the control group does not allow it.
        """
        if self.memory_limit_mb is None:
            return None
        try:
            return MemoryLimit.new(int(self.memory_limit_mb * MEGABYTE), self.memory_group)
        except OSError as err:
            message = Errors.E620.format(path=self.memory_group, reason=err.strerror or err)
            raise OpticalError(message) from err

    @property
    def limit_kind(self) -> LimitKind | None:
        """What is limited, if anything is."""
        if self.memory_limit_mb is None:
            return None
        return "address space" if self.memory_group is None else "resident memory"
