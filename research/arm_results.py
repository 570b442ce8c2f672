"""A section of the page of results: the arms in words, figures and tables."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pandas import DataFrame

from spacy_optical.profiling.cells import estimate_cell
from spacy_optical.profiling.figures import Figure
from spacy_optical.profiling.schema import Estimate
from spacy_optical.profiling.tables import make_table
from spacy_optical.profiling.text import markdown_table

from .answer import Answer
from .arm_metrics import ArmMetrics
from .arm_table import ArmRow, ArmTable, make_arm_table, markdown, read_folder, unlike
from .drawing import draw, error_bars, name_rows, style_of
from .results_page import Part

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# The minimum number of seeds for a useful interval.
ENOUGH_SEEDS = 3


def arms_part(folder: Path, say: Callable[[str], None] = lambda text: None) -> Part:
    """Make the section of a folder of arms.

    folder (Path): The folder with the metrics files of `python -m research train`.
    say (Callable[[str], None]): Called with a line for each file of another kind.
    RETURNS (Part): The section.
    RAISES (OpticalError): As `read_folder` and `make_arm_table`.
    """
    folder = Path(folder)
    runs = read_folder(folder, say)
    table = make_arm_table(runs)
    return Part(
        argument=f"--arms {folder.as_posix()}",
        title=folder.name,
        folder=folder,
        answer=arm_answer(table, runs),
        figures=tuple(arm_figures(table)),
        text=tuple(_text(table)),
    )


def arm_answer(table: ArmTable, runs: Sequence[ArmMetrics]) -> Answer | None:
    """Describe the differences of the arms from the reference.

    table (ArmTable): The arms.
    runs (Sequence[ArmMetrics]): The runs of the table.
    RETURNS (Optional[Answer]): The findings and their limitations; None if the reference
        arm is missing, or is the only one.
    """
    base = next((row for row in table.rows if row.name == table.reference), None)
    compared = [row for row in table.rows if row.difference is not None]
    if base is None or not compared:
        return None
    names = ", ".join(table.languages[code] for code in table.bitext)
    parts = [
        f"F1, macro over {names}: {_named(base)} has {100 * base.macro.value:.1f}. Differences "
        "from it, in points, with 95 % intervals over sentences:"
    ]
    kinds: dict[str, list[ArmRow]] = {"Better": [], "Worse": [], "Not significantly different": []}
    for row in compared:
        kinds[_kind(row.difference)].append(row)
    lines = [
        f"* {kind}: {'; '.join(_difference_text(row) for row in rows)}."
        for kind, rows in kinds.items()
        if rows
    ]
    parts.append("\n".join(lines))
    return Answer(tuple(parts), tuple(_caveats(table, runs)))


def _kind(difference: Estimate | None) -> str:
    if difference is None or difference.low <= 0 <= difference.high:
        return "Not significantly different"
    return "Better" if difference.low > 0 else "Worse"


def _named(row: ArmRow) -> str:
    return f"arm {row.number} ({row.title})" if row.number else row.title


def _difference_text(row: ArmRow) -> str:
    text = f"{_named(row)} {_points(row.difference)}"
    if row.difference_over_seeds is not None:
        between = row.difference_over_seeds
        text += f", over seeds [{100 * between.low:+.1f} to {100 * between.high:+.1f}]"
    return text


def _points(value: Estimate | None) -> str:
    if value is None:
        return ""
    return f"{100 * value.value:+.1f} [{100 * value.low:+.1f} to {100 * value.high:+.1f}]"


def _caveats(table: ArmTable, runs: Sequence[ArmMetrics]) -> Iterator[str]:
    few = [row.number or row.name for row in table.rows if len(row.seeds) < ENOUGH_SEEDS]
    if few:
        yield (
            f"Fewer than {ENOUGH_SEEDS} seeds: arms {', '.join(few)}. An interval over sentences "
            "does not include the effect of the seed."
        )
    if len(table.rows) > 2:
        yield (
            f"{len(table.rows) - 1} arms are compared with one, each at 95 %: of twenty equal "
            "arms, one is expected to look different."
        )
    if remark := unlike(runs):
        yield remark
    sizes = {row.parameters for row in table.rows if row.parameters is not None}
    if len(sizes) > 1:
        yield "The students differ in size; the table has their parameters."
    forms = {run.preset or "in torch" for run in runs if run.parameters is not None}
    if len(forms) > 1:
        yield f"The students were evaluated in different forms: {', '.join(sorted(forms))}."
    sentences = {code: len(runs[0].languages[code].rows) for code in table.languages}
    fewest = min(sentences, key=lambda code: sentences[code])
    yield f"The smallest gold, {table.languages[fewest]}, has {sentences[fewest]} sentences."


def arm_figures(table: ArmTable) -> list[Figure]:
    """Draw the difference of each arm from the reference.

    table (ArmTable): The arms.
    RETURNS (List[Figure]): The drawing; none if nothing is compared.
    """
    compared = [row for row in table.rows if row.difference is not None]
    if not compared:
        return []
    figure = draw(
        "arms",
        f"Macro F1 of the arms minus that of {table.reference}",
        "points of F1 with 95 % intervals over sentences; right of the dotted line is better",
        [_named(row) for row in compared],
        lambda axes: _differences(axes, compared),
    )
    return [figure]


def _differences(axes: "Axes", rows: Sequence[ArmRow]) -> None:
    axes.axvline(0, color="black", linewidth=1, linestyle=":")
    for at, row in enumerate(rows):
        if row.difference is not None:
            axes.errorbar(
                row.difference.value * 100,
                at,
                xerr=error_bars(row.difference, 100),
                linewidth=1.5,
                markersize=8,
                **style_of(0),
            )
    name_rows(axes, [row.number or row.name for row in rows])
    axes.set_xlabel("Points of macro F1")


def _text(table: ArmTable) -> Iterator[str]:
    yield markdown(table).strip()
    differences = difference_table(table)
    if len(differences):
        yield markdown_table(differences)


def difference_table(table: ArmTable) -> DataFrame:
    """Make a table of the difference of each arm from the reference, by language.

    table (ArmTable): The arms.
    RETURNS (DataFrame): One row per arm, without the reference.
    """
    rows = [
        [
            _named(row),
            *(estimate_cell(row.language_differences[code], "share") for code in table.languages),
            estimate_cell(row.difference, "share"),
        ]
        for row in table.rows
        if row.difference is not None
    ]
    caption = f"F1 minus that of {table.reference}, in points, with 95 % intervals over sentences"
    return make_table(caption, ("Arm", *table.languages.values(), "Macro"), rows)
