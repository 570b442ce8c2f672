"""Tables for the terminal and for Markdown."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from wasabi import table as wasabi_table

from .schema import ProfileReport
from .tables import main_tables

if TYPE_CHECKING:
    from pandas import DataFrame

# Columns that keep their intervals in Markdown.
SUMMARIES = ("Macro", "Macro F1", "F1 kept %", "Speed, one text")
INTERVAL = r" \[[^\]]* to [^\]]*\]$"


def without_intervals(frame: "DataFrame", keep: Collection[str] = ()) -> "DataFrame":
    """Remove the intervals from cells."""
    return frame.replace({name: INTERVAL for name in frame if name not in keep}, "", regex=True)


def terminal_text(report: ProfileReport) -> str:
    """Format the main tables for a terminal."""
    parts = [terminal_table(table) for table in main_tables(report)]
    parts.extend(f"⚠ {warning}" for warning in report.warnings)
    return "\n".join(parts)


def terminal_table(table: "DataFrame") -> str:
    """Format a table for a terminal."""
    rows, header = without_intervals(table).values.tolist(), list(table)
    aligns = ["l", *"r" * (len(header) - 1)]
    drawn: str = wasabi_table(rows, header=header, divider=True, aligns=aligns)
    return f"{table.columns.name}\n{drawn}"


def markdown_text(report: ProfileReport) -> str:
    """Format the main tables as Markdown, with the machine and the settings."""
    tables = [without_intervals(table, SUMMARIES) for table in main_tables(report)]
    parts = list(map(markdown_table, tables))
    machine, settings = report.machine, report.settings
    waiting = "Time spent waiting for a CPU is subtracted. " if settings.threads == 1 else ""
    instructions = ", ".join(machine.simd_flags) or "not known"
    parts.append(
        f"Measured on {machine.cpu} ({machine.logical_cpus} CPUs, {instructions}), "
        f"threads: {settings.threads}, {settings.texts} texts of {settings.words:,} words, "
        f"{settings.rounds} rounds in alternating order, each pipeline in fresh processes. "
        f"{waiting}Brackets are 95 % intervals. 1 MB is 10^6 bytes."
    )
    parts.extend(f"Note: {warning}" for warning in report.warnings)
    return "\n\n".join(parts) + "\n"


def markdown_table(table: "DataFrame") -> str:
    """Format a table with its caption as Markdown."""
    rule = ["---", *["---:"] * (len(table.columns) - 1)]
    rows = [[cell.replace("|", "\\|") for cell in row] for row in table.values.tolist()]
    lines = [f"| {' | '.join(row)} |" for row in (list(table), rule, *rows)]
    return f"{table.columns.name}:\n\n" + "\n".join(lines)
