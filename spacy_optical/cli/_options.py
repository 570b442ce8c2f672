"""Arguments and options of several commands."""

from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option

from ..data.bitext import Format

ConfigPath = Annotated[Path, Argument(metavar="CONFIG", help="Config file")]
Teacher = Annotated[Path, Argument(help="Folder of the teacher")]
TrainedModel = Annotated[Path, Argument(help="Folder of a student or teacher")]
BundleFolder = Annotated[Path, Argument(help="Folder of the bundle")]
PipelineFolder = Annotated[Path, Argument(help="Folder of the pipeline")]
OutputFolder = Annotated[Path, Argument(help="Output folder")]
Resume = Annotated[bool, Option("--resume", "-r", help="Continue an interrupted run")]
Preset = Annotated[str, Option("--preset", "-p", help="auto, fp32, int8 or int8-vnni")]
EngineName = Annotated[
    Literal["local", "ray", "spark"], Option("--engine", help="Engine of the workers")
]
Force = Annotated[bool, Option("--force", "-f", help="Write the bundle even if it fails")]
Markdown = Annotated[
    Path | None, Option(help="Markdown file whose tables between the results marks are updated")
]

Encoder = Annotated[Path, Option("--encoder", "-e", help="Folder of the encoder")]
Layers = Annotated[
    list[int],
    Option(
        "--layer",
        "-l",
        default_factory=list,
        show_default=False,
        help="Layer of the encoder; repeatable, for the mean of several [default: 7]",
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
        help="Source and target as JSON keys, TMX languages, endings of Moses files, or names or "
        "numbers of TSV columns, separated by a comma [default: the language codes]",
    ),
]
BitextFormat = Annotated[
    Format | None, Option("--format", help="Format of the bitext [default: from the file name]")
]
Unescape = Annotated[
    bool, Option("--unescape", help="Replace HTML entities and doubled quotes by characters")
]

_FILES = "Gold folder of the corpus command, to use its {} files"
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
