"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from ..data.bitext import Format

ConfigPath = Annotated[Path, Argument(metavar="CONFIG", help="Config file")]
Teacher = Annotated[Path, Argument(help="The teacher's folder")]
TrainedModel = Annotated[Path, Argument(help="A student's or teacher's folder")]
BundleFolder = Annotated[Path, Argument(help="The bundle's folder")]
PipelineFolder = Annotated[Path, Argument(help="The pipeline's folder")]
OutputFolder = Annotated[Path, Argument(help="Output folder")]
Resume = Annotated[bool, Option("--resume", "-r", help="Continue an interrupted run")]
Markdown = Annotated[
    Path | None,
    Option(help="Markdown file in which to update the tables, between its results marks"),
]

Encoder = Annotated[Path, Option("--encoder", "-e", help="Folder of the encoder")]
Layers = Annotated[
    list[int],
    Option(
        "--layer",
        "-l",
        default_factory=list,
        show_default=False,
        help="Layer of the encoder; repeatable, to use the mean of several layers [default: 7]",
    ),
]
Aligner = Annotated[str, Option("--aligner", "-a", help="Name of the aligner")]
SourceLanguage = Annotated[str, Option("--source", help="Source language")]
Threshold = Annotated[float, Option(min=0, max=1, help="Minimum confidence of an entity")]
SkipBelow = Annotated[float, Option(min=0, max=1, help="Minimum similarity of a usable pair")]

Keys = Annotated[
    str,
    Option(
        "--keys",
        "-k",
        help="Names of source and target in the file, separated by a comma: JSON keys, TMX "
        "languages, endings of Moses files, or names or numbers of TSV columns [default: the "
        "language codes]",
    ),
]
BitextFormat = Annotated[
    Format | None, Option("--format", help="Format of the bitext [default: from the file name]")
]
Unescape = Annotated[
    bool, Option("--unescape", help="Turn HTML entities and doubled quotes into characters")
]

_FILES = "Gold folder of the corpus command; its {} files are used"
GoldTest = Annotated[Path | None, Option("--gold-folder", help=_FILES.format("test"))]
GoldDev = Annotated[Path | None, Option("--gold-folder", help=_FILES.format("dev"))]
Gold = Annotated[
    list[str],
    Option(
        "--gold",
        "-g",
        metavar="LANG=FILE",
        default_factory=list,
        show_default=False,
        help="Gold .spacy file; repeatable",
    ),
]

MaxP50 = Annotated[str | None, Option(help="Maximum median latency, such as 5ms")]
MaxRss = Annotated[str | None, Option(help="Maximum peak memory, such as 200MB")]
MaxAboveFloor = Annotated[
    str | None, Option(help="Maximum peak memory above the imports, such as 60MB")
]
MaxDisk = Annotated[str | None, Option(help="Maximum size of the files, such as 20MB")]
