"""The figures of the table, compared with values computed by hand."""

from typing import Any

import pytest

from research.arm_metrics import ArmMetrics, LanguageResult, read_arm, write_arm
from research.arm_table import (
    half_interval,
    make_arm_table,
    markdown,
    read_folder,
    unlike,
    welch,
)
from spacy_optical.errors import OpticalError
from spacy_optical.scores import counts_text

RIGHT, WRONG, MISSED = [1, 0, 0], [0, 1, 0], [0, 0, 1]


def result(rows: list[list[int]], gold: str = "g") -> LanguageResult:
    right, wrong, missed = (sum(column) for column in zip(*rows, strict=True))
    f1 = 2 * right / (2 * right + wrong + missed)
    return LanguageResult(
        f1=f1, precision=0.5, recall=0.5, types={}, gold=gold, counts=counts_text(rows)
    )


def arm(name: str, seed: int, number: str, sw: list[list[int]], **changes: Any) -> ArmMetrics:
    """A made-up run in Swahili (with bitext) and Finnish (without)."""
    values: dict[str, Any] = {
        "arm": name,
        "number": number,
        "title": name,
        "reference": "soft",
        "seed": seed,
        "fingerprint": "f",
        "bitext": ["sw"],
        "names": {"sw": "Swahili", "fi": "Finnish"},
        "languages": {"sw": result(sw), "fi": result([RIGHT, RIGHT])},
        "english_dev": 0.5,
        "parameters": 2_000_000,
        "epochs": [],
        "provenance": {"config": {"training": {"epochs": 1, "seed": seed}}, "data": {}},
    }
    return ArmMetrics(**values | changes)


SOFT = [
    arm("soft", 0, "3", [RIGHT] * 30 + [MISSED] * 10),
    arm("soft", 1, "3", [RIGHT] * 20 + [MISSED] * 20),
]
BOTH = arm("both", 0, "7", [RIGHT] * 40)


def test_means_and_intervals():
    table = make_arm_table([BOTH, *SOFT])
    assert [row.name for row in table.rows] == ["soft", "both"]
    soft, both = table.rows
    f1 = [60 / 70, 40 / 60]
    assert soft.languages == pytest.approx({"sw": sum(f1) / 2, "fi": 1.0})
    assert soft.macro.value == pytest.approx(sum(f1) / 2)
    # Student's t of 97.5 % with one degree of freedom is 12.706.
    assert soft.over_seeds == pytest.approx(12.706 * (f1[0] - f1[1]) / 2, rel=1e-3)
    assert both.over_seeds is None
    assert (soft.difference, both.macro.low) == (None, 1.0)
    assert both.difference is not None
    assert both.difference.value == pytest.approx(1 - soft.macro.value)
    assert 0 < both.difference.low < both.difference.value < both.difference.high


def test_paired_difference_of_equal_arms_is_nothing():
    same = arm("same", 0, "5", [RIGHT] * 30 + [MISSED] * 10)
    table = make_arm_table([SOFT[0], same])
    found = table.rows[1].difference
    assert found is not None
    assert (found.low, found.value, found.high) == (0, 0, 0)


def test_half_interval_by_hand():
    # Mean 2, deviation 1, t of 97.5 % with two degrees of freedom 4.303.
    assert half_interval([1.0, 2.0, 3.0]) == pytest.approx(4.303 / 3**0.5, rel=1e-3)


def test_markdown_says_what_is_compared():
    text = markdown(make_arm_table([BOTH, *SOFT]))
    assert "| 7 | both | 1 | 2.0 | 100.0 | 100.0 | 100.0 |  | 100.0 to 100.0 | +23.8" in text
    assert "Finnish (no bitext)" in text
    assert "against soft" in text


def test_pieces_are_read_back_and_others_left_out(tmp_path):
    write_arm(BOTH, tmp_path / "both-seed0.json")
    (tmp_path / "other.json").write_text("{}")
    told: list[str] = []
    assert read_folder(tmp_path, told.append) == [BOTH]
    assert "other.json" in told[0]
    (tmp_path / "both-seed0.json").unlink()
    with pytest.raises(OpticalError, match="E630"):
        read_folder(tmp_path)
    with pytest.raises(OpticalError, match="E002"):
        read_arm(tmp_path / "none.json")


def test_languages_that_not_all_have_are_left_out():
    wider = arm("wide", 0, "8", [RIGHT], languages={"sw": result([RIGHT])})
    table = make_arm_table([wider, arm("both", 0, "7", [RIGHT])])
    assert list(table.languages) == ["sw"]


def test_other_steps_are_said_and_other_seeds_are_not():
    provenance = {"config": {"training": {"epochs": 9, "seed": 0}}, "data": {}}
    longer = arm("long", 0, "8", [RIGHT], provenance=provenance)
    assert unlike(SOFT) is None
    remark = unlike([*SOFT, longer])
    assert remark is not None
    assert remark.endswith("objective: long-seed0.")


def test_welch_by_hand():
    # Means 3 and 1, variances 1: error (1/3 + 1/3)^0.5, four degrees of freedom, t 2.776.
    found = welch([2.0, 3.0, 4.0], [0.0, 1.0, 2.0])
    assert found is not None
    assert found.value == 2
    assert found.high - found.value == pytest.approx(2.776 * (2 / 3) ** 0.5, rel=1e-3)
    assert welch([1.0, 2.0], [1.0]) is None
    alike = welch([1.0, 1.0], [2.0, 2.0])
    assert alike is not None
    assert (alike.low, alike.high) == (-1, -1)
