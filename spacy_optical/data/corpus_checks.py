"""Statistics of a corpus: words shared by gold and bitext, tokenization, entities, unseen names."""

from collections import Counter
from collections.abc import Iterable, Sequence

from ..errors import Errors, OpticalError
from .bitext import BitextPair
from .conll import TaggedSentence
from .decontamination import key_of
from .gold import marked_text
from .word_tokenizer import tokenizer_for

# Gold and bitext of one language share more words than this, if both are large enough.
LEAST_SHARED = 0.05
ENOUGH_PAIRS, ENOUGH_WORDS = 200, 200


def shared_words(
    language: str, pairs: Sequence[BitextPair], gold: Sequence[TaggedSentence]
) -> float | None:
    """Get the share of gold words with letters that occur in the target side of the bitext.

    language (str): The language code.
    pairs (Sequence[BitextPair]): The pairs.
    gold (Sequence[TaggedSentence]): The gold sentences.
    RETURNS (Optional[float]): 0 to 1; 1 if gold has no words with letters, None without gold.
    RAISES (OpticalError): If almost no words are shared.
    """
    if not gold:
        return None
    known = {key_of(word) for pair in pairs for word in pair.target.split()}
    every = [word for sentence in gold for word in sentence.words]
    words = [word for word in every if any(c.isalpha() for c in word)]
    share = sum(key_of(word) in known for word in words) / len(words) if words else 1.0
    if len(pairs) >= ENOUGH_PAIRS and len(every) >= ENOUGH_WORDS and share < LEAST_SHARED:
        raise OpticalError(Errors.E238.format(lang=language, share=share))
    return round(share, 4)


def split_words(sentences: Iterable[TaggedSentence], language: str) -> float:
    """Get the share of gold words that the tokenizer of the bitext splits.

    sentences (Iterable[TaggedSentence]): Gold sentences.
    language (str): The language of the tokenizer.
    RETURNS (float): 0 to 1.
    """
    tokenizer = tokenizer_for(language)
    words = Counter(word for sentence in sentences for word in sentence.words)
    split = sum(n for word, n in words.items() if len(tokenizer.make_doc(word)) > 1)
    return round(split / max(1, words.total()), 4)


def entity_counts(sentences: Iterable[TaggedSentence]) -> dict[str, int]:
    """Count the entities of sentences by type."""
    counts = Counter(label for sentence in sentences for _, _, label in sentence.spans)
    return dict(sorted(counts.items()))


def unseen_names(test: Sequence[TaggedSentence], train: Sequence[TaggedSentence]) -> float | None:
    """Get the share of the names in the test that are not in train. None without a test."""
    names, known = (
        {
            (entity.label, marked.surface(entity).casefold())
            for marked in map(marked_text, sentences)
            for entity in marked.entities
        }
        for sentences in (test, train)
    )
    return len(names - known) / max(1, len(names)) if test else None
