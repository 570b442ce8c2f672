"""The options by which commands are given gold documents."""

from pathlib import Path

from ..data.layout import gold_files
from ._app import named_paths


def gold_of(options: list[str], folder: Path | None, split: str) -> dict[str, Path]:
    """Join single gold files with those of a corpus folder.

    options (List[str]): Values of `--gold`, as LANG=FILE.
    folder (Optional[Path]): Value of `--gold-folder`: the corpus command's `gold` folder.
    split (str): Which of that folder's files: `dev` or `test`.
    RETURNS (Dict[str, Path]): Files by language; a single file wins over the folder's.
    """
    return (gold_files(folder, split) if folder is not None else {}) | named_paths(options)
