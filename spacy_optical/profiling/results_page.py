"""A page of results in Markdown, made from metrics files and nothing else."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..files import written_whole
from .answer import QUESTION, answer
from .drawing import Figure
from .figures import draw_figures
from .metrics_file import read_metrics, read_study
from .report import FIGURE_FOLDER, METRICS_FILE, alone, findings
from .schema import ProfileReport
from .study import check_study
from .study_tables import study_tables
from .text import markdown_table, markdown_text

STUDY_FILE = "study.json"
# The figures that answer; the report of each run has the others.
SHOWN = ("frontier", "control", "f1-languages", "steps")


def write_results(folders: Sequence[Path], path: Path) -> list[Path]:
    """Write a page of results, and the figures that it shows beside the metrics.

    folders (Sequence[Path]): Each holds a `metrics.json`, and may hold a `study.json` that says
        what the pipelines are to each other.
    path (Path): The page.
    RETURNS (List[Path]): The page, then the figures.
    RAISES (OpticalError): If a file is missing or breaks its schema, before anything is written.
    """
    reports = [(Path(folder), read_run(Path(folder))) for folder in folders]
    figures = [
        [figure for figure in draw_figures(report) if figure.name.startswith(SHOWN)]
        for _, report in reports
    ]
    paths = [Path(path)]
    parts = [_head(path, folders)]
    for (folder, report), drawn in zip(reports, figures, strict=True):
        for figure in drawn:
            paths.append(folder / FIGURE_FOLDER / f"{figure.name}.svg")
            with written_whole(paths[-1]) as temporary:
                temporary.write_text(alone(figure), encoding="utf8")
        parts.extend(_section(folder, report, drawn, Path(path).parent))
    with written_whole(paths[0]) as temporary:
        temporary.write_text("\n\n".join(parts) + "\n", encoding="utf8")
    return paths


def read_run(folder: Path) -> ProfileReport:
    """Read a run, with the study beside it in place of its own.

    folder (Path): As for `write_results`.
    RETURNS (ProfileReport): The figures.
    RAISES (OpticalError): If a file is missing, breaks its schema, or speaks of other pipelines.
    """
    report = read_metrics(folder / METRICS_FILE)
    if (folder / STUDY_FILE).is_file():
        study = read_study(folder / STUDY_FILE)
        check_study(study, report.names)
        report = report.model_copy(update={"study": study})
    return report


def _head(path: Path, folders: Sequence[Path]) -> str:
    listed = " ".join(Path(folder).as_posix() for folder in folders)
    command = f"python -m spacy optical results {listed}"
    return (
        "# Results\n\n"
        "This page shows what was measured. It is made from metrics files by\n\n"
        f"```bash\n{command} --out {Path(path).as_posix()}\n```\n\n"
        "so edit the files, not the page. [metrics.md](metrics.md) says what each figure means."
    )


def _section(
    folder: Path, report: ProfileReport, figures: Sequence[Figure], beside: Path
) -> Iterator[str]:
    yield f"## {folder.name}"
    found = answer(report)
    if found is not None:
        yield f"*{QUESTION}*"
        yield from found.parts
        yield "What to hold against it:"
        yield "\n".join(f"* {caveat}" for caveat in found.caveats)
    sentences = findings(report)
    if sentences:
        yield "Against the baseline:"
        yield "\n".join(f"* {sentence}" for sentence in sentences)
    for figure in figures:
        link = os.path.relpath(folder / FIGURE_FOLDER / f"{figure.name}.svg", beside)
        yield f"![{figure.text}]({Path(link).as_posix()})"
    for table in study_tables(report):
        yield f"{table.caption}:\n\n{markdown_table(table, every_interval=True)}"
    yield markdown_text(report).strip()
