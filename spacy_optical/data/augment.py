"""Altered copies of training text: names of one type change places.

A target sentence's own entities are not consulted: a name is exchanged in a translation only where
the English name, or CLDR's localised form of a territory or month, stands there letter for letter
and once. So augmentation teaches nothing that English labels and plain bitext did not hold.
"""

import random
import re
from collections.abc import Sequence

from ..compat import require
from .markup import MarkedEntity, MarkedText

# CLDR's code where it is not the corpus's own.
_CLDR = {"tl": "fil"}
_TERRITORY = re.compile(r"[A-Z]{2}")


def augment_english(sentences: Sequence[MarkedText], *, copies: int, seed: int) -> list[MarkedText]:
    """Make copies of English sentences whose people, organisations and places are exchanged.

    sentences (Sequence[MarkedText]): The training sentences; their names are the pool.
    copies (int): How many copies to try of each sentence.
    seed (int): Seed of the choice.
    RETURNS (List[MarkedText]): The copies that differ from every sentence and from each other.
    """
    chance = random.Random(seed)
    pool = _pool(sentences)
    known = {marked.text for marked in sentences}
    made = []
    for _ in range(copies):
        for marked in sentences:
            surfaces = [
                chance.choice(pool[entity.label])
                if entity.label in pool and chance.random() < 0.7
                else marked.surface(entity)
                for entity in marked.entities
            ]
            altered = _with_surfaces(marked, surfaces)
            if altered.text not in known:
                known.add(altered.text)
                made.append(altered)
    return made


def augment_pairs(
    pairs: Sequence[tuple[MarkedText, str]], language: str, *, copies: int, seed: int
) -> list[tuple[str, str]]:
    """Make copies of bitext in which names are exchanged on both sides at once.

    pairs (Sequence[Tuple[MarkedText, str]]): English sentences with gold entities and their plain
        translations.
    language (str): The translations' language.
    copies (int): How many copies to try of each pair.
    seed (int): Seed of the choice.
    RETURNS (List[Tuple[str, str]]): Plain pairs that differ from those given and from each other.
    """
    chance = random.Random(f"{seed} {language}")
    pool = _pool([source for source, _ in pairs])
    territories = _localised_territories(language) if copies else []
    months = _localised_months(language) if copies else []
    known = {(source.text, target) for source, target in pairs}
    made = []
    for _ in range(copies):
        for source, target in pairs:
            surfaces = []
            translation = target
            for entity in source.entities:
                old = source.surface(entity)
                new, translation = _exchange(
                    old, entity.label, translation, pool, territories, months, chance
                )
                surfaces.append(new)
            pair = (_with_surfaces(source, surfaces).text, translation)
            if pair not in known:
                known.add(pair)
                made.append(pair)
    return made


def _exchange(
    old: str,
    label: str,
    translation: str,
    pool: dict[str, list[str]],
    territories: list[tuple[str, str]],
    months: list[tuple[str, str]],
    chance: random.Random,
) -> tuple[str, str]:
    """Exchange one name on both sides, or neither; give the English name and the translation."""
    if label == "DATE":
        for english, local in months:
            if _once(english, old) and _once(local, translation):
                new_english, new_local = chance.choice(months)
                return _put(english, new_english, old), _put(local, new_local, translation)
        return old, translation
    local = dict(territories).get(old)
    if label == "LOC" and local is not None and _once(local, translation):
        new_english, new_local = chance.choice(territories)
        return new_english, _put(local, new_local, translation)
    if label in pool and _once(old, translation):
        new = chance.choice(pool[label])
        return new, _put(old, new, translation)
    return old, translation


def _whole_word(name: str) -> str:
    return rf"(?<!\w){re.escape(name)}(?!\w)"


def _once(name: str, text: str) -> bool:
    return len(re.findall(_whole_word(name), text)) == 1


def _put(old: str, new: str, text: str) -> str:
    return re.sub(_whole_word(old), lambda _: new, text)


def _pool(sentences: Sequence[MarkedText]) -> dict[str, list[str]]:
    """Collect the names to draw from; dates keep to their sentences, whose grammar they fit."""
    pool: dict[str, dict[str, None]] = {}
    for marked in sentences:
        for entity in marked.entities:
            if entity.label != "DATE":
                pool.setdefault(entity.label, {})[marked.surface(entity)] = None
    return {label: list(surfaces) for label, surfaces in pool.items()}


def _with_surfaces(marked: MarkedText, surfaces: Sequence[str]) -> MarkedText:
    text, entities, at = "", [], 0
    for entity, surface in zip(marked.entities, surfaces, strict=True):
        text += marked.text[at : entity.start]
        entities.append(MarkedEntity(len(text), len(text) + len(surface), entity.label))
        text += surface
        at = entity.end
    return MarkedText(text + marked.text[at:], tuple(entities))


def _localised_territories(language: str) -> list[tuple[str, str]]:
    """Pair the English and the local name of every country that CLDR names in both."""
    locale = require("babel").Locale
    english = locale.parse("en").territories
    local = locale.parse(_CLDR.get(language, language)).territories
    return [
        (english[code], local[code])
        for code in sorted(english)
        if _TERRITORY.fullmatch(code) and local.get(code)
    ]


def _localised_months(language: str) -> list[tuple[str, str]]:
    locale = require("babel").Locale
    english = locale.parse("en").months["format"]["wide"]
    local = locale.parse(_CLDR.get(language, language)).months["format"]["wide"]
    return [(english[number], local[number]) for number in range(1, 13)]
