"""The tables of the model card, from scores and from the config of the data."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from wasabi import MarkdownRenderer

from spacy_optical.data.sources import load_data_config
from spacy_optical.errors import Errors, OpticalError
from spacy_optical.export.pipeline_meta import performance_of, sources_of
from spacy_optical.files import write_text

SECTION = "<!-- {name}: made by `python -m research card` -->\n"
END = "<!-- end -->"


def write_card(card: Path, scores: Sequence[tuple[str, Path]], data: Path) -> None:
    """Replace the generated tables of a model card.

    card (Path): A Markdown file with the sections `scores`, `labels` and `sources`.
    scores (Sequence[Tuple[str, Path]]): Name of each model, and its output file of `evaluate`.
    data (Path): The config that names the training data.
    RAISES (OpticalError): If a file is missing or invalid, or the card lacks a section.
    """
    if not card.is_file():
        raise OpticalError(Errors.E002.format(what="model card", path=card))
    models = {name: performance_of(path) for name, path in scores}
    text = card.read_text(encoding="utf8")
    sections = {
        "scores": score_table(models),
        "labels": label_table(next(iter(models.values()))),
        "sources": MarkdownRenderer().table(
            [
                (
                    f"[{source['name']}]({source['url']})" if "url" in source else source["name"],
                    source["license"],
                )
                for source in sources_of(load_data_config(data))
            ],
            ["data", "licence"],
        ),
    }
    for name, table in sections.items():
        start = SECTION.format(name=name)
        pattern = re.compile(re.escape(start) + ".*?" + re.escape(END), re.DOTALL)
        if not pattern.search(text):
            raise OpticalError(Errors.E002.format(what=f"section {start.strip()}", path=card))
        text = pattern.sub(lambda _, new=f"{start}{table}\n{END}": new, text)  # type: ignore[misc]
    write_text(card, text)


def score_table(models: dict[str, dict[str, Any]]) -> str:
    """Make a table of the F1 of each model by language, with the mean over the target languages."""
    languages = _languages(next(iter(models.values())))
    rows = [
        (
            name,
            *(_percent(scores["languages"][code]["ents_f"]) for code in languages if code != "en"),
            _percent(scores["ents_f"]),
            *([_percent(scores["languages"]["en"]["ents_f"])] if "en" in languages else []),
        )
        for name, scores in models.items()
    ]
    targets = [code for code in languages if code != "en"]
    english = ["en"] if "en" in languages else []
    header = ["F1", *targets, "mean without en" if english else "mean", *english]
    return MarkdownRenderer().table(rows, header, aligns=_aligns(header))


def label_table(scores: dict[str, Any]) -> str:
    """Make a table of the F1 of a model by label and language."""
    languages = _languages(scores)
    types = {code: scores["languages"][code]["ents_per_type"] for code in languages}
    labels = sorted({label for part in types.values() for label in part})
    rows = [
        (label, *(_percent(types[code].get(label, {}).get("f")) for code in languages))
        for label in labels
    ]
    header = ["F1", *languages]
    return MarkdownRenderer().table(rows, header, aligns=_aligns(header))


def _aligns(header: Sequence[str]) -> list[Literal["r", "c", "l"]]:
    return ["l" if at == 0 else "r" for at in range(len(header))]


def _languages(scores: dict[str, Any]) -> list[str]:
    return sorted(scores["languages"], key=lambda code: (code == "en", code))


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"
