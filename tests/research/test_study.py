import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from research.answer import answer
from research.equivalence import equivalences, tost
from research.study import (
    ControlPair,
    Step,
    Student,
    StudiedReport,
    Study,
    arm_points,
    check_study,
    gain_of,
    read_study,
)
from research.study_tables import arm_table, gain_table, step_table
from spacy_optical.errors import OpticalError
from spacy_optical.profiling.measure import profile
from spacy_optical.profiling.options import Options
from spacy_optical.profiling.schema import Estimate, Profile, ProfileReport
from spacy_optical.profiling.workload import Target


def with_study(report: ProfileReport, study: Study | None = None) -> StudiedReport:
    """The same report with a study."""
    return StudiedReport(**dict(report), study=study)


PAIR = ControlPair(with_transport="toy", without="ruler")


def point(value: float, samples: list[float] | None = None) -> Estimate:
    return Estimate(value=value, low=value, high=value, samples=samples or [value])


def made(found: Profile, name: str, f1: float, p50: list[float]) -> Profile:
    """A profile of another name, F1 and latencies."""
    assert found.latency is not None
    latency = found.latency.model_copy(update={"p50_ms": point(float(np.median(p50)), p50)})
    update = {"name": name, "macro_f1": point(f1), "latency": latency, "throughput": []}
    return found.model_copy(update=update)


@pytest.fixture
def two_sizes(report: ProfileReport) -> StudiedReport:
    """Two arms of two sizes; the arm with transport has two seeds of the large one."""
    toy = report.profiles[1]
    rows = [
        ("plain large", "plain", "large", 0.70, 8.0),
        ("plain small", "plain", "small", 0.55, 3.0),
        ("ot large 1", "ot", "large", 0.74, 8.0),
        ("ot large 2", "ot", "large", 0.78, 8.2),
        ("ot small", "ot", "small", 0.71, 3.0),
    ]
    study = Study(
        students=[Student(name=n, arm=arm, size=size) for n, arm, size, *_ in rows],
        controls=[ControlPair(with_transport="ot large 1", without="plain large")],
    )
    profiles = [made(toy, name, f1, [p50] * 3) for name, _, _, f1, p50 in rows]
    return with_study(report.model_copy(update={"profiles": profiles}), study)


def test_seeds_become_one_point(two_sizes: StudiedReport) -> None:
    points = {(p.arm, p.size): p for p in arm_points(two_sizes)}
    large = points["ot", "large"]
    assert large.names == ("ot large 1", "ot large 2")
    assert (large.f1.low, large.f1.high) == (0.74, 0.78)
    assert large.f1.value == pytest.approx(0.76)
    assert large.p50_ms == pytest.approx(8.1)
    assert [p.size for p in arm_points(two_sizes) if p.arm == "plain"] == ["small", "large"]
    assert len(arm_table(two_sizes)) == 4


def test_cost_at_equal_f1_is_the_cheapest_that_reaches_it(two_sizes: StudiedReport) -> None:
    found = answer(two_sizes)
    assert found is not None
    (text,) = [part for part in found.parts if part.startswith("Cost at equal F1")]
    assert "70.0 macro" in text
    assert "plain: 8.00 ms p50" in text
    assert "ot: 3.00 ms p50" in text
    assert any("fewer than three students" in caveat for caveat in found.caveats)


def test_a_row_that_was_not_measured_takes_its_cost_from_its_graph(report: ProfileReport) -> None:
    student = Student(name="without OT", arm="plain", same_graph="toy")
    placed = with_study(report, Study(students=[student]))
    (found,) = arm_points(placed)
    assert report.profiles[1].latency is not None
    assert found.p50_ms == report.profiles[1].latency.p50_ms.value
    assert found.f1.value == 0.5
    # Not evaluated on English, so it has no point there.
    assert arm_points(placed, "en") == []


@given(
    ratios=st.lists(st.floats(0.5, 2.0), min_size=2, max_size=9),
    margin=st.floats(0.01, 0.5),
)
def test_turning_a_ratio_round_changes_nothing(ratios: list[float], margin: float) -> None:
    turned = [1 / ratio for ratio in ratios]
    assert tost(ratios, margin) == pytest.approx(tost(turned, margin), abs=1e-9)


def test_equivalence_by_hand() -> None:
    # Mean of logs 0, standard error s / √n; t = log(1.05) / error with n - 1 = 1 degree of freedom,
    # where the tail of t is 1/2 - atan(t)/π.
    spread = 0.01
    ratios = [math.exp(spread), math.exp(-spread)]
    t = math.log(1.05) / (spread * math.sqrt(2) / math.sqrt(2))
    assert tost(ratios, 0.05) == pytest.approx(0.5 - math.atan(t) / math.pi)


@pytest.mark.parametrize(
    ("ratios", "shown"),
    [
        ([1.0, 1.01, 0.99, 1.0], True),
        ([1.2, 1.21, 1.19, 1.2], False),
        ([0.7, 1.4, 1.0, 1.1], False),
        ([1.0, 1.0], True),
        ([1.1, 1.1], False),
    ],
)
def test_equivalence_needs_closeness_and_little_noise(ratios: list[float], shown: bool) -> None:
    assert (tost(ratios, 0.05) < 0.05) is shown


def test_one_sample_shows_nothing() -> None:
    assert math.isnan(tost([1.0], 0.05))


def test_the_control_divides_within_rounds(report: ProfileReport) -> None:
    toy = report.profiles[1]
    drift = [4.0, 8.0, 2.0, 4.0]
    slower = made(toy, "ruler", 0.5, [value / 1.01 for value in drift])
    profiles = [made(toy, "toy", 0.6, drift), slower]
    rounds = with_study(report.model_copy(update={"profiles": profiles}), Study(controls=[PAIR]))
    latency = equivalences(rounds, PAIR)[0]
    assert latency.ratio.value == pytest.approx(1.01)
    assert latency.ratio.high == pytest.approx(1.01)
    assert latency.shown


@pytest.fixture(scope="module")
def studied(places: Path, gold: dict[str, Path]) -> StudiedReport:
    """The toy bundle against itself."""
    study = Study(
        controls=[ControlPair(with_transport="on", without="off")],
        steps=[Step(name="start", pipeline="on"), Step(name="nothing", pipeline="off")],
    )
    report = profile(
        [Target.parse(f"{name}={places / 'bundle'}") for name in ("on", "off")],
        gold=gold,
        options=Options(seconds=0.1, rounds=2, starts=1, batch_sizes=(2,)),
    )
    return with_study(report, study)


def test_a_model_gains_nothing_over_itself(studied: StudiedReport) -> None:
    assert studied.study is not None
    gain = gain_of(studied, studied.study.controls[0])
    assert gain is not None
    assert gain.macro == Estimate(value=0, low=0, high=0)
    assert set(gain.by_language) == {"en", "sw"}
    assert gain_table(studied).iloc[0].tolist() == ["on − off", "0.0", "0.0", "0.0"]
    disk = step_table(studied)["Disk MB"]
    assert ["[" in cell for cell in disk] == [False, True]
    assert disk[1].endswith(" [+0.00]")


def test_the_answer_says_what_is_known(studied: StudiedReport, report: ProfileReport) -> None:
    found = answer(studied)
    assert found is not None
    assert "with transport divided by without" in found.parts[0]
    assert not any("graphs differ" in caveat for caveat in found.caveats)
    assert answer(with_study(report)) is None
    # The other side of this pair was not measured.
    pair = ControlPair(with_transport="toy", without="without OT")
    known = answer(with_study(report, Study(controls=[pair])))
    assert known is not None
    assert "not measured in this run" in known.parts[0]
    assert "There is no interval" in known.parts[1]


def test_pipelines_of_two_graphs_are_no_control(studied: StudiedReport) -> None:
    on, off = studied.profiles
    assert off.disk is not None
    files = {name: size * 2 for name, size in off.disk.files.items()}
    disk = off.disk.model_copy(update={"files": files})
    larger = studied.model_copy(update={"profiles": [on, off.model_copy(update={"disk": disk})]})
    found = answer(larger)
    assert found is not None
    assert any("graphs differ" in caveat for caveat in found.caveats)


def test_a_gain_from_f1_alone_has_no_interval(report: ProfileReport) -> None:
    pair = ControlPair(with_transport="toy", without="without OT")
    gain = gain_of(with_study(report), pair)
    assert gain is not None
    assert report.profiles[1].macro_f1 is not None
    assert gain.macro.value == pytest.approx(report.profiles[1].macro_f1.value - 0.5)
    assert gain.macro.low == gain.macro.high


def test_a_study_of_others_is_refused() -> None:
    with pytest.raises(OpticalError, match=r"E623.*names toy"):
        check_study(Study(controls=[PAIR]), ["ruler"])


def test_a_study_is_read_and_checked(tmp_path: Path) -> None:
    path = tmp_path / "study.json"
    path.write_text(json.dumps({"steps": [{"name": "int8", "pipeline": "toy"}]}))
    assert read_study(path).steps == [Step(name="int8", pipeline="toy")]
    path.write_text(json.dumps({"margin": 2}))
    with pytest.raises(OpticalError, match="margin"):
        read_study(path)
