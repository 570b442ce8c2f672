"""Alignments without transport, in the same form, to compare with."""

import numpy as np
from numpy.typing import NDArray

from .cost import both_directions

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]
Links = NDArray[np.bool_]


def diagonal(source_mass: Vector, target_mass: Vector) -> Matrix:
    """Align by word order alone: a word gets mass where the two sides, laid along a line, overlap.

    source_mass (ndarray): [m].
    target_mass (ndarray): [n].
    RETURNS (ndarray): [m, n]; its marginals are the masses.

    >>> diagonal(np.ones(1), np.array([0.25, 0.75])).tolist()
    [[0.25, 0.75]]
    """
    rows, columns = np.cumsum(source_mass), np.cumsum(target_mass)
    columns = columns * (rows[-1] / columns[-1])
    ends = np.minimum(rows[:, None], columns[None, :])
    starts = np.maximum(np.append(0.0, rows[:-1])[:, None], np.append(0.0, columns[:-1])[None, :])
    return np.maximum(ends - starts, 0.0)


def independent(source_mass: Vector, target_mass: Vector) -> Matrix:
    r"""Move mass from every word to every word: $T_{ij} = a_i b_j / \sum_i a_i$.

    With this plan, the transport cost of cosines compares the mean unit vectors of both sides.

    source_mass (ndarray): [m].
    target_mass (ndarray): [n].
    RETURNS (ndarray): [m, n]; its marginals are the masses.

    >>> independent(np.full(2, 0.5), np.array([0.25, 0.75])).tolist()
    [[0.125, 0.375], [0.125, 0.375]]
    """
    return np.outer(source_mass, target_mass) / source_mass.sum()


def mutual_argmax(cost: Matrix) -> Links:
    r"""Link words that are each other's cheapest: $C_{ij} = \min_k C_{ik} = \min_k C_{kj}$.

    This is Argmax of SimAlign (arXiv 2004.08728).

    cost (ndarray): [m, n].
    RETURNS (ndarray): [m, n], bool.

    >>> mutual_argmax(np.array([[0.1, 0.2], [0.2, 0.9]])).tolist()
    [[True, False], [False, False]]
    """
    links: Links = np.zeros(cost.shape, dtype=np.bool_)
    rows = np.arange(cost.shape[0])
    best: NDArray[np.intp] = np.argmin(cost, axis=1)
    back: NDArray[np.intp] = np.argmin(cost, axis=0)
    links[rows, best] = back[best] == rows
    return links


def iterative_argmax(cost: Matrix, iterations: int) -> Links:
    """Link as `mutual_argmax`, then again among the remaining pairs (IterMax of SimAlign).

    In later rounds, the similarity of a pair is multiplied by 0.9 if one of its words has a link,
    and by 0 if both have one.

    cost (ndarray): [m, n].
    iterations (int): Rounds; one equals `mutual_argmax`.
    RETURNS (ndarray): [m, n], bool.

    >>> iterative_argmax(np.array([[0.1, 0.2], [0.2, 0.9]]), 2).tolist()
    [[True, True], [True, False]]
    """
    gain = cost.max() - cost
    links = mutual_argmax(cost)
    for _ in range(iterations - 1):
        linked = links.any(axis=1, keepdims=True).astype(int) + links.any(axis=0, keepdims=True)
        left = gain * np.choose(linked, [1.0, 0.9, 0.0])
        found = mutual_argmax(-left) & (left > 0)
        if not (found & ~links).any():
            break
        links |= found
    return links


def softmax(cost: Matrix, source_mass: Vector, target_mass: Vector, temperature: float) -> Matrix:
    r"""Multiply the probabilities of both directions: $T_{ij} = \min(a_i, b_j)\,p(j|i)\,p(i|j)$.

    cost (ndarray): [m, n].
    source_mass (ndarray): [m].
    target_mass (ndarray): [n].
    temperature (float): Of $p(j|i) \propto e^{-C_{ij} / t}$; after awesome-align (2101.08231).
    RETURNS (ndarray): [m, n], its marginals at most the masses.

    >>> softmax(1 - np.eye(2), np.full(2, 0.5), np.full(2, 0.5), 0.1).round(2).tolist()
    [[0.5, 0.0], [0.0, 0.5]]
    """
    forward, backward = both_directions(cost, temperature)
    return np.minimum(source_mass[:, None], target_mass[None, :]) * forward * backward


def weighed(links: Links, source_mass: Vector, target_mass: Vector) -> Matrix:
    """Turn links into mass. Each word divides its mass equally among its links.

    links (ndarray): [m, n], bool.
    source_mass (ndarray): [m].
    target_mass (ndarray): [n].
    RETURNS (ndarray): [m, n], its marginals at most the masses.

    >>> weighed(np.array([[True, True]]), np.ones(1), np.full(2, 0.5)).tolist()
    [[0.5, 0.5]]
    """
    rows = source_mass / np.maximum(links.sum(axis=1), 1)
    columns = target_mass / np.maximum(links.sum(axis=0), 1)
    return np.where(links, np.minimum(rows[:, None], columns[None, :]), 0.0)
