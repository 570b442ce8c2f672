"""Which tokens of a document are words: all but white space."""

from spacy.tokens import Doc, Token


def word_tokens(doc: Doc) -> list[Token]:
    """Give the tokens of a document that are words. spaCy makes tokens of extra white space too.

    doc (Doc): The document.
    RETURNS (List[Token]): Its tokens in order, without those that are only white space.
    """
    return [token for token in doc if not token.is_space]
