"""The labels of `optical_ner` on 20 sentences of each language of the assets.

    python labels.py assets/parallel/test.jsonl labels.json             # write them
    python labels.py assets/parallel/test.jsonl labels.json --compare   # compare with the file

Needs only an installed spacy_optical. Scores are not compared: some processors round products of
8-bit numbers otherwise.
"""

import json
import platform
import re
import sys
from itertools import islice
from pathlib import Path

import spacy

SENTENCES = 20
ENTITY = re.compile(r"\[([^\]]+)\]\([A-Z]+\)")


def labels_of(path: Path) -> dict[str, list]:
    """Give the entities of each sentence, by language and id."""
    nlp = spacy.blank("xx")
    nlp.add_pipe("optical_ner")
    found = {}
    with path.open(encoding="utf8") as lines:
        for group in map(json.loads, islice(lines, SENTENCES)):
            for language, marked in group.items():
                if language not in ("id", "genre"):
                    doc = nlp(ENTITY.sub(r"\1", marked))
                    ents = [[ent.start_char, ent.end_char, ent.label_] for ent in doc.ents]
                    found[f"{language} {group['id']}"] = ents
    return found


def main(source: str, out: str, *options: str) -> int:
    """Write the labels, or compare them; RETURNS (int): the exit code."""
    found = labels_of(Path(source))
    languages = len({key.partition(" ")[0] for key in found})
    print(f"{platform.machine()}: {len(found)} sentences of {languages} languages")
    if "--compare" not in options:
        Path(out).write_text(json.dumps(found, indent=1), encoding="utf8")
        return 0
    expected = json.loads(Path(out).read_text(encoding="utf8"))
    differing = [key for key in expected if found.get(key) != expected[key]]
    for key in differing:
        print(f"{key}: {found.get(key)} instead of {expected[key]}")
    print(f"{len(expected) - len(differing)} of {len(expected)} sentences have equal labels")
    return int(bool(differing))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
