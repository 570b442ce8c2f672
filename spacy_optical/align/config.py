"""Settings of an alignment: one frozen model that says which cost, masses, solver and null mass."""

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

    solver (Solver): `partial` (exact, some mass stays where it is), `exact` (all mass moves),
        `entropic` (Sinkhorn), `unbalanced` (Sinkhorn with soft marginals), or one of the baselines
        `diagonal`, `mutual_argmax`, `iterative_argmax`, `softmax` (both directions), `independent`
        (every word goes to every word: sentences are compared by their mean vectors).
    masses (str): What a word weighs: all the same (`uniform`), its characters (`length`: function
        words are short, compounds long), its vector's norm (`norm`), or its inverse document
        frequency (`idf`, which needs frequencies).
    mass_power (float): The exponent of that weight.
    centre (bool): Subtract the mean vector of each side before taking cosines.
    identical (float): How much cost words spelled alike save, times their similarity.
    numbers (float): How much cost two words gain that both have digits, but other ones.
    kinds (float): How much cost punctuation gains against words.
    case (float): How much cost a capitalised word gains against a small one within a sentence.
    distortion (float): How much cost a difference of relative position gains.
    agreement (float): Temperature of the agreement of both directions, which replaces the cost by
        1 - sqrt(p(j|i) p(i|j)); 0 leaves the cost as it is.
    null (str): `fixed`: leave out the share `null_mass`; `pair`: leave out more the less parallel
        the pair is; `price`: leave out whatever costs more than `null_price` to move.
    null_mass (float): Share of the mass that stays (for `pair`: of a perfectly parallel pair).
    null_slope (float): For `pair`: how fast that share grows as the similarity falls below 1.
    null_price (float): For `price`: the cost above which moving is dearer than staying.
    regularisation (float): Weight of the entropy, for `entropic` and `unbalanced`.
    relaxation (float): Weight of the marginals, for `unbalanced`.
    temperature (float): Of `softmax`.
    iterations (int): Rounds of `iterative_argmax`.
    adopt (float): For spans: how much of what a target word did not receive it takes from the
        source words that it would choose alone. One word stands for several where an abbreviation
        is written out, and the plan has given its mass to the likest of them.
    adopt_temperature (float): Of that choice.
    adopt_price (float): The cost at which such a word would as soon choose none.
    null_in_span (float): What a word that received nothing costs inside a projected span.
    min_confidence (float): Projected spans below this are dropped.
    skip_below (float): A pair less parallel than this is hopeless and is skipped by the commands.
    sure_above (float): A pair at least this parallel counts in full; below, what it counts falls
        in a straight line to 0 at `skip_below`.
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
