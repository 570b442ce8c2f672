"""The files of a corpus folder, which the `corpus` command writes and training reads."""

from dataclasses import dataclass
from pathlib import Path

from ..errors import Errors, OpticalError

MARKER = "corpus.json"  # counts and hashes; a folder without this file is not a corpus
GOLD = "gold"


@dataclass(frozen=True)
class CorpusFolder:
    """The files of the corpus folder `path`."""

    path: Path

    @property
    def source_train(self) -> Path:
        """Labelled documents of the source language for training."""
        return self.path / "english" / "train.spacy"

    @property
    def source_dev(self) -> Path:
        """Labelled documents of the source language for choosing the best model."""
        return self.path / "english" / "dev.spacy"

    def bitext(self, language: str) -> Path:
        """Get the path of the sentence pairs of a language, without labels."""
        return self.path / "bitext" / f"{language}.jsonl"

    def text(self, language: str) -> Path:
        """Get the path of the sentences without translations. Not all languages have any."""
        return self.path / "text" / f"{language}.jsonl"

    def target_files(self, language: str) -> list[Path]:
        """Get the training files of a language: its bitext, and its text if there is any."""
        return [self.bitext(language), *filter(Path.is_file, [self.text(language)])]

    def gold(self, language: str, split: str) -> Path:
        """Get the path of the labelled documents for evaluation; `split` is `dev` or `test`."""
        return self.path / GOLD / f"{language}-{split}.spacy"


def gold_files(folder: Path, split: str) -> dict[str, Path]:
    """Find the gold files of a corpus.

    folder (Path): The `gold` folder of the corpus.
    split (str): `dev` or `test`.
    RETURNS (Dict[str, Path]): Files by language, sorted.
    RAISES (OpticalError): If there are none.
    """
    files = sorted(Path(folder).glob(f"*-{split}.spacy"))
    if not files:
        raise OpticalError(Errors.E002.format(what=f"{split} gold", path=folder))
    return {path.name.removesuffix(f"-{split}.spacy"): path for path in files}
