"""Named settings: the default and its alternatives, all tuned on the same sentences."""

from ..errors import Errors, OpticalError
from .config import AlignConfig

DEFAULT_ALIGNER = "partial"

# Tuned on sentences in seven languages that are in no table of results, see docs/alignment.md.
ALIGNERS: dict[str, AlignConfig] = {
    "partial": AlignConfig(),
    "partial-fixed": AlignConfig(null="fixed", null_mass=0.15, mass_power=0.5),
    "partial-pair": AlignConfig(null="pair", null_mass=0.0, null_slope=0.8, mass_power=0.5),
    "exact": AlignConfig(solver="exact", mass_power=0.5),
    "entropic": AlignConfig(solver="entropic", regularisation=0.1, mass_power=0.5),
    "unbalanced": AlignConfig(solver="unbalanced", regularisation=0.05, relaxation=0.3),
    "softmax": AlignConfig(solver="softmax", agreement=0.0, distortion=0.03, masses="uniform"),
    "iterative_argmax": AlignConfig(solver="iterative_argmax", agreement=0.0),
    "mutual_argmax": AlignConfig(solver="mutual_argmax", agreement=0.0),
    "diagonal": AlignConfig(solver="diagonal"),
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
