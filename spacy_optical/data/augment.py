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
# Start and end in a text, and what comes there instead.
_Swap = tuple[int, int, str]
# Names in another language by the English ones.
_Names = dict[str, str]


def augment_english(sentences: Sequence[MarkedText], *, copies: int, seed: int) -> list[MarkedText]:
    """Make copies of English sentences whose people, organisations and places are exchanged.

    sentences (Sequence[MarkedText]): The training sentences; their names are the pool.
    copies (int): How many copies to try of each sentence.
    seed (int): Seed of the choice.
    RETURNS (List[MarkedText]): The copies that differ from every sentence and from each other.
    """
    rng = random.Random(seed)
    pool = _pool(sentences)
    known = {marked.text for marked in sentences}
    made = []
    for _ in range(copies):
        for marked in sentences:
            surfaces = [
                rng.choice(list(pool[entity.label]))
                if entity.label in pool and rng.random() < 0.7
                else marked.surface(entity)
                for entity in marked.entities
            ]
            altered = _with_surfaces(marked, surfaces)
            if altered.text not in known:
                known.add(altered.text)
                made.append(altered)
    return made


def augment_pairs(
    pairs: Sequence[tuple[MarkedText, str]],
    language: str,
    *,
    copies: int,
    seed: int,
    more: Sequence[MarkedText] = (),
) -> list[tuple[str, str]]:
    """Make copies of bitext in which names are exchanged on both sides at once.

    pairs (Sequence[Tuple[MarkedText, str]]): English sentences with gold entities and their plain
        translations.
    language (str): The translations' language.
    copies (int): How many copies to try of each pair.
    seed (int): Seed of the choice.
    more (Sequence[MarkedText]): More English training sentences, whose names may be drawn too.
    RETURNS (List[Tuple[str, str]]): Plain pairs that differ from those given and from each other.
    """
    rng = random.Random(f"{seed} {language}")
    pool = _pool([*(source for source, _ in pairs), *more])
    territories, months = _local_names(language) if copies else ({}, {})

    def names_for(old: str, label: str) -> list[tuple[str, _Names]]:
        if label == "DATE":
            return [(month, months) for month in months]
        known = [territories, pool[label]] if label == "LOC" else [pool[label]]
        return [(old, names) for names in known if old in names]

    known = {(source.text, target) for source, target in pairs}
    made = []
    for _ in range(copies):
        for source, target in pairs:
            surfaces: list[str] = []
            swaps: list[_Swap] = []
            for entity in source.entities:
                old = source.surface(entity)
                surfaces.append(old)
                if _place(old, source.text) is None:
                    continue
                new = _exchange(old, target, names_for(old, entity.label), rng)
                if new is not None and not _overlaps(new[1], swaps):
                    surfaces[-1] = new[0]
                    swaps.append(new[1])
            pair = (_with_surfaces(source, surfaces).text, _swapped(target, swaps))
            if pair not in known:
                known.add(pair)
                made.append(pair)
    return made


def _exchange(
    old: str, target: str, names: Sequence[tuple[str, _Names]], rng: random.Random
) -> tuple[str, _Swap] | None:
    """Draw a new English name for an old one, and what to write where in the translation.

    names (Sequence[Tuple[str, Dict[str, str]]]): What may be exchanged within the old name, and for
        that the translations of English names, its own among them.
    """
    for english, translations in names:
        within, place = _place(english, old), _place(translations[english], target)
        if within is not None and place is not None:
            new = rng.choice(list(translations))
            return _swapped(old, [(*within, new)]), (*place, translations[new])
    return None


def _place(name: str, text: str) -> tuple[int, int] | None:
    """Find a name that stands in a text as whole words, and once."""
    places = list(re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", text))
    return places[0].span() if len(places) == 1 else None


def _overlaps(swap: _Swap, others: Sequence[_Swap]) -> bool:
    return any(swap[0] < end and start < swap[1] for start, end, _ in others)


def _swapped(text: str, swaps: Sequence[_Swap]) -> str:
    """Make all swaps at once: their places are those of the text as it was."""
    for start, end, new in sorted(swaps, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _pool(sentences: Sequence[MarkedText]) -> dict[str, _Names]:
    """Collect the names to draw from; dates keep to their sentences, whose grammar they fit."""
    pool: dict[str, _Names] = {}
    for marked in sentences:
        for entity in marked.entities:
            if entity.label != "DATE":
                name = marked.surface(entity)
                pool.setdefault(entity.label, {})[name] = name
    return pool


def _with_surfaces(marked: MarkedText, surfaces: Sequence[str]) -> MarkedText:
    text, entities, at = "", [], 0
    for entity, surface in zip(marked.entities, surfaces, strict=True):
        text += marked.text[at : entity.start]
        entities.append(MarkedEntity(len(text), len(text) + len(surface), entity.label))
        text += surface
        at = entity.end
    return MarkedText(text + marked.text[at:], tuple(entities))


def _local_names(language: str) -> tuple[_Names, _Names]:
    """Give CLDR's names of countries and of months, where it knows them in both languages."""
    babel = require("babel")
    english = babel.Locale.parse("en")
    try:
        local = babel.Locale.parse(_CLDR.get(language, language))
    except (babel.UnknownLocaleError, ValueError):
        return {}, {}
    territories = {
        english.territories[code]: local.territories[code]
        for code in sorted(english.territories)
        if code.isalpha() and local.territories.get(code)
    }
    names, local_names = (locale.months["format"]["wide"] for locale in (english, local))
    return territories, {names[number]: local_names[number] for number in range(1, 13)}
