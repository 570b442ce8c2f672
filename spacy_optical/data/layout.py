"""Where things are in a corpus folder: what the `corpus` command writes and training reads."""

from dataclasses import dataclass
from pathlib import Path

from ..errors import Errors, OpticalError

MARKER = "corpus.json"  # counts and hashes; a folder without it is not a corpus
GOLD = "gold"


@dataclass(frozen=True)
class CorpusFolder:
    """The files of the corpus folder `path`."""

    path: Path

    @property
    def record(self) -> Path:
        """Counts of the corpus, and the hashes of what it was made from."""
        return self.path / MARKER

    @property
    def source_train(self) -> Path:
        """Labelled documents of the source language that train."""
        return self.path / "english" / "train.spacy"

    @property
    def source_dev(self) -> Path:
        """Labelled documents of the source language that the best model is chosen by."""
        return self.path / "english" / "dev.spacy"

    def bitext(self, language: str) -> Path:
        """Give the sentence pairs of a language, text alone."""
        return self.path / "bitext" / f"{language}.jsonl"

    def text(self, language: str) -> Path:
        """Give the sentences of a language without translations; not every language has any."""
        return self.path / "text" / f"{language}.jsonl"

    def target_files(self, language: str) -> list[Path]:
        """Give the files of a language that train: its bitext, and its text where there is some."""
        return [self.bitext(language), *filter(Path.is_file, [self.text(language)])]

    def gold(self, language: str, split: str) -> Path:
        """Give the labelled documents that evaluate a language; `split` is `dev` or `test`."""
        return self.path / GOLD / f"{language}-{split}.spacy"


def gold_files(folder: Path, split: str) -> dict[str, Path]:
    """Find the gold files of a corpus.

    folder (Path): The corpus's `gold` folder.
    split (str): `dev` or `test`.
    RETURNS (Dict[str, Path]): Files by language, sorted.
    RAISES (OpticalError): If there is none.
    """
    files = sorted(Path(folder).glob(f"*-{split}.spacy"))
    if not files:
        raise OpticalError(Errors.E002.format(what=f"{split} gold", path=folder))
    return {path.name.removesuffix(f"-{split}.spacy"): path for path in files}
