"""A page of results in Markdown, generated from metrics files."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from spacy_optical.errors import OpticalError
from spacy_optical.files import read_record, write_text, written_whole
from spacy_optical.profiling.figures import Figure, draw_figures
from spacy_optical.profiling.report import FIGURE_FOLDER, METRICS_FILE
from spacy_optical.profiling.text import markdown_table, markdown_text

from .answer import QUESTION, Answer, answer
from .errors import Errors
from .findings import findings
from .frontier import frontier_figures
from .study import StudiedReport, check_study, read_study
from .study_figures import study_figures
from .study_tables import study_tables

STUDY_FILE = "study.json"
# The figures of a profile that the page shows; the report of the profile has the others.
SHOWN = ("f1-languages",)


@dataclass(frozen=True)
class Part:
    """A section of the page, made from the metrics of one folder.

    argument (str): The folder as an argument of the command.
    title (str): The heading.
    folder (Path): The folder, also for the figures.
    answer (Optional[Answer]): The answer to the research question.
    figures (Tuple[Figure, ...]): The drawings.
    text (Tuple[str, ...]): Markdown blocks after the drawings.
    """

    argument: str
    title: str
    folder: Path
    answer: Answer | None
    figures: tuple[Figure, ...]
    text: tuple[str, ...]


def run_part(folder: Path, study: Path | None = None) -> Part:
    """Make a section of a profile.

    folder (Path): The folder with a `metrics.json` and an optional `study.json`.
    study (Optional[Path]): The study of a folder without a `study.json`.
    RETURNS (Part): The section.
    RAISES (OpticalError): If a file is missing or invalid, or the study has other pipelines.
    """
    folder = Path(folder)
    report = read_run(folder, study)
    return Part(
        argument=folder.as_posix(),
        title=folder.name,
        folder=folder,
        answer=answer(report),
        figures=tuple(_figures(report)),
        text=tuple(_run_text(report)),
    )


def read_run(folder: Path, study: Path | None = None) -> StudiedReport:
    """Read a profile with its study: the `study.json`, or `study`, or the study in the profile.

    folder, study: As for `run_part`.
    RETURNS (StudiedReport): The figures.
    RAISES (OpticalError): As `run_part`.
    """
    report = read_record(folder / METRICS_FILE, StudiedReport)
    beside = folder / STUDY_FILE
    path = beside if beside.is_file() else study
    if path is None:
        return report
    study_file = read_study(path)
    check_study(study_file, report.names)
    return report.model_copy(update={"study": study_file})


def _figures(report: StudiedReport) -> Iterator[Figure]:
    yield from frontier_figures(report)
    yield from (one for one in draw_figures(report) if one.name in SHOWN)
    yield from study_figures(report)


def write_page(parts: Sequence[Part], path: Path, summary: Path | None = None) -> list[Path]:
    """Write a page of results, and its figures to the folders of the metrics.

    parts (Sequence[Part]): Its sections.
    path (Path): The page.
    summary (Optional[Path]): A text file with the answer in one paragraph. It stands at the top,
        with the first figure of the first section.
    RETURNS (List[Path]): The page, then the figures.
    RAISES (OpticalError): If the summary is missing.
    """
    text = _summary_text(summary)
    path = Path(path)
    paths = [path]
    for part in parts:
        for figure in part.figures:
            paths.append(_figure_path(part, figure))
            with written_whole(paths[-1]) as temporary:
                temporary.write_bytes(figure.svg)
    blocks, answers = [_head(path, parts, summary)], list(_answers(parts))
    if text or answers:
        blocks += ["## Answer", f"*{QUESTION}*"]
    if text:
        blocks += [text, *(_picture(parts[0], one, path.parent) for one in parts[0].figures[:1])]
    blocks += answers
    for part in parts:
        blocks.extend(_section(part, path.parent))
    write_text(path, "\n\n".join(blocks) + "\n")
    return paths


def _figure_path(part: Part, figure: Figure) -> Path:
    return part.folder / FIGURE_FOLDER / f"{figure.name}.svg"


def _summary_text(path: Path | None) -> str:
    if path is None:
        return ""
    if not path.is_file():
        raise OpticalError(Errors.E002.format(what="summary", path=path))
    return path.read_text(encoding="utf8").strip()


def _head(path: Path, parts: Sequence[Part], summary: Path | None) -> str:
    listed = " ".join(part.argument for part in parts)
    command = f"python -m research page {listed}"
    command += f" --summary {summary.as_posix()}" if summary else ""
    return (
        "# Results\n\n"
        "This page is generated from metrics files by\n\n"
        f"```bash\n{command} --out {path.as_posix()}\n```\n\n"
        "Edit the files, not the page. [metrics.md](metrics.md) explains the figures and "
        "[experiments.md](experiments.md) the arms."
    )


def _answers(parts: Sequence[Part]) -> Iterator[str]:
    """The answers of all parts, for the top of the page."""
    answers = [(part.title, part.answer) for part in parts if part.answer is not None]
    for title, one in answers:
        yield f"From [{title}](#{title}):"
        yield from one.parts
        yield "Limitations:"
        yield "\n".join(f"* {caveat}" for caveat in one.caveats)


def _section(part: Part, beside: Path) -> Iterator[str]:
    yield f"## {part.title}"
    for figure in part.figures:
        yield _picture(part, figure, beside)
    yield from part.text


def _picture(part: Part, figure: Figure, beside: Path) -> str:
    link = os.path.relpath(_figure_path(part, figure), beside)
    return f"![{figure.text}]({Path(link).as_posix()})"


def _run_text(report: StudiedReport) -> Iterator[str]:
    sentences = findings(report)
    if sentences:
        yield "Compared with the baseline:"
        yield "\n".join(f"* {sentence}" for sentence in sentences)
    for table in study_tables(report):
        yield markdown_table(table)
    yield markdown_text(report).strip()
