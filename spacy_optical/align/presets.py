"""Named settings: the default and its alternatives, all tuned on the same sentences."""

from ..errors import Errors, OpticalError
from .config import AlignConfig

DEFAULT_ALIGNER = "partial"

# Tuned on sentences in seven languages that are in no table of results, see docs/alignment.md.
ALIGNERS: dict[str, AlignConfig] = {
    "partial": AlignConfig(),
    "exact": AlignConfig(solver="exact", mass_power=0.5),
    "softmax": AlignConfig(solver="softmax", agreement=0.0, distortion=0.03, masses="uniform"),
}


def aligner(name: str) -> AlignConfig:
    """Give a preset.

    name (str): Its name.
    RETURNS (AlignConfig): Its settings.
    RAISES (OpticalError): If there is none of that name.

    >>> aligner("exact").solver
    'exact'
    """
    if name not in ALIGNERS:
        raise OpticalError(Errors.E316.format(name=name, allowed=", ".join(ALIGNERS)))
    return ALIGNERS[name]
