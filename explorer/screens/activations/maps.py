"""Where digits lie on a map, so that codes that differ in few bits lie near each other. Pure.

Both kinds of map start from Hamming distances alone:

    near    distances along chains of neighbours: each step goes to one of the nearest codes (Isomap)
    flat    the two directions in which the codes differ most (principal components: bits that differ are the
            square of the distance, so their kernel is -1/2 of the Hamming distances, centred)

Scikit-learn is imported when the first map is made: it takes seconds.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["near", "flat"]
Points = NDArray[np.float64]

NEIGHBOURS = 6
"""Nearest codes that a step of a chain may go to."""


@dataclass(frozen=True, eq=False)
class Plane:
    """A map of some digits, and how to place others on it.

    Attributes:
        points: (n, 2) float64, about their mean.
        shown: the share of all differences that the two directions hold; None for "near".
    """

    points: Points
    shown: float | None
    _basis: Points
    _column_means: NDArray[np.float64]
    _paths: NDArray[np.float32] | None

    def locate(self, distances: NDArray[np.integer]) -> tuple[float, float]:
        """Where another digit belongs.

        Args:
            distances: (n,) Hamming distances from its code to those of the map.
        """
        if self._paths is None:
            squared = distances.astype(np.float64)
        else:
            steps = np.argsort(distances, kind="stable")[:NEIGHBOURS]
            squared = (self._paths[steps].astype(np.float64) + distances[steps, None]).min(axis=0) ** 2
        row = -0.5 * squared - self._column_means
        x, y = (row - row.mean()) @ self._basis
        return float(x), float(y)

    def turned(self, like: Plane) -> Plane:
        """The same map, turned or mirrored so that its digits lie as those of another one do.

        Distances on the map stay as they are: only its directions, which mean nothing, change.
        """
        left, _, right = np.linalg.svd(self.points.T @ like.points)
        turn = left @ right
        return replace(self, points=self.points @ turn, _basis=self._basis @ turn)


def plane(distances: NDArray[np.integer], kind: Kind) -> Plane:
    """Place digits on a map.

    Args:
        distances: (n, n) Hamming distances between their codes, n > 2.
    """
    digits = len(distances)
    squared = distances.astype(np.float64)
    paths = None
    if kind == "near" and squared.any():
        paths = _along_neighbours(squared).astype(np.float32)
        squared = paths.astype(np.float64) ** 2
    kernel = -0.5 * squared
    column_means = kernel.mean(axis=0)
    if not squared.any():  # all codes are equal: one point
        nothing = np.zeros((digits, 2))
        return Plane(nothing, None, nothing, column_means, None)
    centred = kernel - column_means - column_means[:, None] + column_means.mean()
    values, vectors = _largest(kernel)
    scale = np.sqrt(values)
    basis = np.divide(vectors, scale, out=np.zeros_like(vectors), where=scale > 1e-6 * scale.max())
    shown = float(values.sum() / centred.trace()) if kind == "flat" else None
    return Plane(vectors * scale, shown, basis, column_means, paths)


def _along_neighbours(distances: Points) -> Points:
    """(n, n): the length of the shortest chain of neighbours between each two."""
    from sklearn.manifold import Isomap

    model = Isomap(n_neighbors=min(NEIGHBOURS, len(distances) - 1), metric="precomputed")
    with warnings.catch_warnings():
        # Groups that no chain joins are joined at their nearest digits, which it warns of.
        warnings.simplefilter("ignore")
        model.fit(distances)
    return np.asarray(model.dist_matrix_, np.float64)


def _largest(kernel: Points) -> tuple[NDArray[np.float64], Points]:
    """The two largest eigenvalues of the centred kernel, not below 0, and their (n, 2) unit vectors."""
    from sklearn.decomposition import KernelPCA

    model = KernelPCA(2, kernel="precomputed", eigen_solver="auto", random_state=0)
    model.fit(kernel)
    return np.maximum(model.eigenvalues_, 0), model.eigenvectors_


def planes(distances: Sequence[NDArray[np.integer]], kind: Kind) -> list[Plane]:
    """One map a layer, each turned to lie as the one before it."""
    found: list[Plane] = []
    for layer in distances:
        made = plane(layer, kind)
        found.append(made.turned(found[-1]) if found else made)
    return found


def in_square(points: Points, other: tuple[float, float]) -> tuple[Points, tuple[float, float]]:
    """A map's points, and one more, moved and scaled so that the map fills -1 to 1 in its longer direction.

    Both directions keep one scale; the other point does not change it, and may lie outside.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    reach = float((high - low).max()) / 2
    scale, centre = (1 / reach if reach > 0 else 1.0), (low + high) / 2
    x, y = (np.asarray(other) - centre) * scale
    return (points - centre) * scale, (float(x), float(y))


def sample(labels: NDArray[np.integer], classes: int, each: int) -> NDArray[np.int64]:
    """The first digits of each class, in the order of the set: (n,) int64 row numbers."""
    chosen = [np.flatnonzero(labels == label)[:each] for label in range(classes)]
    return np.sort(np.concatenate(chosen)).astype(np.int64)
