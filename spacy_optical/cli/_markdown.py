"""Replace the results in a Markdown file."""

from pathlib import Path

from ..errors import Errors, OpticalError
from ..files import write_text

START, END = "<!-- results:start -->", "<!-- results:end -->"


def replace_results(path: Path, text: str) -> None:
    """Replace the text between the lines `START` and `END` of a file."""
    before, after = check_marks(path)
    write_text(path, f"{before}{START}\n\n{text.strip()}\n\n{END}{after}")


def check_marks(path: Path) -> tuple[str, str]:
    """Check that a file has the lines `START` and `END`, and get the texts around them."""
    if not path.is_file():
        raise OpticalError(Errors.E002.format(what="file", path=path))
    before, start, rest = path.read_text(encoding="utf8").partition(START)
    _, end, after = rest.partition(END)
    if not (start and end):
        raise OpticalError(Errors.E615.format(path=path, start=START, end=END))
    return before, after
