"""Settings of an alignment: cost, masses, solver and null mass."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Solver = Literal[
    "partial",
    "exact",
    "entropic",
    "unbalanced",
    "diagonal",
    "mutual_argmax",
    "iterative_argmax",
    "softmax",
    "independent",
]


class AlignConfig(BaseModel):
    """How the words of a sentence are aligned with those of its translation.

    solver (Solver): `partial` (exact, some mass does not move), `exact` (all mass moves),
        `entropic` (Sinkhorn), `unbalanced` (Sinkhorn with soft marginals), or one of the baselines
        `diagonal`, `mutual_argmax`, `iterative_argmax`, `softmax` (both directions), `independent`
        (every word corresponds to every word, so sentences are compared by their mean vectors).
    masses (str): The mass of a word: equal for all (`uniform`), its characters (`length`: function
        words are short, compounds long), its vector's norm (`norm`), or its inverse document
        frequency (`idf`, which needs frequencies).
    mass_power (float): The exponent of that mass.
    centre (bool): Subtract the mean vector of each side before taking cosines.
    identical (float): The cost that words with equal spelling save, times their similarity.
    numbers (float): The cost added to two words with different digits.
    kinds (float): The cost added between punctuation and words.
    case (float): The cost added between a capitalised word and one that is not.
    distortion (float): The cost added per difference of relative position.
    agreement (float): Temperature of the agreement of both directions, which replaces the cost by
        1 - sqrt(p(j|i) p(i|j)); 0 leaves the cost as it is.
    null (str): `fixed`: leave out the share `null_mass`; `pair`: leave out more the less similar
        the pair is; `price`: leave out whatever costs more than `null_price` to move.
    null_mass (float): Share of the mass that does not move (for `pair`: if the similarity is 1).
    null_slope (float): For `pair`: how fast that share grows as the similarity falls below 1.
    null_price (float): For `price`: the cost above which mass does not move.
    regularisation (float): Weight of the entropy, for `entropic` and `unbalanced`.
    relaxation (float): Weight of the marginals, for `unbalanced`.
    temperature (float): Temperature of `softmax`.
    iterations (int): Rounds of `iterative_argmax`.
    adopt (float): For spans: the share of its missing mass that a target word takes from the source
        words that it would choose alone. If an abbreviation is written out, one word corresponds
        to several, and the plan may give all of its mass to one of them.
    adopt_temperature (float): Temperature of that choice.
    adopt_price (float): The cost at which choosing none is as likely.
    null_in_span (float): The cost of mass that is missing inside a projected span.
    min_confidence (float): Projected spans below this are left out.
    skip_below (float): A pair less similar than this is not used by the commands.
    sure_above (float): A pair at least this similar has weight 1. Below, the weight falls linearly
        to 0 at `skip_below`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    solver: Solver = "partial"
    masses: Literal["uniform", "length", "norm", "idf"] = "length"
    mass_power: float = Field(1.0, ge=0)
    centre: bool = True
    identical: float = Field(0.15, ge=0)
    numbers: float = Field(0.0, ge=0)
    kinds: float = Field(0.1, ge=0)
    case: float = Field(0.2, ge=0)
    distortion: float = Field(0.0, ge=0)
    agreement: float = Field(0.06, ge=0)
    null: Literal["fixed", "pair", "price"] = "price"
    null_mass: float = Field(0.3, ge=0, lt=1)
    null_slope: float = Field(1.0, ge=0)
    null_price: float = Field(0.95, gt=0)
    regularisation: float = Field(0.1, gt=0)
    relaxation: float = Field(1.0, gt=0)
    temperature: float = Field(0.1, gt=0)
    iterations: int = Field(2, ge=1)
    adopt: float = Field(0.5, ge=0, le=1)
    adopt_temperature: float = Field(0.08, gt=0)
    adopt_price: float = Field(0.9, gt=0)
    null_in_span: float = Field(0.02, ge=0)
    min_confidence: float = Field(0.0, ge=0, le=1)
    skip_below: float = Field(0.25, ge=0, le=1)
    sure_above: float = Field(0.35, ge=0, le=1)
