"""Solve for a plan: how much of each source word corresponds to each target word.

POT (https://pythonot.github.io) does the solving; it is imported on first use.
"""

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from ..compat import require
from ..errors import Errors, OpticalError
from . import baselines
from .config import AlignConfig
from .cost import Matrix, agreed, choices, cosine, cued, masses, parallelism

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Plan:
    """Which words correspond to which, and how much.

    matrix (ndarray): Mass moved from source word i to target word j, [m, n], float64.
    source_mass (ndarray): The mass of each source word, [m].
    target_mass (ndarray): The mass of each target word, [n].
    similarity (float): How similar the pair is (see `parallelism`), 0 to 1; 1 if unknown.
    choices (Optional[ndarray]): Which source word each target word would choose alone (see
        `choices` in cost.py), [m, n]. Spans are completed with it where the plan left words out.
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
    cost: np.ndarray,
    source_mass: np.ndarray,
    target_mass: np.ndarray,
    config: AlignConfig,
    *,
    similarity: float = 1.0,
) -> Plan:
    r"""Move the mass of the source words to the target words at the least cost.

    $$ \min_{T \ge 0} \langle T, C \rangle \quad\text{with}\quad T\mathbf{1} \le a,\;
       T^\top\mathbf{1} \le b,\; \mathbf{1}^\top T \mathbf{1} = \mu $$

    where $\mu = 1$ for `exact`, and for `partial` what the null mass leaves (Caffarelli and
    McCann 2010; Chapel, Alaya and Gasso 2020). `entropic` adds
    $\varepsilon \sum T_{ij}\log T_{ij}$ (Cuturi 2013), `unbalanced` replaces the constraints by
    $\tau$ times the Kullback-Leibler divergence (Chizat et al. 2018).

    cost (ndarray): [m, n], none below 0.
    source_mass (ndarray): [m], positive.
    target_mass (ndarray): [n], positive. Both sides must sum to the same.
    config (AlignConfig): Which solver, and its settings.
    similarity (float): How similar the pair is, for `null="pair"`.
    RETURNS (Plan): A plan without NaN, whose rows and columns sum to at most the masses
        (`unbalanced`: about).
    RAISES (OpticalError): On an empty side, numbers that are not finite, shapes that do not fit,
        masses that are negative or do not sum to the same, or a solver that did not succeed.

    >>> plan(1 - np.eye(2), np.ones(2) / 2, np.ones(2) / 2, AlignConfig(solver="exact")).moved
    1.0
    """
    cost, a, b = _checked_problem(cost, source_mass, target_mass)
    matrix = _SOLVERS[config.solver](cost, a, b, config, similarity)
    return _checked_plan(matrix, a, b, config, similarity)


def align_words(
    source_vectors: np.ndarray,
    target_vectors: np.ndarray,
    source_words: Sequence[str] | None,
    target_words: Sequence[str] | None,
    config: AlignConfig,
    *,
    rarity: tuple[Mapping[str, float], Mapping[str, float]] | None = None,
) -> Plan:
    """Align a sentence with its translation: cost, masses, null mass and plan in one call.

    source_vectors (ndarray): [m, d], one row a word.
    target_vectors (ndarray): [n, d].
    source_words (Optional[Sequence[str]]): The m words, for the cues of their spelling.
    target_words (Optional[Sequence[str]]): The n words.
    config (AlignConfig): All settings.
    rarity (Optional[Tuple[Mapping[str, float], Mapping[str, float]]]): Inverse document
        frequencies of each side's words, for `masses="idf"`.
    RETURNS (Plan): The plan.
    RAISES (OpticalError): As `cosine`, `masses` and `plan`.

    >>> words = ["Amina", "left", "Pune"]
    >>> align_words(np.eye(3), np.eye(3), words, words, AlignConfig()).sent.round(2).tolist()
    [1.0, 1.0, 1.0]
    """
    cosines = cosine(source_vectors, target_vectors, centre=config.centre)
    cost = cued(cosines, config, source_words, target_words)
    source_rarity, target_rarity = rarity or (None, None)
    found = plan(
        agreed(cost, config),
        masses(source_vectors, config, source_words, source_rarity),
        masses(target_vectors, config, target_words, target_rarity),
        config,
        similarity=parallelism(cosines),
    )
    return replace(found, choices=choices(cost, config))


def null_share(config: AlignConfig, similarity: float) -> float:
    r"""Compute the null mass as a share: $\min(0.9, \nu_0 + \nu_1 (1 - s))$ for `pair`.

    config (AlignConfig): `null`, `null_mass` ($\nu_0$) and `null_slope` ($\nu_1$).
    similarity (float): $s$, how similar the pair is, 0 to 1.
    RETURNS (float): 0 to 0.9. OTAlign also sets it from the similarity of the sentences.

    >>> null_share(AlignConfig(null="pair", null_mass=0.1), 0.5)
    0.6
    """
    if config.null == "fixed":
        return config.null_mass
    return float(min(0.9, config.null_mass + config.null_slope * (1.0 - similarity)))


@cache
def pot() -> ModuleType:
    """Import POT without the array libraries that it would otherwise probe for."""
    for backend in ("PYTORCH", "JAX", "CUPY", "TENSORFLOW"):
        os.environ.setdefault(f"POT_BACKEND_DISABLE_{backend}", "1")
    return require("ot")


def _share(part: Vector, whole: Vector) -> Vector:
    shares = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    return np.clip(shares, 0.0, 1.0)


def _checked_problem(
    cost: np.ndarray, source_mass: np.ndarray, target_mass: np.ndarray
) -> tuple[Matrix, Vector, Vector]:
    """Give cost and masses in double precision, or say what is wrong with them; see `plan`."""
    cost = np.ascontiguousarray(cost, dtype=np.float64)
    a = np.ascontiguousarray(source_mass, dtype=np.float64)
    b = np.ascontiguousarray(target_mass, dtype=np.float64)
    if cost.ndim != 2 or cost.shape != (a.size, b.size) or a.ndim != 1 or b.ndim != 1:
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
    return cost, a, b


def _checked_plan(
    matrix: Matrix, a: Vector, b: Vector, config: AlignConfig, similarity: float
) -> Plan:
    """Make a plan of what a solver gave, or say that it gave none; see `plan`."""
    if not np.isfinite(matrix).all():
        raise OpticalError(Errors.E309.format(solver=config.solver, reason="not a number"))
    # What rounding leaves behind is no mass.
    return Plan(np.where(matrix > 1e-12 * a.sum(), matrix, 0.0), a, b, similarity)


def _emd(cost: Matrix, a: Vector, b: Vector) -> Matrix:
    # The marginals were checked; POT's own check takes longer than its solver.
    matrix, log = pot().emd(
        a,
        b * (a.sum() / b.sum()),
        cost,
        numItermax=1_000_000,
        log=True,
        center_dual=False,
        check_marginals=False,
    )
    if log["warning"] is not None:
        raise OpticalError(Errors.E309.format(solver="exact", reason=log["warning"]))
    return matrix


def _exact(cost: Matrix, a: Vector, b: Vector, config: AlignConfig, similarity: float) -> Matrix:
    return _emd(cost, a, b)


def _partial(cost: Matrix, a: Vector, b: Vector, config: AlignConfig, similarity: float) -> Matrix:
    """Solve with one more node a side that takes what stays.

    With a share asked for, staying is free and the extra nodes are as heavy as that share allows.
    With a price, they take as much as comes, and staying costs half the price on either side.
    """
    m, n = cost.shape
    total = a.sum()
    extended = np.zeros((m + 1, n + 1))
    extended[:m, :n] = cost
    if config.null == "price":
        extended[m, :n] = extended[:m, n] = config.null_price / 2
        left = total
    else:
        left = total * null_share(config, similarity)
        extended[m, n] = 2 * cost.max() + 1
    if left <= 1e-12:
        return _emd(cost, a, b)
    return _emd(extended, np.append(a, left), np.append(b, left))[:m, :n]


def _entropic(cost: Matrix, a: Vector, b: Vector, config: AlignConfig, similarity: float) -> Matrix:
    # exp(-cost / regularisation) underflows when the ratio is large; the log domain is slow.
    far = cost.max() > 200 * config.regularisation
    return pot().sinkhorn(
        a,
        b * (a.sum() / b.sum()),
        cost,
        config.regularisation,
        method="sinkhorn_log" if far else "sinkhorn",
        numItermax=2000,
        stopThr=1e-6,
        warn=False,
    )


def _unbalanced(
    cost: Matrix, a: Vector, b: Vector, config: AlignConfig, similarity: float
) -> Matrix:
    if cost.max() > 500 * config.regularisation:
        reason = f"a regularisation of {config.regularisation} is too little for this cost"
        raise OpticalError(Errors.E309.format(solver="unbalanced", reason=reason))
    # POT's stabilised method is not used: it was seen to move 1e12 times the mass there was.
    with warnings.catch_warnings():
        # POT warns when it stops at the last iteration; what it has by then serves.
        warnings.simplefilter("ignore", UserWarning)
        return pot().unbalanced.sinkhorn_unbalanced(
            a, b, cost, config.regularisation, config.relaxation, method="sinkhorn"
        )


def _diagonal(cost: Matrix, a: Vector, b: Vector, config: AlignConfig, similarity: float) -> Matrix:
    return baselines.diagonal(a, b)


def _mutual(cost: Matrix, a: Vector, b: Vector, config: AlignConfig, similarity: float) -> Matrix:
    return baselines.weighed(baselines.mutual_argmax(cost), a, b)


def _iterative(
    cost: Matrix, a: Vector, b: Vector, config: AlignConfig, similarity: float
) -> Matrix:
    return baselines.weighed(baselines.iterative_argmax(cost, config.iterations), a, b)


def _softmax(cost: Matrix, a: Vector, b: Vector, config: AlignConfig, similarity: float) -> Matrix:
    return baselines.softmax(cost, a, b, config.temperature)


def _independent(
    cost: Matrix, a: Vector, b: Vector, config: AlignConfig, similarity: float
) -> Matrix:
    return baselines.independent(a, b)


_SOLVERS: dict[str, Callable[[Matrix, Vector, Vector, AlignConfig, float], Matrix]] = {
    "exact": _exact,
    "partial": _partial,
    "entropic": _entropic,
    "unbalanced": _unbalanced,
    "diagonal": _diagonal,
    "mutual_argmax": _mutual,
    "iterative_argmax": _iterative,
    "softmax": _softmax,
    "independent": _independent,
}
