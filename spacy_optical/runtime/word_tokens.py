"""The words of a document, and the words that a model gets."""

from unicodedata import category

from spacy.tokens import Doc, Token

# Major classes of Unicode: control and format characters, marks, separators.
_ALONE_INVISIBLE = "CMZ"


def is_word(text: str) -> bool:
    """Check whether a token is a word: not whitespace, and not only invisible characters.

    text (str): The text of the token. A byte order mark or zero width space alone is no word.
    RETURNS (bool): Whether a model gets the token.
    """
    return text.isalnum() or any(category(c)[0] not in _ALONE_INVISIBLE for c in text)


def word_tokens(doc: Doc) -> list[Token]:
    """Get the tokens of a document that are words.

    doc (Doc): The document.
    RETURNS (List[Token]): The tokens in order, see `is_word`.
    """
    return [token for token in doc if is_word(token.text)]


# Shorter texts may be abbreviations.
LEAST_CAPITALS = 3


def words_to_read(doc: Doc) -> tuple[list[int], list[str]]:
    """Get the words of a document as input for a model.

    In a text in capitals, e.g. a headline, case has no meaning, and the pieces of the words are
    rare in training data. The model gets capitalized words instead.

    doc (Doc): The document.
    RETURNS (Tuple[List[int], List[str]]): The indices of the tokens that are words, and
        their texts. These are capitalized if the document has at least three words in upper case
        and no lower-case letter.
    """
    # No list of tokens is kept: so many new objects start garbage collections of the whole process,
    # which took 3 % of the time of `sm`.
    words = [token.text for token in doc]
    tokens = [number for number, word in enumerate(words) if is_word(word)]
    if len(tokens) < len(words):
        words = [words[number] for number in tokens]
    if "".join(words).isupper() and sum(map(str.isupper, words)) >= LEAST_CAPITALS:
        words = [word.capitalize() for word in words]
    return tokens, words
