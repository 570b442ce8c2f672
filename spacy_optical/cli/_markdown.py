"""The place of the results in a Markdown file."""

from pathlib import Path

from ..errors import Errors, OpticalError
from ..files import written_whole

START, END = "<!-- results:start -->", "<!-- results:end -->"


def replace_results(path: Path, text: str) -> None:
    """Replace what is between the two marks of a file, `START` and `END`.

    path (Path): The file.
    text (str): The text.
    RAISES (OpticalError): As `check_marks`.
    """
    before, after = check_marks(path)
    with written_whole(path) as temporary:
        new = f"{before}{START}\n\n{text.strip()}\n\n{END}{after}"
        temporary.write_text(new, encoding="utf8")


def check_marks(path: Path) -> tuple[str, str]:
    """Give what comes before and after the two marks of a file, also before anything is measured.

    path (Path): The file.
    RETURNS (Tuple[str, str]): The two texts.
    RAISES (OpticalError): If the file or its marks are missing.
    """
    if not path.is_file():
        raise OpticalError(Errors.E002.format(what="file", path=path))
    before, start, rest = path.read_text(encoding="utf8").partition(START)
    _, end, after = rest.partition(END)
    if not (start and end):
        raise OpticalError(Errors.E615.format(path=path, start=START, end=END))
    return before, after
