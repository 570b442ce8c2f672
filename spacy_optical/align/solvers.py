"""Solvers of alignments by name.

POT (https://pythonot.github.io) solves the transport problems. It is imported on first use.
"""

import os
from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..compat import require
from ..errors import Errors, OpticalError

if TYPE_CHECKING:
    from .config import AlignConfig

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


def agreed(cost: Matrix, config: "AlignConfig") -> Matrix:
    r"""Replace the cost by the disagreement of both directions, $1 - \sqrt{p(j|i)\,p(i|j)}$.

    cost (ndarray): [m, n].
    config (AlignConfig): The temperature, `agreement`. If it is 0, the cost does not change.
    RETURNS (ndarray): [m, n], 0 to 1.

    >>> from spacy_optical.align import AlignConfig
    >>> agreed(np.array([[0.0, 1.0]]), AlignConfig()).round(2).tolist()
    [[0.0, 1.0]]
    """
    if not config.agreement:
        return cost
    forward, backward = _both_directions(cost, config.agreement)
    return 1.0 - np.sqrt(forward * backward)


@cache
def pot() -> ModuleType:
    """Import POT without the array libraries that it would otherwise import."""
    for backend in ("PYTORCH", "JAX", "CUPY", "TENSORFLOW"):
        os.environ.setdefault(f"POT_BACKEND_DISABLE_{backend}", "1")
    return require("ot")


def _both_directions(cost: Matrix, temperature: float) -> tuple[Matrix, Matrix]:
    """Compute p(j|i) and p(i|j), both proportional to exp(-cost / temperature)."""

    def softmax(axis: int) -> Matrix:
        weights = np.exp((cost.min(axis=axis, keepdims=True) - cost) / temperature)
        return weights / weights.sum(axis=axis, keepdims=True)

    return softmax(1), softmax(0)


def _exact(cost: Matrix, a: Vector, b: Vector, config: "AlignConfig") -> Matrix:
    # `plan` has checked the marginals. POT's own check takes longer than its solver.
    b = b * (a.sum() / b.sum())
    matrix, log = pot().emd(
        a, b, cost, numItermax=1_000_000, log=True, center_dual=False, check_marginals=False
    )
    if log["warning"] is not None:
        raise OpticalError(Errors.E309.format(solver="exact", reason=log["warning"]))
    return matrix


def _partial(cost: Matrix, a: Vector, b: Vector, config: "AlignConfig") -> Matrix:
    """Solve with a null node on each side. To leave mass costs half the price on either side."""
    extended = np.pad(cost, (0, 1), constant_values=config.null_price / 2)
    extended[-1, -1] = 0.0
    total = a.sum()
    return _exact(extended, np.append(a, total), np.append(b, total), config)[:-1, :-1]


def _softmax(cost: Matrix, a: Vector, b: Vector, config: "AlignConfig") -> Matrix:
    """Compute min(a_i, b_j) p(j|i) p(i|j), as awesome-align does (arXiv 2101.08231)."""
    forward, backward = _both_directions(cost, config.temperature)
    return np.minimum.outer(a, b) * forward * backward


# A solver takes the cost [m, n], the masses of both sides and the settings, and returns the plan
# [m, n]. More solvers can be registered here.
SOLVERS: dict[str, Callable[[Matrix, Vector, Vector, "AlignConfig"], Matrix]] = {
    "partial": _partial,
    "exact": _exact,
    "softmax": _softmax,
}
