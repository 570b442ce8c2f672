"""Solvers of alignments by name.

POT (https://pythonot.github.io) solves transport problems; it is imported on first use.
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


def both_directions(cost: Matrix, temperature: float) -> tuple[Matrix, Matrix]:
    r"""Compute $p(j|i)$ and $p(i|j)$ of both directions, each $\propto e^{-C_{ij} / t}$.

    cost (ndarray): [m, n].
    temperature (float): $t$.
    RETURNS (Tuple[ndarray, ndarray]): The rows of the first and the columns of the second sum
        to 1.

    >>> forward, backward = both_directions(np.array([[0.0, 1.0]]), 1.0)
    >>> forward.round(2).tolist(), backward.tolist()
    ([[0.73, 0.27]], [[1.0, 1.0]])
    """
    forward = np.exp((cost.min(axis=1, keepdims=True) - cost) / temperature)
    backward = np.exp((cost.min(axis=0, keepdims=True) - cost) / temperature)
    forward /= forward.sum(axis=1, keepdims=True)
    backward /= backward.sum(axis=0, keepdims=True)
    return forward, backward


@cache
def pot() -> ModuleType:
    """Import POT without the array libraries that it would otherwise probe for."""
    for backend in ("PYTORCH", "JAX", "CUPY", "TENSORFLOW"):
        os.environ.setdefault(f"POT_BACKEND_DISABLE_{backend}", "1")
    return require("ot")


def _exact(cost: Matrix, a: Vector, b: Vector, config: "AlignConfig") -> Matrix:
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


def _partial(cost: Matrix, a: Vector, b: Vector, config: "AlignConfig") -> Matrix:
    """Solve with one more node a side that takes what stays, for half the price on either side."""
    m, n = cost.shape
    extended = np.zeros((m + 1, n + 1))
    extended[:m, :n] = cost
    extended[m, :n] = extended[:m, n] = config.null_price / 2
    total = a.sum()
    return _exact(extended, np.append(a, total), np.append(b, total), config)[:m, :n]


def _softmax(cost: Matrix, a: Vector, b: Vector, config: "AlignConfig") -> Matrix:
    r"""Give min(a_i, b_j) p(j|i) p(i|j), after awesome-align (arXiv 2101.08231)."""
    forward, backward = both_directions(cost, config.temperature)
    return np.minimum(a[:, None], b[None, :]) * forward * backward


# A solver gives a plan [m, n] from cost [m, n], both sides' masses and the settings. More can be
# registered here.
SOLVERS: dict[str, Callable[[Matrix, Vector, Vector, "AlignConfig"], Matrix]] = {
    "partial": _partial,
    "exact": _exact,
    "softmax": _softmax,
}
