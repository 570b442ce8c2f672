"""Aligners for comparison: word order, argmax, mean vectors and Sinkhorn solvers.

Importing this module registers them as solvers and as presets. docs/alignment.md has their figures.
"""

import warnings

import numpy as np
from numpy.typing import NDArray

from spacy_optical.align import ALIGNERS, SOLVERS, AlignConfig
from spacy_optical.align.solvers import Matrix, Vector, pot

Links = NDArray[np.bool_]
# Rounds of `iterative_argmax`.
ROUNDS = 2
# Weights of the entropy (of `entropic` and `unbalanced`) and of the marginals (of `unbalanced`).
ENTROPY, UNBALANCED_ENTROPY, MARGINALS = 0.1, 0.05, 0.3


def diagonal(cost: Matrix, a: Vector, b: Vector, config: AlignConfig) -> Matrix:
    """Align by word order alone: a word gets mass where the two sides, laid along a line, overlap.

    >>> diagonal(np.ones((1, 2)), np.ones(1), np.array([0.25, 0.75]), AlignConfig()).tolist()
    [[0.25, 0.75]]
    """
    rows, columns = np.cumsum(a), np.cumsum(b)
    columns = columns * (rows[-1] / columns[-1])
    ends = np.minimum(rows[:, None], columns[None, :])
    starts = np.maximum(np.append(0.0, rows[:-1])[:, None], np.append(0.0, columns[:-1])[None, :])
    return np.maximum(ends - starts, 0.0)


def independent(cost: Matrix, a: Vector, b: Vector, config: AlignConfig) -> Matrix:
    """Move mass from every word to every word, so that sentences are compared by mean vectors."""
    return np.outer(a, b) / a.sum()


def mutual_argmax(cost: Matrix, a: Vector, b: Vector, config: AlignConfig) -> Matrix:
    """Link words that are each other's cheapest (Argmax of SimAlign, arXiv 2004.08728)."""
    return _weighed(_mutual(cost), a, b)


def iterative_argmax(cost: Matrix, a: Vector, b: Vector, config: AlignConfig) -> Matrix:
    """Link as `mutual_argmax`, then again among the remaining pairs (IterMax of SimAlign).

    In later rounds, the similarity of a pair is multiplied by 0.9 if one of its words has a link,
    and by 0 if both have one.
    """
    gain = cost.max() - cost
    links = _mutual(cost)
    for _ in range(ROUNDS - 1):
        linked = links.any(axis=1, keepdims=True).astype(int) + links.any(axis=0, keepdims=True)
        left = gain * np.choose(linked, [1.0, 0.9, 0.0])
        more = _mutual(-left) & (left > 0)
        if not (more & ~links).any():
            break
        links |= more
    return _weighed(links, a, b)


def entropic(cost: Matrix, a: Vector, b: Vector, config: AlignConfig) -> Matrix:
    """Move all mass at the least cost minus entropy (Cuturi 2013)."""
    # exp(-cost / entropy) underflows when the ratio is large; the log domain is slow.
    far = cost.max() > 200 * ENTROPY
    return pot().sinkhorn(
        a,
        b * (a.sum() / b.sum()),
        cost,
        ENTROPY,
        method="sinkhorn_log" if far else "sinkhorn",
        numItermax=2000,
        stopThr=1e-6,
        warn=False,
    )


def unbalanced(cost: Matrix, a: Vector, b: Vector, config: AlignConfig) -> Matrix:
    """Move mass with the Kullback-Leibler divergence for constraints (Chizat et al. 2018)."""
    # POT's stabilised method is not used: it has moved 1e12 times the available mass.
    with warnings.catch_warnings():
        # POT warns if it stops at the last iteration. That plan is good enough.
        warnings.simplefilter("ignore", UserWarning)
        return pot().unbalanced.sinkhorn_unbalanced(
            a, b, cost, UNBALANCED_ENTROPY, MARGINALS, method="sinkhorn"
        )


def _mutual(cost: Matrix) -> Links:
    links: Links = np.zeros(cost.shape, dtype=np.bool_)
    rows = np.arange(cost.shape[0])
    best: NDArray[np.intp] = np.argmin(cost, axis=1)
    back: NDArray[np.intp] = np.argmin(cost, axis=0)
    links[rows, best] = back[best] == rows
    return links


def _weighed(links: Links, a: Vector, b: Vector) -> Matrix:
    """Turn links into mass. Each word divides its mass equally among its links."""
    rows = a / np.maximum(links.sum(axis=1), 1)
    columns = b / np.maximum(links.sum(axis=0), 1)
    return np.where(links, np.minimum(rows[:, None], columns[None, :]), 0.0)


CONTROLS = (diagonal, independent, mutual_argmax, iterative_argmax, entropic, unbalanced)
SOLVERS.update({solver.__name__: solver for solver in CONTROLS})
ALIGNERS.update(
    {
        "entropic": AlignConfig(solver="entropic", mass_power=0.5),
        "unbalanced": AlignConfig(solver="unbalanced"),
        "iterative_argmax": AlignConfig(solver="iterative_argmax", agreement=0.0),
        "mutual_argmax": AlignConfig(solver="mutual_argmax", agreement=0.0),
        "diagonal": AlignConfig(solver="diagonal"),
    }
)
