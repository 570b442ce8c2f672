"""Settings of an alignment, and the named settings (aligners)."""

from typing import ClassVar, Literal

from pydantic import Field, field_validator

from ..config import Section
from ..errors import Errors, OpticalError
from .solvers import SOLVERS


class AlignConfig(Section):
    """How the words of a sentence are aligned with the words of its translation.

    solver (str): `partial` (exact, some mass does not move), `exact` (all mass moves), `softmax`
        (no transport: the product of the probabilities of both directions), or a name registered
        in `SOLVERS`.
    masses (str): The mass of a word: the same for all (`uniform`), or its number of characters
        (`length`).
    mass_power (float): The exponent of the mass.
    centre (bool): Subtract the mean vector of each side before computing cosines.
    spelling (float): The weight of spelling similarity, which lowers the cost.
    punctuation (float): The cost added between punctuation and words.
    case (float): The cost added between a capitalised word and one that is not.
    distortion (float): The cost added per difference of relative position.
    agreement (float): Temperature of the agreement of both directions, which replaces the cost by
        1 - sqrt(p(j|i) p(i|j)). 0 does not change the cost.
    null_price (float): For `partial`: the cost above which mass does not move.
    temperature (float): Temperature of `softmax`.
    completion (float): For spans: the share of the missing mass of a target word that is added from
        the source words that match it best. This keeps "Vereinigtes Königreich" together if the
        plan moves all mass of "UK" to one of the two words.
    completion_temperature (float): Temperature of these matches.
    completion_price (float): The cost at which a target word matches no word with the same odds.
    gap_weight (float): The weight of mass that is missing inside a projected span.
    min_confidence (float): Projected spans with a lower confidence are left out.
    skip_below (float): The commands do not use pairs with a lower similarity.
    full_weight_above (float): Pairs with at least this similarity have weight 1. Below, the weight
        falls linearly to 0 at `skip_below`.
    """

    renamed: ClassVar[dict[str, str]] = {
        "identical": "spelling",
        "kinds": "punctuation",
        "adopt": "completion",
        "adopt_temperature": "completion_temperature",
        "adopt_price": "completion_price",
        "null_in_span": "gap_weight",
        "sure_above": "full_weight_above",
    }
    removed: ClassVar[frozenset[str]] = frozenset(
        {"numbers", "null", "null_mass", "null_slope", "regularisation", "relaxation", "iterations"}
    )

    solver: str = "partial"
    masses: Literal["uniform", "length"] = "length"
    mass_power: float = Field(1.0, ge=0)
    centre: bool = True
    spelling: float = Field(0.15, ge=0)
    punctuation: float = Field(0.1, ge=0)
    case: float = Field(0.2, ge=0)
    distortion: float = Field(0.0, ge=0)
    agreement: float = Field(0.06, ge=0)
    null_price: float = Field(0.95, gt=0)
    temperature: float = Field(0.1, gt=0)
    completion: float = Field(0.5, ge=0, le=1)
    completion_temperature: float = Field(0.08, gt=0)
    completion_price: float = Field(0.9, gt=0)
    gap_weight: float = Field(0.02, ge=0)
    min_confidence: float = Field(0.0, ge=0, le=1)
    skip_below: float = Field(0.25, ge=0, le=1)
    full_weight_above: float = Field(0.35, ge=0, le=1)

    @field_validator("solver")
    @classmethod
    def _is_known(cls, value: str) -> str:
        if value not in SOLVERS:
            raise ValueError(f"there is no solver '{value}'; choose one of {', '.join(SOLVERS)}")
        return value


DEFAULT_ALIGNER = "partial"

# Tuned on sentences in seven languages that are not used for results, see docs/alignment.md.
ALIGNERS: dict[str, AlignConfig] = {
    "partial": AlignConfig(),
    "exact": AlignConfig(solver="exact", mass_power=0.5),
    "softmax": AlignConfig(solver="softmax", agreement=0.0, distortion=0.03, masses="uniform"),
}


def aligner(name: str) -> AlignConfig:
    """Get the settings of an aligner.

    name (str): The name of the aligner.
    RETURNS (AlignConfig): The settings.
    RAISES (OpticalError): If there is no such aligner.

    >>> aligner("exact").solver
    'exact'
    """
    if name not in ALIGNERS:
        raise OpticalError(Errors.E316.format(name=name, allowed=", ".join(ALIGNERS)))
    return ALIGNERS[name]
