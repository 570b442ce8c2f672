"""Entity F1 of a tagger, by spaCy's own scorer."""

from collections.abc import Sequence
from typing import Any

from spacy.scorer import Scorer
from spacy.tokens import Doc, Span
from spacy.training import Example

from ..runtime.decode import decode
from ..runtime.pieces import WordPieces
from .reading import read_sentences
from .sentences import plain_sentence, spacy_words
from .tagger import WordTagger


def entity_scores(
    tagger: WordTagger, gold: Sequence[Doc], pieces: WordPieces, tags: Sequence[str]
) -> dict[str, Any]:
    """Score a tagger on gold documents.

    tagger (WordTagger): The tagger.
    gold (Sequence[Doc]): Documents with entities; their own words are what is read.
    pieces (WordPieces): The tagger's tokenizer.
    tags (Sequence[str]): The tagger's BIO tags.
    RETURNS (Dict[str, Any]): spaCy's `ents_p`, `ents_r`, `ents_f` and `ents_per_type`, 0 to 1.
    """
    tokens = [spacy_words(doc) for doc in gold]
    sentences = [
        plain_sentence((doc[i].text for i in numbers), pieces)
        for doc, numbers in zip(gold, tokens, strict=True)
    ]
    readings = read_sentences(tagger, sentences, pieces)
    examples = []
    for doc, numbers, reading in zip(gold, tokens, readings, strict=True):
        guess = Doc(
            doc.vocab, words=[t.text for t in doc], spaces=[bool(t.whitespace_) for t in doc]
        )
        spans = decode(reading.logits, tags)
        guess.set_ents(
            [Span(guess, numbers[s.start], numbers[s.end - 1] + 1, label=s.label) for s in spans]
        )
        examples.append(Example(guess, doc))
    return Scorer.score_spans(examples, "ents")
