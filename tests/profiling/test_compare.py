import pytest

from spacy_optical.errors import OpticalError
from spacy_optical.profiling.compare import change_table, compare
from spacy_optical.profiling.schema import NotRun, Profile, ProfileReport


def slowed(report: ProfileReport, factor: float) -> ProfileReport:
    """The report as if every call of its last pipeline had taken longer."""

    def changed(found: Profile) -> Profile:
        assert found.latency is not None
        p50 = found.latency.p50_ms
        scaled = p50.model_copy(
            update={
                "value": p50.value * factor,
                "samples": [sample * factor for sample in p50.samples],
            }
        )
        latency = found.latency.model_copy(update={"p50_ms": scaled})
        return found.model_copy(update={"latency": latency})

    *others, last = report.profiles
    return report.model_copy(update={"profiles": [*others, changed(last)]})


def test_a_run_is_no_worse_than_itself(report: ProfileReport) -> None:
    changes = compare(report, report)
    assert {change.pipeline for change in changes} == {"ruler", "toy"}
    for change in changes:
        assert not change.regressed
        assert change.worse.low <= 1 <= change.worse.high


@pytest.mark.parametrize(("factor", "regressed"), [(1.5, True), (1.02, False), (0.5, False)])
def test_only_what_got_much_slower_counts(
    report: ProfileReport, factor: float, regressed: bool
) -> None:
    # The samples of two short rounds differ; alike ones leave the factor alone.
    (*_, last) = report.profiles
    assert last.latency is not None
    p50 = last.latency.p50_ms.model_copy(update={"samples": [last.latency.p50_ms.value] * 4})
    latency = last.latency.model_copy(update={"p50_ms": p50})
    steady = report.model_copy(
        update={"profiles": [*report.profiles[:-1], last.model_copy(update={"latency": latency})]}
    )
    changes = compare(steady, slowed(steady, factor))
    found = {(change.pipeline, change.metric): change for change in changes}
    assert found["toy", "p50 ms"].regressed is regressed
    assert found["toy", "p50 ms"].worse.value == pytest.approx(factor)
    assert not found["ruler", "p50 ms"].regressed


def test_lost_f1_counts(report: ProfileReport) -> None:
    (*others, last) = report.profiles
    assert last.macro_f1 is not None
    lower = last.macro_f1.model_copy(update={"value": last.macro_f1.value - 0.02})
    worse = report.model_copy(
        update={"profiles": [*others, last.model_copy(update={"macro_f1": lower})]}
    )
    lost = [change for change in compare(report, worse) if change.regressed]
    assert [(change.pipeline, change.metric) for change in lost] == [("toy", "macro F1 %")]


def test_what_no_longer_runs_counts(report: ProfileReport) -> None:
    ruler, toy = report.profiles
    smaller = report.model_copy(
        update={"profiles": [ruler], "not_run": [NotRun(name=toy.name, reason="too large")]}
    )
    lost = [change for change in compare(report, smaller) if change.regressed]
    assert [(change.pipeline, change.metric) for change in lost] == [
        ("toy", "runs within the limit")
    ]
    assert change_table(lost)["Verdict"].tolist() == ["worse"]


def test_runs_under_another_memory_limit_are_refused(report: ProfileReport) -> None:
    update = {"memory_limit_mb": 512.0, "memory_limit_kind": "address space"}
    settings = report.settings.model_copy(update=update)
    with pytest.raises(OpticalError, match=r"differ in their memory limit \(none, now 512 MB"):
        compare(report, report.model_copy(update={"settings": settings}))


def test_runs_on_other_machines_are_refused_unless_forced(report: ProfileReport) -> None:
    machine = report.machine.model_copy(update={"cpu": "another"})
    other = report.model_copy(update={"machine": machine})
    with pytest.raises(OpticalError, match="differ in their machine"):
        compare(other, report)
    assert compare(other, report, force=True)


def test_runs_on_other_texts_are_refused(report: ProfileReport) -> None:
    settings = report.settings.model_copy(update={"texts_sha256": "0" * 64})
    with pytest.raises(OpticalError, match="differ in their set of texts"):
        compare(report.model_copy(update={"settings": settings}), report)


@pytest.mark.parametrize(
    ("update", "what"),
    [({"labels": ["PER"]}, "labels"), ({"source_language": "sw"}, "source language")],
)
def test_runs_with_another_f1_are_refused(report: ProfileReport, update: dict, what: str) -> None:
    settings = report.settings.model_copy(update=update)
    with pytest.raises(OpticalError, match=f"differ in their {what}"):
        compare(report, report.model_copy(update={"settings": settings}))


def test_the_order_of_gold_does_not_matter(report: ProfileReport) -> None:
    gold = dict(reversed(report.settings.gold.items()))
    settings = report.settings.model_copy(update={"gold": gold})
    assert compare(report, report.model_copy(update={"settings": settings}))


def test_runs_without_a_common_pipeline_are_refused(report: ProfileReport) -> None:
    first, second = (report.model_copy(update={"profiles": [p]}) for p in report.profiles)
    with pytest.raises(OpticalError, match="no pipeline in common"):
        compare(first, second)
