"""Comparison of pipelines with the baseline, in words."""

from collections.abc import Iterator

from spacy_optical.profiling.cells import number
from spacy_optical.profiling.schema import Estimate, Profile, ProfileReport


def findings(report: ProfileReport) -> list[str]:
    """Compare each pipeline with the baseline.

    report (ProfileReport): The report.
    RETURNS (List[str]): One sentence for each pipeline with ratios.
    """
    name = report.settings.baseline
    base = next((one for one in report.profiles if one.name == name), None)
    if base is None:
        return []
    texts = {one.name: "; ".join(_finding(one)) for one in report.profiles if one is not base}
    return [f"{name} compared with {base.name}: {text}." for name, text in texts.items() if text]


def _finding(profile: Profile) -> Iterator[str]:
    ratios = profile.ratios
    if ratios is None:
        return
    if ratios.f1 is not None and profile.macro_f1 is not None:
        kept = f"{ratios.f1.value:.1%}{_interval(ratios.f1, 100)}"
        yield f"{kept} of the macro F1 ({profile.macro_f1.value * 100:.1f})"
    if ratios.p50 is not None and profile.latency is not None:
        p50 = number(profile.latency.p50_ms.value)
        yield f"one text in {p50} ms, {_times(ratios.p50, 'faster', 'slower')}"
    for size, ratio in ratios.words_per_second.items():
        yield f"in batches of {size} {_times(ratio, 'faster', 'slower')}"
    if ratios.above_floor is not None and profile.memory is not None:
        memory = number(profile.memory.above_floor_mb.value)
        less = _times(ratios.above_floor, "less", "more")
        yield f"{memory} MB of memory above the import floor, {less}"
    if ratios.disk is not None and profile.disk is not None:
        less = _times(Estimate.certain(ratios.disk), "less", "more")
        yield f"{number(profile.disk.mb)} MB of disk, {less}"


def _times(ratio: Estimate, better: str, worse: str) -> str:
    if ratio.low <= 1 <= ratio.high:
        return f"no significant difference{_interval(ratio)}"
    if ratio.value > 1:
        return f"{number(ratio.value)} times {better}{_interval(ratio)}"
    inverse = Estimate(value=1 / ratio.value, low=1 / ratio.high, high=1 / ratio.low)
    return f"{number(inverse.value)} times {worse}{_interval(inverse)}"


def _interval(value: Estimate, scale: float = 1.0) -> str:
    low, high = number(value.low * scale), number(value.high * scale)
    return "" if low == high else f" [{low} to {high}]"
