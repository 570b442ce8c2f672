"""The entities of `optical_ner` in 20 sentences of each language of the assets.

    python labels.py assets/parallel/test.jsonl labels.json             # write them
    python labels.py assets/parallel/test.jsonl labels.json --compare   # compare with the file

Needs only an installed spacy_optical. Scores are not compared: some processors round products of
8-bit numbers otherwise.
"""

import json
import platform
import re
import sys
from importlib.metadata import version
from itertools import islice
from pathlib import Path

import spacy

SENTENCES = 20
ENTITY = re.compile(r"\[([^\]]+)\]\([A-Z]+\)")


def entities_of(path: Path) -> dict[str, list]:
    """Give the entities of each sentence (offsets, label and text), by language and id."""
    nlp = spacy.blank("xx")
    nlp.add_pipe("optical_ner")
    found = {}
    with path.open(encoding="utf8") as lines:
        for group in map(json.loads, islice(lines, SENTENCES)):
            for language, marked in group.items():
                if language not in ("id", "genre"):
                    doc = nlp(ENTITY.sub(r"\1", marked))
                    ents = [[e.start_char, e.end_char, e.label_, e.text] for e in doc.ents]
                    found[f"{language} {group['id']}"] = ents
    return found


def main(source: str, out: str, *options: str) -> int:
    """Write the entities, or compare them; RETURNS (int): the exit code."""
    found = entities_of(Path(source))
    languages = dict.fromkeys(key.partition(" ")[0] for key in found)
    packages = ("spacy_optical", "spacy", "onnxruntime", "numpy")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    print(f"{platform.machine()}: Python {platform.python_version()}, {versions}")
    entities = sum(map(len, found.values()))
    print(f"{entities} entities in {len(found)} sentences: {' '.join(languages)}")
    if "--compare" not in options:
        Path(out).write_text(json.dumps(found, indent=1), encoding="utf8")
        return 0
    expected = json.loads(Path(out).read_text(encoding="utf8"))
    differing = [key for key in expected if found.get(key) != expected[key]]
    for key in differing:
        print(f"{key}: {found.get(key)} instead of {expected[key]}")
    print(f"{len(expected) - len(differing)} of {len(expected)} sentences have equal entities")
    return int(bool(differing))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
