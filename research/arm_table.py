"""The benchmark's table, made from whatever metrics files are there.

F1 is averaged over an arm's seeds. An arm's macro F1 is the mean over the languages that have
bitext. Its spread over seeds is Student's t interval, where there are two seeds at the least; its
interval over sentences, and that of its difference from the reference arm, are bootstrapped, with
the same draws for every arm and seed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from spacy_optical.errors import Errors, OpticalError
from spacy_optical.profiling.estimates import estimate_of_draws, macro_draws
from spacy_optical.profiling.schema import Estimate

from .arm_metrics import ArmMetrics, read_arm

CONFIDENCE = 0.95
DRAWS_SEED = 0


@dataclass(frozen=True)
class ArmRow:
    """One arm over its seeds; F1 from 0 to 1.

    name, number, title (str): The arm.
    parameters (Optional[int]): Of a student.
    seeds (List[int]): Its seeds.
    languages (Dict[str, float]): Mean F1 by language.
    macro (float): Mean over the languages with bitext.
    macro_all (float): Mean over all.
    over_seeds (Optional[float]): Half of the 95 % interval of the macro F1 over seeds.
    over_sentences (Estimate): The macro F1 with its 95 % interval over sentences.
    difference (Optional[Estimate]): To the reference arm, likewise, sentence by sentence.
    difference_over_seeds (Optional[Estimate]): The same with Welch's interval over seeds, where
        both arms have two at the least.
    language_differences (Dict[str, Estimate]): To the reference arm by language, over sentences.
    """

    name: str
    number: str
    title: str
    parameters: int | None
    seeds: list[int]
    languages: dict[str, float]
    macro: float
    macro_all: float
    over_seeds: float | None
    over_sentences: Estimate
    difference: Estimate | None
    difference_over_seeds: Estimate | None
    language_differences: dict[str, Estimate]


@dataclass(frozen=True)
class ArmTable:
    """All arms, the languages that all were judged on by name, and those with bitext."""

    rows: list[ArmRow]
    languages: dict[str, str]
    bitext: list[str]
    reference: str


def read_folder(folder: Path, say: Callable[[str], None] = lambda text: None) -> list[ArmMetrics]:
    """Read the metrics files of a folder.

    folder (Path): The folder.
    say (Callable[[str], None]): Told of files that are of another kind.
    RETURNS (List[ArmMetrics]): Their contents.
    RAISES (OpticalError): If there is none.
    """
    found = []
    for path in sorted(Path(folder).glob("*.json")):
        try:
            found.append(read_arm(path))
        except OpticalError as err:
            say(f"Left out: {err}")
    if not found:
        raise OpticalError(Errors.E630.format(path=folder))
    return found


def unlike(runs: Sequence[ArmMetrics]) -> str | None:
    """Say which students had another teacher, other data or other steps than the reference arm's.

    runs (Sequence[ArmMetrics]): The runs.
    RETURNS (Optional[str]): One sentence; None if all were trained alike.
    """
    students = [run for run in runs if run.parameters is not None]
    students.sort(key=lambda run: run.arm != run.reference)  # the first is what others are held to
    others = [_title(run) for run in students if _conditions(run) != _conditions(students[0])]
    if not others:
        return None
    return (
        f"These had another teacher, other data or other steps than {_title(students[0])}, so that "
        f"more than the objective sets them apart: {', '.join(others)}."
    )


def _conditions(run: ArmMetrics) -> tuple[Any, ...]:
    training = {k: v for k, v in run.provenance["config"]["training"].items() if k != "seed"}
    return training, run.provenance["data"]


def make_table(runs: Sequence[ArmMetrics], *, reference: str = "") -> ArmTable:
    """Sum up runs by arm.

    runs (Sequence[ArmMetrics]): The runs, in any order.
    reference (str): The arm that others are compared with; by default what the runs name.
    RETURNS (ArmTable): One row an arm, by number.
    RAISES (OpticalError): If two runs were judged on other gold, or on no common language.
    """
    common = _common_languages(runs)
    by_arm: dict[str, list[ArmMetrics]] = {}
    for run in sorted(runs, key=lambda run: (run.number, run.arm, run.seed)):
        by_arm.setdefault(run.arm, []).append(run)
    bitext = [code for code in common if all(code in run.bitext for run in runs)] or common
    draws = {name: _mean_draws(part, bitext) for name, part in by_arm.items()}
    by_language = {
        name: {code: _mean_draws(part, [code]) for code in common} for name, part in by_arm.items()
    }
    against = reference or runs[0].reference
    rows = []
    for name, part in by_arm.items():
        first = part[0]
        macros = [_macro(run, bitext) for run in part]
        languages = {
            code: float(np.mean([run.languages[code].f1 for run in part])) for code in common
        }
        difference, between_seeds, differences = None, None, {}
        if against in draws and name != against:
            difference = estimate_of_draws(draws[name] - draws[against])
            between_seeds = welch(macros, [_macro(run, bitext) for run in by_arm[against]])
            differences = {
                code: estimate_of_draws(by_language[name][code] - by_language[against][code])
                for code in common
            }
        rows.append(
            ArmRow(
                name=name,
                number=first.number,
                title=first.title,
                parameters=first.parameters,
                seeds=[run.seed for run in part],
                languages=languages,
                macro=float(np.mean(macros)),
                macro_all=float(np.mean(list(languages.values()))),
                over_seeds=half_interval(macros),
                over_sentences=estimate_of_draws(draws[name]),
                difference=difference,
                difference_over_seeds=between_seeds,
                language_differences=differences,
            )
        )
    names = {code: runs[0].names.get(code, code) for code in common}
    return ArmTable(rows, names, bitext, against if against in draws else "")


def half_interval(values: Sequence[float]) -> float | None:
    """Give half of the 95 % interval of a mean, by Student's t.

    values (Sequence[float]): One a seed.
    RETURNS (Optional[float]): None for a single value.
    """
    if len(values) < 2:
        return None
    spread = float(np.std(values, ddof=1)) / len(values) ** 0.5
    return float(stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1)) * spread


def welch(values: Sequence[float], others: Sequence[float]) -> Estimate | None:
    """Give the difference of two means with Welch's 95 % interval.

    values (Sequence[float]): One a seed.
    others (Sequence[float]): Likewise, of what it is compared with.
    RETURNS (Optional[Estimate]): None if one of them has a single value.
    """
    if min(len(values), len(others)) < 2:
        return None
    value = float(np.mean(values) - np.mean(others))
    if np.ptp(values) == np.ptp(others) == 0:
        return Estimate(value=value, low=value, high=value)
    found = stats.ttest_ind(values, others, equal_var=False).confidence_interval(CONFIDENCE)
    return Estimate(value=value, low=float(found.low), high=float(found.high))


def table_cells(table: ArmTable) -> tuple[list[str], list[list[str]]]:
    """Write a table as text: its header and its rows; F1 in points of 100.

    table (ArmTable): The table.
    RETURNS (Tuple[List[str], List[List[str]]]): Header and rows.
    """
    named = [
        f"{name}{'' if code in table.bitext else ' (no bitext)'}"
        for code, name in table.languages.items()
    ]
    header = ["", "Arm", "Seeds", "Million", *named, "Macro", "± seeds", "over sentences"]
    if table.reference:
        header.append(f"against {table.reference}")
    rows = []
    for row in table.rows:
        found = row.over_sentences
        cells = [row.number, row.title, str(len(row.seeds))]
        cells.append("" if row.parameters is None else f"{row.parameters / 1e6:.1f}")
        cells += [f"{100 * row.languages[code]:.1f}" for code in table.languages]
        cells.append(f"{100 * row.macro:.1f}")
        cells.append("" if row.over_seeds is None else f"{100 * row.over_seeds:.1f}")
        cells.append(f"{100 * found.low:.1f} to {100 * found.high:.1f}")
        if table.reference:
            cells.append("" if row.difference is None else _difference(row.difference))
        rows.append(cells)
    return header, rows


def markdown(table: ArmTable) -> str:
    """Write a table as Markdown.

    table (ArmTable): The table.
    RETURNS (str): The text.
    """
    header, rows = table_cells(table)
    lines = ["| " + " | ".join(header) + " |", "|---|---|" + "---:|" * (len(header) - 2)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    names = ", ".join(table.languages[code] for code in table.bitext)
    note = (
        f"Entity F1 (spaCy's `ents_f`, in points), mean over seeds. Macro: the mean over {names}. "
        "± seeds: half of Student's 95 % interval. Over sentences: 95 %, bootstrapped"
    )
    if table.reference:
        note += "; the difference too, sentence by sentence, and * where it excludes 0"
    return "\n".join([*lines, "", f"{note}.", ""])


def _difference(found: Estimate) -> str:
    star = " *" if found.low > 0 or found.high < 0 else ""
    return f"{100 * found.value:+.1f} ({100 * found.low:+.1f} to {100 * found.high:+.1f}){star}"


def _macro(run: ArmMetrics, bitext: Sequence[str]) -> float:
    return float(np.mean([run.languages[code].f1 for code in bitext]))


def _mean_draws(runs: Sequence[ArmMetrics], bitext: Sequence[str]) -> NDArray[np.float64]:
    every = [
        macro_draws({code: run.languages[code].rows for code in bitext}, DRAWS_SEED) for run in runs
    ]
    return np.mean(every, axis=0)


def _common_languages(runs: Sequence[ArmMetrics]) -> list[str]:
    """Give the languages that all runs were judged on, on the same gold."""
    first = runs[0]
    # In the config's order, which is that of the names.
    named = dict.fromkeys([*first.names, *first.languages])
    common = [code for code in named if all(code in run.languages for run in runs)]
    if not common:
        raise OpticalError(Errors.E632)
    for run in runs[1:]:
        for code in common:
            if run.languages[code].gold != first.languages[code].gold:
                one, other = _title(first), _title(run)
                raise OpticalError(Errors.E631.format(one=one, other=other, lang=code))
    return common


def _title(run: ArmMetrics) -> str:
    return f"{run.arm}-seed{run.seed}"
