"""The metrics file: its fields, units and version, checked on reading and on writing.

Megabytes are 10^6 bytes; shares and F1 are fractions of 1; times say their unit in the name.
`docs/metrics.md` describes every field for readers of the file.
"""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from ..scores import parse_counts

MEGABYTE = 1e6
SIMD = ("avx2", "avx512", "avx_vnni", "amx", "asimd", "sve", "i8mm", "bf16")
LimitKind = Literal["address space", "resident memory"]


class Record(BaseModel):
    """A part of the file; a field that the schema does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Estimate(Record):
    """A figure with its 95 % interval.

    value, low, high (float): The figure and the ends of its interval.
    samples (List[float]): The values that `value` sums up, one a round or one a process; empty
        for F1, whose samples are sentences.
    """

    value: float
    low: float
    high: float
    samples: list[float] = []

    @classmethod
    def certain(cls, value: float) -> "Estimate":
        """An estimate of one sample, whose interval is a point."""
        return cls(value=value, low=value, high=value, samples=[value])

    @property
    def half_width(self) -> float:
        """Half of the interval, as a share of the figure."""
        return (self.high - self.low) / 2 / abs(self.value) if self.value else 0.0


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
        """The CPU flags that decide how fast matrices are multiplied."""
        return [flag for flag in self.flags if flag.startswith(SIMD)]


class GoldFile(Record):
    """A gold file by its hash."""

    file: str
    sha256: str
    docs: int
    words: int
    entities: int


class Budget(Record):
    """The most that a pipeline may cost; None for no limit."""

    max_p50_ms: float | None = None
    max_rss_mb: float | None = None
    max_above_floor_mb: float | None = None
    max_disk_mb: float | None = None


class Settings(Record):
    """What was asked for."""

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
    """From nothing to the first result, in a fresh process whose files the system has cached."""

    import_seconds: Estimate
    load_seconds: Estimate
    first_call_ms: Estimate
    total_seconds: Estimate


class LengthLatency(Record):
    """Latency of the texts of some lengths."""

    words_from: int
    words_to: int | None
    texts: int
    p50_ms: Estimate


class Latency(Record):
    """One text through `nlp(text)`."""

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
    """Many texts through `nlp.pipe`."""

    batch_size: int
    words_per_second: Estimate
    wall_words_per_second: float
    waiting_share: float


class SharedMemory(Record):
    """The combined peak of several processes; PSS counts shared pages once, RSS for each."""

    processes: int
    pss_mb: float
    rss_mb: float


class Memory(Record):
    """Memory of a fresh process; `phases_mb` holds the peak of each phase."""

    peak_rss_mb: Estimate
    above_floor_mb: Estimate
    steady_rss_mb: Estimate
    pss_mb: Estimate | None
    phases_mb: dict[str, Estimate]
    shared: SharedMemory | None = None


class Disk(Record):
    """Files of the pipeline, and one hash over their names and contents."""

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
    """Entities found in the gold of one language; `counts` is empty before version 3."""

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
    """How the tokenizer cuts the words of one language."""

    words: int
    pieces_per_word: float
    unknown_share: float


class Ratios(Record):
    """Compared with the baseline, where above 1 is better; `f1` is the share of its macro F1."""

    p50: Estimate | None = None
    words_per_second: dict[int, Estimate] = {}
    peak_rss: Estimate | None = None
    above_floor: Estimate | None = None
    disk: float | None = None
    f1: Estimate | None = None


class Profile(Record):
    """Everything about one pipeline; None where the run was stopped before."""

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


class NotRun(Record):
    """A pipeline that runs, but not within the memory limit."""

    name: str
    reason: str


class ExtraRow(Record):
    """F1 of a model that was not measured, such as an ablation."""

    name: str
    f1: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(min_length=1)


class Floor(Record):
    """A process that only imports spaCy, ONNX Runtime and tokenizers, in a base install."""

    import_seconds: Estimate
    peak_rss_mb: Estimate


def macro_languages(languages: Iterable[str], source_language: str) -> list[str]:
    """Give the languages that macro F1 is the mean of: all but the source language."""
    known = list(languages)
    return [code for code in known if code != source_language] or known


class ProfileReport(Record):
    """The whole file."""

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
        """Older versions lack optional fields; version 2 may hold a study, for `research` alone."""
        if isinstance(value, dict) and value.get("version") in (1, 2):
            dropped = {"study", "gains"} - cls.model_fields.keys()
            return {key: value[key] for key in value if key not in dropped} | {"version": 3}
        return value

    @property
    def languages(self) -> list[str]:
        """The languages with gold, in the order given."""
        return list(self.settings.gold)

    @property
    def macro_languages(self) -> list[str]:
        """The languages that macro F1 is the mean of."""
        known = self.languages or list(dict.fromkeys(c for row in self.extra for c in row.f1))
        return macro_languages(known, self.settings.source_language)
