"""The page's section of the arms, from made-up metrics files; no figure here was measured."""

from pathlib import Path

from research.arm_metrics import ArmMetrics, write_arm
from research.arm_results import arm_answer, arms_part
from research.arm_table import make_arm_table
from research.results_page import write_page

from .test_arm_table import MISSED, RIGHT, arm

BETTER, SAME, WORSE = 40, 31, 5


def seeds(name: str, number: str, right: int) -> list[ArmMetrics]:
    """Three made-up seeds that find about so many of 60 entities."""
    return [
        arm(name, seed, number, [RIGHT] * (right + seed) + [MISSED] * (60 - right - seed))
        for seed in range(3)
    ]


def write_all(folder: Path, runs: list[ArmMetrics]) -> Path:
    for run in runs:
        write_arm(run, folder / f"{run.arm}-seed{run.seed}.json")
    return folder


RUNS = [
    *seeds("soft", "3", 30),
    *seeds("labels", "6", SAME),
    *seeds("both", "7", BETTER),
    arm("hard", 0, "1", [RIGHT] * WORSE + [MISSED] * 55),
]


def test_arms_are_sorted_by_what_their_interval_allows() -> None:
    table = make_arm_table(RUNS)
    found = arm_answer(table, RUNS)
    assert found is not None
    head, lines = found.parts
    assert "arm 3 (soft) has 68.1" in head
    above, below, alike = lines.splitlines()
    assert above.startswith("* Better: arm 7 (both) +13.1 [")
    assert "over seeds [+" in above
    assert below.startswith("* Worse: arm 1 (hard) -")
    assert "over seeds" not in below
    assert alike.startswith("* Not significantly different: arm 6 (labels) +")
    caveats = " ".join(found.caveats)
    assert "Fewer than 3 seeds: arms 1." in caveats
    assert "Finnish, has 2 sentences" in caveats


def test_without_the_reference_there_is_no_answer() -> None:
    others = [run for run in RUNS if run.arm != "soft"]
    assert arm_answer(make_arm_table(others), others) is None


def test_the_page_holds_answer_tables_and_figure_of_the_arms(tmp_path: Path) -> None:
    folder = write_all(tmp_path / "docs" / "results" / "experiments", RUNS)
    page = tmp_path / "docs" / "results.md"
    written = write_page([arms_part(folder)], page)
    text = page.read_text(encoding="utf8")
    assert written == [page, folder / "figures" / "arms.svg"]
    assert "(results/experiments/figures/arms.svg)" in text
    assert f"page --arms {folder.as_posix()} --out" in text
    assert "| 7 | both | 3 |" in text
    assert "F1 minus that of soft" in text
    assert text.index("Better: ") < text.index("## experiments\n")
    # Its own figures beside the metrics files do not disturb the next time.
    write_page([arms_part(folder)], page)
    assert page.read_text(encoding="utf8") == text


def test_arms_of_another_teacher_have_a_section_of_their_own(tmp_path: Path) -> None:
    one = write_all(tmp_path / "experiments", RUNS)
    other = write_all(tmp_path / "experiments-second", RUNS[:6])
    page = tmp_path / "page.md"
    write_page([arms_part(folder) for folder in (one, other)], page)
    text = page.read_text(encoding="utf8")
    assert text.index("## experiments\n") < text.index("## experiments-second\n")
    assert f"--arms {one.as_posix()} --arms {other.as_posix()} --out" in text
    first, second = text.split("## experiments-second\n")
    assert "| 7 | both | 3 |" in first
    assert "| 7 | both | 3 |" not in second
    assert "(experiments-second/figures/arms.svg)" in second
