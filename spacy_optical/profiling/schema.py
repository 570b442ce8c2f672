"""The metrics file: its fields, units and version, checked on reading and on writing.

Megabytes are 10^6 bytes; shares and F1 are fractions of 1; times say their unit in the name.
`docs/metrics.md` describes every field for readers of the file.
"""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

MEGABYTE = 1e6
LimitKind = Literal["address space", "resident memory"]


class Record(BaseModel):
    """A part of the file; a field that the schema does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Estimate(Record):
    """A figure with its 95 % interval.

    value (float): The figure.
    low (float): The interval's lower end.
    high (float): The interval's upper end.
    samples (List[float]): The values that `value` sums up, one a round or one a process; empty
        for F1, whose samples are sentences.
    """

    value: float
    low: float
    high: float
    samples: list[float] = []

    @property
    def half_width(self) -> float:
        """Half of the interval, as a share of the figure."""
        return (self.high - self.low) / 2 / abs(self.value) if self.value else 0.0


class Machine(Record):
    """Where it was measured, and how quiet it was."""

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
    def identity(self) -> tuple[str, str, int]:
        """What must agree for two files' times to be comparable."""
        return self.cpu, self.architecture, self.logical_cpus


class GoldFile(Record):
    """A gold file by its hash."""

    file: str
    sha256: str
    docs: int
    words: int
    entities: int


class Budget(Record):
    """The most that a pipeline may cost; None where anything goes.

    max_p50_ms (Optional[float]): Median latency of one text, ms.
    max_rss_mb (Optional[float]): Peak memory of the process, MB.
    max_above_floor_mb (Optional[float]): The same above importing the libraries, MB.
    max_disk_mb (Optional[float]): Size of the files, MB.
    """

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
    """What a process and those that it reads texts with hold together at most.

    In the sum of PSS a page that several share counts once, in the sum of RSS for each of them.
    """

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


def counts_text(rows: Iterable[Iterable[float]]) -> str:
    """Write counts on one line; indented JSON would take a line for each number.

    rows (Iterable[Iterable[float]]): For each document its true positives, false positives and
        false negatives.
    RETURNS (str): `TP,FP,FN` for each document, separated by spaces.
    """
    return " ".join(",".join(f"{count:.0f}" for count in row) for row in rows)


def parse_counts(text: str) -> NDArray[np.float64]:
    """Read what `counts_text` wrote.

    text (str): The text.
    RETURNS (NDArray[float64]): [documents, 3].
    RAISES (ValueError): If it has another form.
    """
    rows = np.array([row.split(",") for row in text.split()], dtype=np.float64)
    if not len(rows):
        return np.zeros((0, 3))
    if rows.ndim != 2 or rows.shape[1] != 3:
        raise ValueError("the counts are not rows of three")
    return rows


class TypeAccuracy(Record):
    """Precision, recall and F1 of one label."""

    precision: float
    recall: float
    f1: float
    entities: int


class Accuracy(Record):
    """Entities found in the gold documents of one language; intervals are over its sentences.

    counts (str): For each document `TP,FP,FN` over all labels, separated by spaces; empty in files
        of version 2 and earlier.
    """

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
    """Against the baseline of the same run; above 1 is better, for each figure.

    f1 is the share of the baseline's macro F1, from sentences resampled for both alike.
    """

    p50: Estimate | None = None
    words_per_second: dict[int, Estimate] = {}
    peak_rss: Estimate | None = None
    above_floor: Estimate | None = None
    disk: float | None = None
    f1: Estimate | None = None


class Profile(Record):
    """All that is known of one pipeline; None where the run was stopped before."""

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
    """A pipeline that runs, and not within the memory limit."""

    name: str
    reason: str


class ExtraRow(Record):
    """F1 of a model that was not measured here, e.g. a student trained in another way."""

    name: str
    f1: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(min_length=1)


class Floor(Record):
    """A process that imports spaCy, ONNX Runtime and tokenizers in a base install, and no more."""

    import_seconds: Estimate
    peak_rss_mb: Estimate


class ProfileReport(Record):
    """The whole file."""

    format: Literal["spacy_optical.profile"] = "spacy_optical.profile"
    version: Literal[1, 2, 3] = 3
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
    def _without_study(cls, value: Any) -> Any:
        """Version 2 could hold a study of the pipelines, which `research` still reads."""
        if isinstance(value, dict) and value.get("version") == 2:
            extra = {"study", "gains"} - cls.model_fields.keys()
            return {key: part for key, part in value.items() if key not in extra}
        return value

    @field_validator("version")
    @classmethod
    def _current(cls, version: int) -> int:
        """Older versions lack optional fields only, so what is written is the current version."""
        return 3

    @property
    def names(self) -> list[str]:
        """The names of all pipelines and extra rows."""
        measured = [found.name for found in self.profiles]
        return [*measured, *(row.name for row in self.extra), *(row.name for row in self.not_run)]

    @property
    def languages(self) -> list[str]:
        """The languages with gold, in the order given."""
        return list(self.settings.gold)

    @property
    def baseline(self) -> Profile | None:
        """The pipeline that the others are compared with."""
        for profile in self.profiles:
            if profile.name == self.settings.baseline:
                return profile
        return None
