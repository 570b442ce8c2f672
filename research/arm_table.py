"""The table of arms, made from metrics files.

F1 is averaged over the seeds of an arm. Macro F1 is the mean over the languages with bitext. The
spread over seeds is Student's t interval, if there are at least two seeds. The intervals over
sentences, also of the differences from the reference arm, come from one bootstrap with the same
resamples for all arms and seeds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame
from scipy import stats

from spacy_optical.errors import OpticalError
from spacy_optical.profiling.schema import Estimate
from spacy_optical.profiling.tables import make_table
from spacy_optical.profiling.text import markdown_table
from spacy_optical.scores import bootstrap_interval, precision_recall_f1

from .arm_metrics import ArmMetrics, read_arm
from .errors import Errors

CONFIDENCE = 0.95
MACRO = ""


@dataclass(frozen=True)
class ArmRow:
    """One arm over its seeds; F1 from 0 to 1.

    name, number, title (str): The arm.
    parameters (Optional[int]): The number of parameters of a student.
    seeds (List[int]): The seeds.
    languages (Dict[str, float]): Mean F1 by language.
    macro (Estimate): Mean over the languages with bitext, with its interval over sentences.
    over_seeds (Optional[float]): Half of the 95 % interval of the macro F1 over seeds.
    difference (Optional[Estimate]): From the reference arm, with its interval over sentences.
    difference_over_seeds (Optional[Estimate]): The same with Welch's interval over seeds, if both
        arms have at least two.
    language_differences (Dict[str, Estimate]): From the reference arm by language, over sentences.
    """

    name: str
    number: str
    title: str
    parameters: int | None
    seeds: list[int]
    languages: dict[str, float]
    macro: Estimate
    over_seeds: float | None
    difference: Estimate | None
    difference_over_seeds: Estimate | None
    language_differences: dict[str, Estimate]


@dataclass(frozen=True)
class ArmTable:
    """All arms, the names of the common languages, those with bitext, and the reference arm."""

    rows: list[ArmRow]
    languages: dict[str, str]
    bitext: list[str]
    reference: str


def read_folder(folder: Path, say: Callable[[str], None] = lambda text: None) -> list[ArmMetrics]:
    """Read the metrics files of a folder.

    folder (Path): The folder.
    say (Callable[[str], None]): Called with a line for each file of another kind.
    RETURNS (List[ArmMetrics]): The contents of the files.
    RAISES (OpticalError): If there are no metrics files.
    """
    runs = []
    for path in sorted(Path(folder).glob("*.json")):
        try:
            runs.append(read_arm(path))
        except OpticalError as err:
            say(f"Left out: {err}")
    if not runs:
        raise OpticalError(Errors.E630.format(path=folder))
    return runs


def unlike(runs: Sequence[ArmMetrics]) -> str | None:
    """List the students with another teacher, other data or other steps than the reference arm.

    runs (Sequence[ArmMetrics]): The runs.
    RETURNS (Optional[str]): One sentence; None if there are none.
    """
    students = [run for run in runs if run.parameters is not None]
    students.sort(key=lambda run: run.arm != run.reference)  # the first is the reference
    others = [_title(run) for run in students if _conditions(run) != _conditions(students[0])]
    if not others:
        return None
    return (
        f"These had another teacher, other data or other steps than {_title(students[0])}, so they "
        f"differ in more than the objective: {', '.join(others)}."
    )


def _conditions(run: ArmMetrics) -> tuple[Any, ...]:
    training = {k: v for k, v in run.provenance["config"]["training"].items() if k != "seed"}
    return training, run.provenance["data"]


def make_arm_table(runs: Sequence[ArmMetrics], *, reference: str = "") -> ArmTable:
    """Summarise runs by arm.

    runs (Sequence[ArmMetrics]): The runs, in any order.
    reference (str): The arm to compare with. Defaults to the reference of the runs.
    RETURNS (ArmTable): One row per arm, by number.
    RAISES (OpticalError): If two runs were evaluated on different gold, or have no common language.
    """
    common = _common_languages(runs)
    by_arm: dict[str, list[ArmMetrics]] = {}
    for run in sorted(runs, key=lambda run: (run.number, run.arm, run.seed)):
        by_arm.setdefault(run.arm, []).append(run)
    bitext = [code for code in common if all(code in run.bitext for run in runs)] or common
    against = reference or runs[0].reference
    values, differences = _estimates(by_arm, common, bitext, against)
    macros = {arm: [_macro(run, bitext) for run in part] for arm, part in by_arm.items()}
    rows = []
    for name, part in by_arm.items():
        compared = differences.get(name, {})
        rows.append(
            ArmRow(
                name=name,
                number=part[0].number,
                title=part[0].title,
                parameters=part[0].parameters,
                seeds=[run.seed for run in part],
                languages={code: values[name][code].value for code in common},
                macro=values[name][MACRO],
                over_seeds=half_interval(macros[name]),
                difference=compared.get(MACRO),
                difference_over_seeds=welch(macros[name], macros[against]) if compared else None,
                language_differences={code: compared[code] for code in common if compared},
            )
        )
    names = {code: runs[0].names.get(code, code) for code in common}
    return ArmTable(rows, names, bitext, against if against in by_arm else "")


Estimates = dict[str, dict[str, Estimate]]


def _estimates(
    by_arm: dict[str, list[ArmMetrics]], codes: list[str], bitext: list[str], reference: str
) -> tuple[Estimates, Estimates]:
    """F1 of each arm by language and on average, and its difference from the reference arm."""
    runs = [run for part in by_arm.values() for run in part]
    mean = np.array(
        [[(run.arm == arm) / len(part) for arm, part in by_arm.items()] for run in runs]
    )
    # For each language the counts of all runs: [runs * 3, sentences].
    samples = [
        np.concatenate([run.languages[code].rows for run in runs], axis=1).T.astype(np.int16)
        for code in codes
    ]
    base = list(by_arm).index(reference) if reference in by_arm else None

    def statistic(*drawn: NDArray[Any], axis: int = -1) -> NDArray[Any]:
        by_language = []
        for sample in drawn:
            sums = np.moveaxis(sample.sum(axis=axis), 0, -1)
            f1 = precision_recall_f1(sums.reshape(*sums.shape[:-1], len(runs), 3))[..., 2]
            by_language.append(f1 @ mean / 100)
        macro = np.mean([by_language[codes.index(code)] for code in bitext], axis=0)
        f1 = np.stack([*by_language, macro])
        both = np.stack([f1, f1 - (0 if base is None else f1[..., base, None])])
        return np.moveaxis(both, -1, 0)

    value = statistic(*samples)
    low, high = bootstrap_interval(statistic, *samples)

    def named(kind: int) -> Estimates:
        return {
            arm: {
                code: Estimate(
                    value=value[at, kind, k], low=low[at, kind, k], high=high[at, kind, k]
                )
                for k, code in enumerate([*codes, MACRO])
            }
            for at, arm in enumerate(by_arm)
        }

    differences = {} if base is None else named(1)
    differences.pop(reference, None)
    return named(0), differences


def half_interval(values: Sequence[float]) -> float | None:
    """Compute half of the 95 % interval of a mean, by Student's t.

    values (Sequence[float]): One per seed.
    RETURNS (Optional[float]): None for a single value.
    """
    if len(values) < 2:
        return None
    quantile = stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1)
    return float(quantile * stats.sem(values))


def welch(values: Sequence[float], others: Sequence[float]) -> Estimate | None:
    """Compute the difference of two means with Welch's 95 % interval.

    values (Sequence[float]): One per seed.
    others (Sequence[float]): One per seed of the other arm.
    RETURNS (Optional[Estimate]): None if one of them has a single value.
    """
    if min(len(values), len(others)) < 2:
        return None
    value = float(np.mean(values) - np.mean(others))
    if np.ptp(values) == np.ptp(others) == 0:
        return Estimate.certain(value)
    interval = stats.ttest_ind(values, others, equal_var=False).confidence_interval(CONFIDENCE)
    return Estimate(value=value, low=float(interval.low), high=float(interval.high))


def text_table(table: ArmTable) -> DataFrame:
    """Make a table of text, with F1 in percent.

    table (ArmTable): The arms.
    RETURNS (DataFrame): One row per arm.
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
        rows.append(
            [
                *(row.number, row.title, str(len(row.seeds))),
                "" if row.parameters is None else f"{row.parameters / 1e6:.1f}",
                *(f"{100 * row.languages[code]:.1f}" for code in table.languages),
                f"{100 * row.macro.value:.1f}",
                "" if row.over_seeds is None else f"{100 * row.over_seeds:.1f}",
                f"{100 * row.macro.low:.1f} to {100 * row.macro.high:.1f}",
                *([_difference(row.difference)] if table.reference else []),
            ]
        )
    names = ", ".join(table.languages[code] for code in table.bitext)
    caption = (
        f"Entity F1 (spaCy's `ents_f`, in percent), mean over seeds. Macro: the mean over {names}. "
        "± seeds: half of Student's 95 % interval. Over sentences: 95 %, bootstrapped"
    )
    if table.reference:
        caption += "; the difference too, on the same resamples, with * if it excludes 0"
    return make_table(caption, header, rows)


def markdown(table: ArmTable) -> str:
    """Write the arms as a Markdown table.

    table (ArmTable): The arms.
    RETURNS (str): The text.
    """
    return markdown_table(text_table(table)) + "\n"


def _difference(difference: Estimate | None) -> str:
    if difference is None:
        return ""
    star = " *" if difference.low > 0 or difference.high < 0 else ""
    low, high = f"{100 * difference.low:+.1f}", f"{100 * difference.high:+.1f}"
    return f"{100 * difference.value:+.1f} ({low} to {high}){star}"


def _macro(run: ArmMetrics, bitext: Sequence[str]) -> float:
    return float(np.mean([run.languages[code].f1 for code in bitext]))


def _common_languages(runs: Sequence[ArmMetrics]) -> list[str]:
    """The languages that all runs were evaluated on, with the same gold."""
    first = runs[0]
    # In the order of the config, which is that of the names.
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
