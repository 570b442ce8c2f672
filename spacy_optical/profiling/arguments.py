"""Reading the command's arguments that are more than one value."""

from collections.abc import Iterable

from ..errors import Errors, OpticalError


def parse_pairs(texts: Iterable[str], *, form: str, example: str) -> dict[str, str]:
    """Read texts such as `sw=gold/sw.spacy`.

    texts (Iterable[str]): The texts.
    form (str): What they should look like, for the error.
    example (str): One that is right, for the error.
    RETURNS (Dict[str, str]): What stands before and after the first `=`.
    RAISES (OpticalError): If one has another form, or two give the same name.
    """
    pairs: dict[str, str] = {}
    for text in texts:
        key, _, value = text.partition("=")
        if not key or not value:
            raise OpticalError(Errors.E613.format(text=text, form=form, example=example))
        if key in pairs:
            raise OpticalError(Errors.E008.format(name=key, first=pairs[key], second=value))
        pairs[key] = value
    return pairs


def parse_numbers(text: str) -> tuple[int, ...]:
    """Read whole numbers with commas between.

    text (str): The text, e.g. `1,16,64`.
    RETURNS (Tuple[int, ...]): The numbers.
    RAISES (OpticalError): If there is anything else.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() for part in parts):
        raise OpticalError(Errors.E613.format(text=text, form="N,N", example="1,16,64"))
    return tuple(map(int, parts))
