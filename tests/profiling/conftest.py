"""Two tiny pipelines measured once, for all tests that look at a report."""

from pathlib import Path

import pytest
import spacy
from spacy.tokens import DocBin

from spacy_optical.profiling.measure import profile
from spacy_optical.profiling.options import Options
from spacy_optical.profiling.schema import ExtraRow, ProfileReport
from spacy_optical.profiling.workload import Target

from ..util import toy_bundle

# For measured processes, as --code.
HOLDS_MEMORY = """
import numpy as np
from spacy.language import Language

@Language.factory("holds_memory", default_config={"megabytes": 0})
def make(nlp, name, megabytes):
    held = np.ones(megabytes * 1_000_000, dtype=np.uint8)
    def hold(doc):
        return doc if len(held) >= 0 else None
    return hold
"""

GOLD = {
    "en": [("Amina Juma lives in Nairobi .", {"Amina Juma": "PER", "Nairobi": "LOC"})],
    "sw": [
        ("Amina Juma anaishi Nairobi .", {"Amina Juma": "PER", "Nairobi": "LOC"}),
        ("Juma alirudi Kisumu mwezi wa Juni", {"Juma": "PER", "Kisumu": "LOC", "Juni": "DATE"}),
        ("Benki Kuu imefungwa leo", {"Benki Kuu": "ORG"}),
    ],
}


def write_gold(path: Path, rows: list[tuple[str, dict[str, str]]]) -> None:
    """Write a `.spacy` file of sentences with their entities."""
    nlp = spacy.blank("xx")
    docs = []
    for text, entities in rows:
        doc = nlp(text)
        starts = {name: text.index(name) for name in entities}
        doc.ents = [
            doc.char_span(start, start + len(name), label=entities[name])
            for name, start in starts.items()
        ]
        docs.append(doc)
    DocBin(docs=docs).to_disk(path)


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a bundle, a pipeline of spaCy's own, one without entities, and gold."""
    folder = tmp_path_factory.mktemp("profiling")
    toy_bundle().to_disk(folder / "bundle")
    nlp = spacy.blank("xx")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns(
        [
            {"label": "PLACE", "pattern": "Nairobi"},
            {"label": "PER", "pattern": "Juma"},
            {"label": "ORG", "pattern": "Benki Kuu"},
            {"label": "DATE", "pattern": "Juni"},
            {"label": "GREETING", "pattern": "leo"},
        ]
    )
    nlp.to_disk(folder / "ruler")
    silent = spacy.blank("xx")
    silent.add_pipe("sentencizer")
    silent.to_disk(folder / "silent")
    for language, rows in GOLD.items():
        write_gold(folder / f"{language}.spacy", rows)
    return folder


@pytest.fixture(scope="session")
def gold(places: Path) -> dict[str, Path]:
    """The gold files by language."""
    return {language: places / f"{language}.spacy" for language in GOLD}


@pytest.fixture(scope="session")
def report(places: Path, gold: dict[str, Path]) -> ProfileReport:
    """The two pipelines against each other, as quickly as can be."""
    return profile(
        [Target.parse(f"ruler={places / 'ruler'}"), Target.parse(f"toy={places / 'bundle'}")],
        gold=gold,
        options=Options(
            seconds=0.2,
            rounds=2,
            starts=1,
            batch_sizes=(2, 8),
            baseline="ruler",
            label_map={"PLACE": "LOC"},
        ),
        extra=[ExtraRow(name="without OT", f1={"sw": 0.5})],
    )
