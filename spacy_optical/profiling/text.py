"""Tables for the terminal and for Markdown, and their place in a file."""

from pathlib import Path

from wasabi import table as wasabi_table

from ..errors import Errors, OpticalError
from ..files import written_whole
from .cells import Table
from .recommend import budget_table
from .schema import ProfileReport
from .tables import cost_table, f1_table, ratio_table, threads_text

SUMS = ("Macro", "Macro F1", "F1 kept %", "Speed, one text")
START, END = "<!-- results:start -->", "<!-- results:end -->"


def main_tables(report: ProfileReport) -> list[Table]:
    """Give the tables that answer first.

    report (ProfileReport): The figures.
    RETURNS (List[Table]): F1 by language, cost, the comparison with the baseline, and what fits
        the budget, as far as there are figures for them.
    """
    budget = report.settings.budget
    found = [
        f1_table(report),
        cost_table(report),
        ratio_table(report),
        None if budget is None else budget_table(report, budget),
    ]
    return [table for table in found if table is not None]


def terminal_text(report: ProfileReport) -> str:
    """Write the main tables for a terminal.

    report (ProfileReport): The figures.
    RETURNS (str): The text.
    """
    parts = [terminal_table(table) for table in main_tables(report)]
    parts.extend(f"⚠ {warning}" for warning in report.warnings)
    return "\n".join(parts)


def terminal_table(table: Table) -> str:
    """Write a table for a terminal.

    table (Table): The table.
    RETURNS (str): The text.
    """
    rows = [[cell.text for cell in row] for row in table.rows]
    aligns = ["l", *"r" * (len(table.header) - 1)]
    drawn: str = wasabi_table(rows, header=table.header, divider=True, aligns=aligns)
    return f"{table.caption}\n{drawn}"


def markdown_text(report: ProfileReport) -> str:
    """Write the main tables as Markdown, with where and how they were measured.

    report (ProfileReport): The figures.
    RETURNS (str): The text.
    """
    parts = [f"{table.caption}:\n\n{markdown_table(table)}" for table in main_tables(report)]
    machine, settings = report.machine, report.settings
    instructions = ", ".join(simd_flags(report)) or "not known"
    parts.append(
        f"Measured on {machine.cpu} ({machine.logical_cpus} CPUs, {instructions}), "
        f"{threads_text(settings.threads)}, {settings.texts} texts of "
        f"{settings.words:,} words, {settings.rounds} rounds of alternating order, each pipeline "
        "in fresh processes; waiting for a CPU that other programs had is subtracted. Brackets are "
        "95 % intervals. 1 MB is 10^6 bytes."
    )
    parts.extend(f"Note: {warning}" for warning in report.warnings)
    return "\n\n".join(parts) + "\n"


def simd_flags(report: ProfileReport) -> list[str]:
    """Pick the CPU flags that decide how fast matrices are multiplied.

    report (ProfileReport): The figures.
    RETURNS (List[str]): The flags.
    """
    wanted = ("avx2", "avx512", "avx_vnni", "amx", "asimd", "sve", "i8mm", "bf16")
    return [flag for flag in report.machine.flags if flag.startswith(wanted)]


def markdown_table(table: Table, *, every_interval: bool = False) -> str:
    """Write a table as Markdown.

    table (Table): The table.
    every_interval (bool): Whether all cells show their intervals; else those of columns that sum
        others up.
    RETURNS (str): The text.
    """
    lines = [
        "| " + " | ".join(table.header) + " |",
        "|" + "|".join(["---", *["---:"] * (len(table.header) - 1)]) + "|",
    ]
    for row in table.rows:
        cells = [cell.text.replace("|", "\\|") for cell in row]
        for at, name in enumerate(table.header):
            # Where a column sums others up, the reader needs to know how sure it is.
            if row[at].interval and (every_interval or name in SUMS):
                cells[at] += f" [{row[at].interval}]"
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def replace_results(path: Path, text: str) -> None:
    """Put text between the two marks of a file, in place of what was there.

    path (Path): A file with the lines `<!-- results:start -->` and `<!-- results:end -->`.
    text (str): The text.
    RAISES (OpticalError): If the file or its marks are missing.
    """
    path = Path(path)
    before, start, rest = _readable(path).partition(START)
    _, end, after = rest.partition(END)
    if not (start and end):
        raise OpticalError(Errors.E615.format(path=path, start=START, end=END))
    with written_whole(path) as temporary:
        new = f"{before}{start}\n\n{text.strip()}\n\n{end}{after}"
        temporary.write_text(new, encoding="utf8")


def check_marks(path: Path) -> None:
    """Look for the two marks in a file, before anything is measured.

    path (Path): The file.
    RAISES (OpticalError): If the file or its marks are missing.
    """
    _, start, rest = _readable(Path(path)).partition(START)
    if not (start and END in rest):
        raise OpticalError(Errors.E615.format(path=path, start=START, end=END))


def _readable(path: Path) -> str:
    if not path.is_file():
        raise OpticalError(Errors.E002.format(what="file", path=path))
    return path.read_text(encoding="utf8")
