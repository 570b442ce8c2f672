"""Format figures as text."""

from .schema import Estimate

MISSING = "–"


def number(value: float) -> str:
    """Format a number with about three significant digits and commas between thousands."""
    size = abs(value)
    if 0 < size < 0.0001:
        return f"{value:.1e}"
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 0.1 or not size else 4
    return f"{value:,.{digits}f}"


def percent(value: float) -> str:
    """Format a fraction in percent, with one decimal, or two below 0.1 %."""
    return f"{value * 100:.{2 if 0 < abs(value) < 0.001 else 1}f}"


FORMATS = {"share": percent, "count": "{:,.0f}".format, "times": lambda value: number(value) + "×"}


def cell(value: float, low: float, high: float, unit: str = "") -> str:
    """Format a figure and its interval.

    value (float): The figure. NaN if it was not measured.
    low (float): The lower end of the interval. NaN if there is none.
    high (float): The upper end.
    unit (str): The unit in `report_frame`.
    RETURNS (str): A text such as `1.23 [1.20 to 1.27]`. A dash for NaN.
    """
    if value != value:
        return MISSING
    write = FORMATS.get(unit, number)
    plain = percent if unit == "share" else number
    if low != low or plain(low) == plain(high):
        return write(value)
    return f"{write(value)} [{plain(low)} to {plain(high)}]"


def estimate_cell(value: Estimate | None, unit: str = "") -> str:
    """Format an estimate like `cell`. A dash for None."""
    return MISSING if value is None else cell(value.value, value.low, value.high, unit)
