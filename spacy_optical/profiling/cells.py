"""Figures as text, and tables of them."""

from dataclasses import dataclass

from .schema import Estimate


@dataclass(frozen=True)
class Cell:
    """One figure as text.

    text (str): The figure; a dash where it was not measured.
    interval (str): Its interval, or nothing.
    """

    text: str
    interval: str = ""


@dataclass(frozen=True)
class Table:
    """A table of text; the first column names the row.

    caption (str): What it shows, with the units.
    header (Tuple[str, ...]): Names of the columns.
    rows (Tuple[Tuple[Cell, ...], ...]): The cells.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


MISSING = Cell("–")


def number(value: float) -> str:
    """Write a number with three significant digits, thousands with a comma.

    value (float): The number.
    RETURNS (str): The text.
    """
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 0.1 or not size else 4
    return f"{value:,.{digits}f}"


def cell(value: Estimate | float | None, *, scale: float = 1.0, unit: str = "") -> Cell:
    """Write a figure.

    value (Optional[Union[Estimate, float]]): The figure.
    scale (float): What it is multiplied by, e.g. 100 for percent.
    unit (str): Text after the number.
    RETURNS (Cell): The cell, with the interval if it has a width.
    """
    if value is None:
        return MISSING
    if not isinstance(value, Estimate):
        return Cell(number(value * scale) + unit)
    low, high = number(value.low * scale), number(value.high * scale)
    text = number(value.value * scale) + unit
    return Cell(text) if low == high else Cell(text, f"{low} to {high}")


def score(value: Estimate | float | None) -> Cell:
    """Write a share of 1 in percent, with one decimal place.

    value (Optional[Union[Estimate, float]]): The share.
    RETURNS (Cell): The cell, with the interval if it has a width.
    """
    if value is None:
        return MISSING
    if not isinstance(value, Estimate):
        return Cell(f"{value * 100:.1f}")
    text = f"{value.value * 100:.1f}"
    if value.low == value.high:
        return Cell(text)
    return Cell(text, f"{value.low * 100:.1f} to {value.high * 100:.1f}")


def used_columns(table: Table) -> Table:
    """Leave out the columns that hold nothing.

    table (Table): The table.
    RETURNS (Table): The table without them.
    """
    kept = [
        column
        for column in range(len(table.header))
        if any(row[column] != MISSING for row in table.rows)
    ]
    return Table(
        table.caption,
        tuple(table.header[column] for column in kept),
        tuple(tuple(row[column] for column in kept) for row in table.rows),
    )
