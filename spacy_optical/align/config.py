"""Settings of an alignment: cost, masses, solver and null mass."""

from typing import ClassVar, Literal

from pydantic import Field, field_validator

from ..config import Section
from .solvers import SOLVERS


class AlignConfig(Section):
    """How the words of a sentence are aligned with those of its translation.

    solver (str): `partial` (exact, some mass does not move), `exact` (all mass moves), `softmax`
        (no transport: the probabilities of both directions), or a name that was registered in
        `SOLVERS`.
    masses (str): The mass of a word: equal for all (`uniform`), or its characters (`length`:
        function words are short, compounds long).
    mass_power (float): The exponent of that mass.
    centre (bool): Subtract the mean vector of each side before taking cosines.
    spelling (float): The cost that words with equal spelling save, times their similarity.
    punctuation (float): The cost added between punctuation and words.
    case (float): The cost added between a capitalised word and one that is not.
    distortion (float): The cost added per difference of relative position.
    agreement (float): Temperature of the agreement of both directions, which replaces the cost by
        1 - sqrt(p(j|i) p(i|j)); 0 leaves the cost as it is.
    null_price (float): For `partial`: the cost above which mass does not move.
    temperature (float): Temperature of `softmax`.
    completion (float): For spans: the share of its missing mass that a target word takes from the
        source words that it would choose alone. If an abbreviation is written out, one word
        corresponds to several, and the plan may give all of its mass to one of them.
    completion_temperature (float): Temperature of that choice.
    completion_price (float): The cost at which choosing none is as likely.
    gap_weight (float): The weight of mass that is missing inside a projected span.
    min_confidence (float): Projected spans below this are left out.
    skip_below (float): A pair less similar than this is not used by the commands.
    full_weight_above (float): A pair at least this similar has weight 1. Below, the weight falls
        linearly to 0 at `skip_below`.
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
