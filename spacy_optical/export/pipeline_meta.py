"""Sources, performance and notes for the `meta.json` of a pipeline."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..data.sources import DataConfig
from ..errors import Errors, OpticalError

NOTES = (
    "Entity scores are means over the target languages; `performance.languages` has each "
    "language and label. No label of a target language was used for training."
)


def sources_of(config: DataConfig) -> list[dict[str, str]]:
    """List the training data sets in the format of spaCy's `meta.json`.

    config (DataConfig): The data sets. Gold of target languages is left out.
    RETURNS (List[Dict[str, str]]): `name`, `license` and `url`. Local files have no `url`.
    """
    parts: list[tuple[str, str, list[str]]] = [
        (name, part.licence, [*part.train, *part.dev]) for name, part in config.sources.items()
    ]
    for language in config.languages.values():
        for sets in (language.bitext, language.text):
            parts += [(name, part.licence, part.files) for name, part in sets.items()]
    sources = {}
    for name, licence, files in parts:
        url = next(filter(None, map(_repository, files)), "")
        sources[name, url] = {"name": name, "license": licence, **({"url": url} if url else {})}
    return list(sources.values())


def _repository(address: str) -> str:
    """Return the repository of a file on GitHub, or the folder of a file on another host."""
    parts = urlsplit(address)
    if not parts.scheme.startswith("http"):
        return ""
    if parts.netloc == "raw.githubusercontent.com":
        return "https://github.com/" + "/".join(parts.path.split("/")[1:3])
    return f"{parts.scheme}://{parts.netloc}{parts.path.rpartition('/')[0]}"


def performance_of(path: Path) -> dict[str, Any]:
    """Read the scores of a model in the format of spaCy's `meta.json`.

    path (Path): The output of the `evaluate` command.
    RETURNS (Dict[str, Any]): Means of `ents_p`, `ents_r` and `ents_f` over the languages except
        English, and `languages` with the scores of each language, 0 to 1.
    RAISES (OpticalError): If the file is missing or has the wrong format.
    """
    if not path.is_file():
        raise OpticalError(Errors.E002.format(what="file of scores", path=path))
    try:
        (row,) = json.loads(path.read_text(encoding="utf8"))
        languages = row["scores"]
        chosen = [score for code, score in languages.items() if code != "en"]
        chosen = chosen or list(languages.values())
        means = {
            key: sum(score[key] or 0.0 for score in chosen) / len(chosen)
            for key in ("ents_p", "ents_r", "ents_f")
        }
    except (ValueError, TypeError, KeyError, AttributeError, ZeroDivisionError) as err:
        raise OpticalError(Errors.E515.format(path=path)) from err
    return means | {"languages": languages}
