"""The words of a document, and how a model reads them."""

from collections.abc import Sequence

from spacy.tokens import Doc, Token


def word_tokens(doc: Doc) -> list[Token]:
    """Give the tokens of a document that are words. spaCy makes tokens of extra white space too.

    doc (Doc): The document.
    RETURNS (List[Token]): Its tokens in order, without those that are only white space.
    """
    return [token for token in doc if not token.is_space]


# Shorter texts may be abbreviations.
LEAST_CAPITALS = 3


def words_to_read(tokens: Sequence[Token]) -> list[str]:
    """Give words as a model is to read them.

    A text in capital letters alone, e.g. a headline, says nothing by its case, and its words have
    pieces that are rare in training text. It is read with one capital letter a word.

    tokens (Sequence[Token]): The words of a document.
    RETURNS (List[str]): Their texts; capitalized if the document has three words or more in upper
        case and no letter in lower case.
    """
    words = [token.text for token in tokens]
    if "".join(words).isupper() and sum(map(str.isupper, words)) >= LEAST_CAPITALS:
        return [word.capitalize() for word in words]
    return words
