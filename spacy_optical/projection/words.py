"""Sentences as the words and labelled spans that an alignment works on."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import spacy
from spacy.language import Language
from spacy.tokens import Doc

from ..errors import Errors, OpticalError
from ..runtime.word_tokens import word_tokens


@dataclass(frozen=True)
class Sentence:
    """A document's words and spans, without the tokens that are only space.

    doc (Doc): The document.
    tokens (Tuple[int, ...]): Each word's token in it.
    words (Tuple[str, ...]): The words.
    spans (Tuple[Tuple[int, int, str], ...]): Start, end (excluded) and label, in words.
    """

    doc: Doc
    tokens: tuple[int, ...]
    words: tuple[str, ...]
    spans: tuple[tuple[int, int, str], ...]


def sentence_of(doc: Doc, labels: Mapping[str, str] | None = None) -> Sentence:
    """Read a document's words and entities.

    doc (Doc): The document.
    labels (Optional[Mapping[str, str]]): New names of the labels; others are left out. By default
        all are kept as they are.
    RETURNS (Sentence): Its words and spans.
    """
    tokens = tuple(token.i for token in word_tokens(doc))
    place = {token: word for word, token in enumerate(tokens)}
    spans = []
    for entity in doc.ents:
        inside = [place[token.i] for token in entity if token.i in place]
        label = entity.label_ if labels is None else labels.get(entity.label_)
        if inside and label is not None:
            spans.append((inside[0], inside[-1] + 1, label))
    return Sentence(doc, tokens, tuple(doc[i].text for i in tokens), tuple(spans))


def load_labeller(name: str | Path | Language) -> Language:
    """Load the spaCy pipeline that labels the source side.

    name (Union[str, Path, Language]): An installed pipeline's name, its folder, or a pipeline that
        is loaded already.
    RETURNS (Language): The pipeline.
    RAISES (OpticalError): If there is none of that name.
    """
    if not isinstance(name, str | Path):
        return name
    try:
        return spacy.load(name)
    except (OSError, ImportError) as err:
        reason = str(err).partition("\n")[0]
        raise OpticalError(Errors.E318.format(name=name, reason=reason)) from err


def label_map(text: str) -> dict[str, str] | None:
    """Read a label map such as `PERSON=PER,GPE=LOC,DATE`.

    text (str): Labels with commas between; one without `=` keeps its name. Empty: no map.
    RETURNS (Optional[Dict[str, str]]): New names by old ones.
    RAISES (OpticalError): If an entry has an empty side.

    >>> label_map("PERSON=PER,DATE")
    {'PERSON': 'PER', 'DATE': 'DATE'}
    """
    if not text.strip():
        return None
    names = {}
    for entry in text.split(","):
        old, equals, new = (part.strip() for part in entry.partition("="))
        if not old or (equals and not new):
            raise OpticalError(Errors.E317.format(entry=entry))
        names[old] = new or old
    return names


def check_map(labels: Mapping[str, str], labeller: Language) -> None:
    """Make sure that a pipeline has the labels that a map renames or keeps.

    labels (Mapping[str, str]): New names by old ones.
    labeller (Language): The pipeline. Where none of its components says what labels it has,
        nothing is checked.
    RAISES (OpticalError): If labels of the map are unknown to it.
    """
    known = {
        label
        for name, _ in labeller.pipeline
        if "doc.ents" in labeller.get_pipe_meta(name).assigns
        for label in labeller.pipe_labels.get(name, ())
    }
    unknown = sorted(set(labels) - known)
    if known and unknown:
        have = ", ".join(sorted(known))
        raise OpticalError(Errors.E323.format(unknown=", ".join(unknown), known=have))
