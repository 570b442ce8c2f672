"""Words and entities of sentences, for alignment."""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc

from ..errors import Errors, OpticalError
from ..runtime.load_model import load_model
from ..runtime.word_tokens import word_tokens


@dataclass(frozen=True)
class Sentence:
    """The words and entities of a document, without whitespace tokens.

    doc (Doc): The document.
    tokens (Tuple[int, ...]): The token index of each word.
    words (Tuple[str, ...]): The words.
    spans (Tuple[Tuple[int, int, str], ...]): Start, end (excluded) and label, in words.
    """

    doc: Doc
    tokens: tuple[int, ...]
    words: tuple[str, ...]
    spans: tuple[tuple[int, int, str], ...]


def sentence_of(doc: Doc, labels: Mapping[str, str] | None = None) -> Sentence:
    """Get the words and entities of a document.

    doc (Doc): The document.
    labels (Optional[Mapping[str, str]]): New names by label. Other labels are left out. By default,
        all labels are kept.
    RETURNS (Sentence): The words and entities.
    """
    tokens = tuple(token.i for token in word_tokens(doc))
    spans = []
    for entity in doc.ents:
        start, end = bisect_left(tokens, entity.start), bisect_left(tokens, entity.end)
        label = entity.label_ if labels is None else labels.get(entity.label_)
        if start < end and label is not None:
            spans.append((start, end, label))
    return Sentence(doc, tokens, tuple(doc[i].text for i in tokens), tuple(spans))


def load_labeller(name: str | Path | Language) -> Language:
    """Load the spaCy pipeline that labels the source sentences.

    name (Union[str, Path, Language]): The name or folder of a pipeline or bundle, or a loaded
        pipeline.
    RETURNS (Language): The pipeline.
    RAISES (OpticalError): If there is no such pipeline, or a component of it is not installed.
    """
    return name if isinstance(name, Language) else load_model(name)


def label_map(text: str) -> dict[str, str] | None:
    """Read a label map such as `PERSON=PER,GPE=LOC,DATE`.

    text (str): Labels, separated by commas. A label without `=` keeps its name.
    RETURNS (Optional[Dict[str, str]]): New names by label. None for an empty text.
    RAISES (OpticalError): If a name is missing.

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
    """Check that a pipeline has the labels of a map.

    labels (Mapping[str, str]): New names by label.
    labeller (Language): The pipeline. It is not checked if none of its components lists its labels.
    RAISES (OpticalError): If the pipeline does not have a label.
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
