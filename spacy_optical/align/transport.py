"""Compute a transport plan: how much of each source word corresponds to each target word."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import Errors, OpticalError
from .config import AlignConfig
from .cost import cosine, masses, parallelism, word_cost
from .solvers import SOLVERS, Matrix, Vector, agreed


@dataclass(frozen=True)
class Plan:
    """A transport plan between m source words and n target words.

    matrix (ndarray): Mass that moves from source word i to target word j, [m, n], float64.
    source_mass (ndarray): The mass of each source word, [m].
    target_mass (ndarray): The mass of each target word, [n].
    similarity (float): The similarity of the pair (see `parallelism`), 0 to 1; 1 if unknown.
    choices (Optional[ndarray]): The probability of each source word for each target word, [m, n],
        independent of the plan. `project_spans` uses it for target words with missing mass.
    """

    matrix: Matrix
    source_mass: Vector
    target_mass: Vector
    similarity: float = 1.0
    choices: Matrix | None = None

    @property
    def moved(self) -> float:
        """The mass that moved."""
        return float(self.matrix.sum())

    @property
    def sent(self) -> Vector:
        """The share of each source word's mass that moved, [m], 0 to 1."""
        return _share(self.matrix.sum(axis=1), self.source_mass)

    @property
    def received(self) -> Vector:
        """The share of each target word's mass that arrived, [n], 0 to 1."""
        return _share(self.matrix.sum(axis=0), self.target_mass)


def plan(
    cost: np.ndarray, source_mass: np.ndarray, target_mass: np.ndarray, config: AlignConfig
) -> Plan:
    r"""Move the mass of the source words to the target words at the lowest cost.

    $$ \min_{T \ge 0} \langle T, C \rangle \quad\text{with}\quad T\mathbf{1} \le a,\;
       T^\top\mathbf{1} \le b,\; \mathbf{1}^\top T \mathbf{1} = \mu $$

    $\mu = 1$ for `exact`. For `partial`, it is the mass that is cheaper to move than to leave
    (Caffarelli and McCann 2010; Chapel, Alaya and Gasso 2020).

    cost (ndarray): [m, n], not negative.
    source_mass (ndarray): [m], not negative.
    target_mass (ndarray): [n], not negative, with the same sum.
    config (AlignConfig): The solver and its settings.
    RETURNS (Plan): The plan. Its rows and columns sum to at most the masses.
    RAISES (OpticalError): If a side is empty, numbers are not finite, shapes do not match, masses
        are negative or have different sums, or the solver fails.

    >>> plan(1 - np.eye(2), np.ones(2) / 2, np.ones(2) / 2, AlignConfig(solver="exact")).moved
    1.0
    """
    cost = np.ascontiguousarray(cost, dtype=np.float64)
    a = np.ascontiguousarray(source_mass, dtype=np.float64)
    b = np.ascontiguousarray(target_mass, dtype=np.float64)
    if cost.ndim != 2 or cost.shape != a.shape + b.shape:
        raise OpticalError(Errors.E307.format(cost=cost.shape, source=a.shape, target=b.shape))
    for side, values in (("source", a), ("target", b)):
        if not values.size:
            raise OpticalError(Errors.E301.format(side=side))
        if not np.isfinite(values).all() or (values < 0).any() or values.sum() <= 0:
            raise OpticalError(Errors.E308.format(side=side, found=float(values.sum())))
    if abs(a.sum() - b.sum()) > 1e-6 * a.sum():
        raise OpticalError(Errors.E308.format(side="target", found=float(b.sum())))
    if not np.isfinite(cost).all() or (cost < 0).any():
        raise OpticalError(Errors.E310)
    matrix = SOLVERS[config.solver](cost, a, b, config)
    if not np.isfinite(matrix).all():
        raise OpticalError(Errors.E309.format(solver=config.solver, reason="not a number"))
    # Remove rounding errors.
    return Plan(np.where(matrix > 1e-12 * a.sum(), matrix, 0.0), a, b)


def align_words(
    source_vectors: np.ndarray,
    target_vectors: np.ndarray,
    source_words: Sequence[str] | None,
    target_words: Sequence[str] | None,
    config: AlignConfig,
) -> Plan:
    """Align a sentence with its translation: compute cost, masses and plan.

    source_vectors (ndarray): Word vectors, [m, d].
    target_vectors (ndarray): Word vectors, [n, d].
    source_words (Optional[Sequence[str]]): The m words, for the terms of spelling.
    target_words (Optional[Sequence[str]]): The n words.
    config (AlignConfig): The settings of the alignment.
    RETURNS (Plan): The plan.
    RAISES (OpticalError): As `cosine`, `masses` and `plan`.

    >>> words = ["Amina", "left", "Pune"]
    >>> align_words(np.eye(3), np.eye(3), words, words, AlignConfig()).sent.round(2).tolist()
    [1.0, 1.0, 1.0]
    """
    cosines = cosine(source_vectors, target_vectors, centre=config.centre)
    m, n = cosines.shape
    cost = word_cost(cosines, config, source_words, target_words)
    a, b = masses(config, source_words, m), masses(config, target_words, n)
    solved = plan(agreed(cost, config), a, b, config)
    return replace(solved, similarity=parallelism(cosines), choices=_choices(cost, config))


def _choices(cost: Matrix, config: AlignConfig) -> Matrix:
    """Compute p(i|j). A column sums to 1 minus the probability of no source word."""
    t, least = config.completion_temperature, cost.min(axis=0)
    chosen = np.exp((least - cost) / t)
    none = np.exp(np.minimum((least - config.completion_price) / t, 50.0))
    return chosen / (chosen.sum(axis=0) + none)


def _share(part: Vector, whole: Vector) -> Vector:
    shares = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    return np.clip(shares, 0.0, 1.0)
