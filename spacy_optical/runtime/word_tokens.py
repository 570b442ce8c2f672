"""The words of a document, and the words that a model gets."""

from collections.abc import Sequence

from spacy.tokens import Doc, Token


def word_tokens(doc: Doc) -> list[Token]:
    """Get the tokens of a document that are not whitespace.

    doc (Doc): The document.
    RETURNS (List[Token]): The tokens in order.
    """
    return [token for token in doc if not token.is_space]


# Shorter texts may be abbreviations.
LEAST_CAPITALS = 3


def words_to_read(tokens: Sequence[Token]) -> list[str]:
    """Get the words of a document as input for a model.

    In a text in capitals, e.g. a headline, case has no meaning, and the pieces of the words are
    rare in training data. The model gets capitalized words instead.

    tokens (Sequence[Token]): The words of a document.
    RETURNS (List[str]): Their texts. Capitalized if the document has at least three words in upper
        case and no lower-case letter.
    """
    words = [token.text for token in tokens]
    if "".join(words).isupper() and sum(map(str.isupper, words)) >= LEAST_CAPITALS:
        return [word.capitalize() for word in words]
    return words
