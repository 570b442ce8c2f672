"""Augmentation: copies of training sentences in which names are replaced by names of the same type.

Target sentences have no labels. A name in a translation is only replaced if the English name, or
CLDR's name of a country or month in the language, occurs in it exactly once with the same letters.
"""

import random
import re
from collections.abc import Sequence

from ..compat import require
from .markup import MarkedEntity, MarkedText

# CLDR's language codes that differ from the codes of corpora.
_CLDR = {"tl": "fil"}
# Start and end in a text, and the replacement.
_Swap = tuple[int, int, str]
# Names in another language by their English names.
_Names = dict[str, str]


def augment_english(sentences: Sequence[MarkedText], *, copies: int, seed: int) -> list[MarkedText]:
    """Make copies of English sentences with other people, organisations and places.

    sentences (Sequence[MarkedText]): The training sentences, which also provide the names.
    copies (int): How many copies to try for each sentence.
    seed (int): The random seed.
    RETURNS (List[MarkedText]): The copies that differ from all sentences and from each other.
    """
    rng = random.Random(seed)
    pool = _pool(sentences)
    made: dict[str, MarkedText] = {}
    for marked in [*sentences] * copies:
        surfaces = [
            rng.choice(list(pool[entity.label]))
            if entity.label in pool and rng.random() < 0.7
            else marked.surface(entity)
            for entity in marked.entities
        ]
        altered = _with_surfaces(marked, surfaces)
        made.setdefault(altered.text, altered)
    known = {marked.text for marked in sentences}
    return [altered for text, altered in made.items() if text not in known]


def augment_pairs(
    pairs: Sequence[tuple[MarkedText, str]],
    language: str,
    *,
    copies: int,
    seed: int,
    more: Sequence[MarkedText] = (),
) -> list[tuple[str, str]]:
    """Make copies of bitext with names replaced on both sides.

    pairs (Sequence[Tuple[MarkedText, str]]): English sentences with gold entities, and their plain
        translations.
    language (str): The language of the translations.
    copies (int): How many copies to try for each pair.
    seed (int): The random seed.
    more (Sequence[MarkedText]): More English training sentences to take names from.
    RETURNS (List[Tuple[str, str]]): Plain pairs that differ from all pairs and from each other.
    """
    rng = random.Random(f"{seed} {language}")
    pool = _pool([*(source for source, _ in pairs), *more])
    territories, months = _local_names(language) if copies else ({}, {})

    def names_for(old: str, label: str) -> list[tuple[str, _Names]]:
        if label == "DATE":
            return [(month, months) for month in months]
        known = [territories, pool[label]] if label == "LOC" else [pool[label]]
        return [(old, names) for names in known if old in names]

    made = []
    for source, target in [*pairs] * copies:
        surfaces: list[str] = []
        swaps: list[_Swap] = []
        for entity in source.entities:
            surface = source.surface(entity)
            if _place(surface, source.text) is not None:
                names = names_for(surface, entity.label)
                new, swap = _exchange(surface, target, names, rng)
                if swap and not any(swap[0] < end and start < swap[1] for start, end, _ in swaps):
                    surface = new
                    swaps.append(swap)
            surfaces.append(surface)
        made.append((_with_surfaces(source, surfaces).text, _swapped(target, swaps)))
    known = {(source.text, target) for source, target in pairs}
    return [pair for pair in dict.fromkeys(made) if pair not in known]


def _exchange(
    old: str, target: str, names: Sequence[tuple[str, _Names]], rng: random.Random
) -> tuple[str, _Swap | None]:
    """Choose a new English name, and the same swap in the translation if there is one.

    `names` are the parts of the old name that can be replaced, with the possible replacements.
    """
    for english, translations in names:
        within, place = _place(english, old), _place(translations[english], target)
        if within is not None and place is not None:
            new = rng.choice(list(translations))
            return _swapped(old, [(*within, new)]), (*place, translations[new])
    return old, None


def _place(name: str, text: str) -> tuple[int, int] | None:
    """Find a name that occurs exactly once in a text, as whole words."""
    places = list(re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", text))
    return places[0].span() if len(places) == 1 else None


def _swapped(text: str, swaps: Sequence[_Swap]) -> str:
    for start, end, new in sorted(swaps, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _pool(sentences: Sequence[MarkedText]) -> dict[str, _Names]:
    """Collect names by type. Dates are not replaced: another date may not fit the grammar."""
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
    """Get CLDR's names of countries and months that are known in English and the language."""
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
