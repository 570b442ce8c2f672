"""The schema of the metrics file. `docs/metrics.md` describes every field.

A megabyte is 10^6 bytes. Shares and F1 are fractions of 1. Names of times end with their unit.
"""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from ..scores import parse_counts

MEGABYTE = 1e6
SIMD = (
    "avx2",
    "avx512f",
    "avx512_bf16",
    "avx512_vnni",
    "avx_vnni",
    "amx",
    "asimd",
    "sve",
    "i8mm",
    "bf16",
)
LimitKind = Literal["address space", "resident memory"]


class Record(BaseModel):
    """A part of the file. Unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Estimate(Record):
    """A figure with its 95 % interval.

    value, low, high (float): The figure and the ends of its interval.
    samples (List[float]): One value for each round or process. Empty for F1.
    """

    value: float
    low: float
    high: float
    samples: list[float] = []

    @classmethod
    def certain(cls, value: float) -> "Estimate":
        """Make an estimate of one sample, whose interval is a point."""
        return cls(value=value, low=value, high=value, samples=[value])


class Machine(Record):
    """The machine, and how busy it was."""

    cpu: str
    architecture: str
    flags: list[str]
    logical_cpus: int
    memory_mb: float | None
    governor: str | None
    system: str
    python: str
    versions: dict[str, str]
    load_before: float | None
    load_after: float | None
    steal: float | None
    missing: list[str]

    @property
    def simd_flags(self) -> list[str]:
        """The CPU flags that affect the speed of matrix products."""
        return [flag for flag in self.flags if flag.startswith(SIMD)]


class GoldFile(Record):
    """A gold file, its hash and size."""

    file: str
    sha256: str
    docs: int
    words: int
    entities: int


class Budget(Record):
    """The maximum costs of a pipeline. None is no limit."""

    max_p50_ms: float | None = None
    max_rss_mb: float | None = None
    max_above_floor_mb: float | None = None
    max_disk_mb: float | None = None


class Settings(Record):
    """The settings of the run."""

    threads: int
    batch_sizes: list[int]
    seconds: float
    rounds: int
    starts: int
    seed: int
    texts: int
    words: int
    texts_sha256: str
    labels: list[str]
    label_map: dict[str, str]
    source_language: str
    baseline: str | None
    gold: dict[str, GoldFile]
    processes: int = 1
    memory_limit_mb: float | None = None
    memory_limit_kind: LimitKind | None = None
    budget: Budget | None = None


class Start(Record):
    """From the start of a fresh process to the first result, with the files in the disk cache."""

    import_seconds: Estimate
    load_seconds: Estimate
    first_call_ms: Estimate
    total_seconds: Estimate


class LengthLatency(Record):
    """Latency of texts with `words_from` to `words_to` words."""

    words_from: int
    words_to: int | None
    texts: int
    p50_ms: Estimate


class Latency(Record):
    """Latency of `nlp(text)`."""

    p50_ms: Estimate
    p90_ms: Estimate
    p95_ms: Estimate
    p99_ms: Estimate
    calls: int
    first_pass_words_per_second: float
    wall_p50_ms: float
    waiting_share: float
    by_length: list[LengthLatency]


class Throughput(Record):
    """Speed of `nlp.pipe`."""

    batch_size: int
    words_per_second: Estimate
    wall_words_per_second: float
    waiting_share: float


class SharedMemory(Record):
    """Peak memory of several processes together. PSS counts a shared page once, RSS each time."""

    processes: int
    pss_mb: float
    rss_mb: float


class Memory(Record):
    """Memory of a fresh process. `phases_mb` has the peak of each phase."""

    peak_rss_mb: Estimate
    above_floor_mb: Estimate
    steady_rss_mb: Estimate
    pss_mb: Estimate | None
    phases_mb: dict[str, Estimate]
    shared: SharedMemory | None = None


class Disk(Record):
    """The files of the pipeline and a hash of their names and contents."""

    mb: float
    files: dict[str, int]
    sha256: str


class TypeAccuracy(Record):
    """Precision, recall and F1 of one label."""

    precision: float
    recall: float
    f1: float
    entities: int


class Accuracy(Record):
    """Scores on the gold of one language. `counts` is empty in files before version 3."""

    precision: Estimate
    recall: Estimate
    f1: Estimate
    entities: int
    by_type: dict[str, TypeAccuracy]
    counts: str = ""

    @property
    def rows(self) -> NDArray[np.float64]:
        """The counts as an array [documents, 3]."""
        return parse_counts(self.counts)


class Pieces(Record):
    """How the tokenizer splits the words of one language into pieces."""

    words: int
    pieces_per_word: float
    unknown_share: float


class Ratios(Record):
    """Ratios to the baseline. Above 1 is better. `f1` is the ratio of the macro F1."""

    p50: Estimate | None = None
    words_per_second: dict[int, Estimate] = {}
    peak_rss: Estimate | None = None
    above_floor: Estimate | None = None
    disk: float | None = None
    f1: Estimate | None = None


class Profile(Record):
    """The figures of one pipeline. None for what an interrupted run did not measure."""

    name: str
    target: str
    kind: Literal["pipeline", "bundle"]
    environment: Literal["base", "full"]
    components: list[str]
    labels: list[str]
    disk: Disk | None
    accuracy: dict[str, Accuracy] = {}
    macro_f1: Estimate | None = None
    pieces: dict[str, Pieces] = {}
    start: Start | None = None
    memory: Memory | None = None
    latency: Latency | None = None
    throughput: list[Throughput] = []
    ratios: Ratios | None = None

    @property
    def costs(self) -> dict[str, Estimate]:
        """The measured costs, by their names in `Ratios`."""
        costs = {}
        if self.latency is not None:
            costs["p50"] = self.latency.p50_ms
        if self.memory is not None:
            costs["peak_rss"] = self.memory.peak_rss_mb
            costs["above_floor"] = self.memory.above_floor_mb
        if self.disk is not None and self.disk.mb:
            costs["disk"] = Estimate.certain(self.disk.mb)
        return costs

    @property
    def speeds(self) -> dict[int, Estimate]:
        """Words per second by batch size."""
        return {one.batch_size: one.words_per_second for one in self.throughput}


class NotRun(Record):
    """A pipeline that runs only without the memory limit."""

    name: str
    reason: str


class ExtraRow(Record):
    """F1 of a model that was not profiled, such as an ablation."""

    name: str
    f1: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(min_length=1)


class Floor(Record):
    """A process in a base install that only imports spaCy, ONNX Runtime and tokenizers."""

    import_seconds: Estimate
    peak_rss_mb: Estimate


def macro_languages(languages: Iterable[str], source_language: str) -> list[str]:
    """Return the languages of macro F1: all except the source language."""
    known = list(languages)
    return [code for code in known if code != source_language] or known


class ProfileReport(Record):
    """The metrics file."""

    format: Literal["spacy_optical.profile"] = "spacy_optical.profile"
    version: Literal[3] = 3
    created: str
    complete: bool
    machine: Machine
    settings: Settings
    floor: Floor | None
    profiles: list[Profile]
    extra: list[ExtraRow] = []
    not_run: list[NotRun] = []
    warnings: list[str] = []

    @model_validator(mode="before")
    @classmethod
    def _upgrade(cls, value: Any) -> Any:
        """Read older versions. The study of a version 2 file is only for `research`."""
        if isinstance(value, dict) and value.get("version") in (1, 2):
            dropped = {"study", "gains"} - cls.model_fields.keys()
            return {key: value[key] for key in value if key not in dropped} | {"version": 3}
        return value

    @property
    def languages(self) -> list[str]:
        """The languages with gold data."""
        return list(self.settings.gold)

    @property
    def macro_languages(self) -> list[str]:
        """The languages of macro F1."""
        known = self.languages or list(dict.fromkeys(c for row in self.extra for c in row.f1))
        return macro_languages(known, self.settings.source_language)
