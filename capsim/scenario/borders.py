"""Which areas border each other: as a table says, else by the Gabriel graph of coordinates.

Two areas border each other in the Gabriel graph where no third one lies within or on the circle
whose diameter joins them (Gabriel and Sokal 1969). It holds the shortest tree that spans all
areas, so that each can be reached from each, and its edges never cross.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .typed import empty

__all__ = ["border_rows", "gabriel"]

Floats = NDArray[np.float64]
Pairs = NDArray[np.int64]
ON = 1e-9
"""Share of its radius within which a point lies on a circle."""
FLAT = 1e-9
"""Width of a cloud of points, as a share of its length, below which it is a line."""


def gabriel(xy: Floats) -> Pairs:
    """Edges of the Gabriel graph of points, each once, ``[edge, 2]`` in ascending order.

    Points in one place are chained, and the first of them stands for all.

    Examples
    --------
    >>> square = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    >>> gabriel(square).tolist()
    [[0, 1], [0, 2], [1, 3], [2, 3]]
    >>> gabriel(np.array([[0.0, 0.0], [2.0, 2.0], [1.0, 1.0], [1.0, 1.0]])).tolist()
    [[0, 2], [1, 2], [2, 3]]
    """
    places, first, number = np.unique(xy, axis=0, return_index=True, return_inverse=True)
    edge = first[_empty_circles(places)] if len(places) > 1 else np.zeros((0, 2), np.int64)
    order = np.argsort(number.ravel(), kind="stable")
    same = np.diff(number.ravel()[order]) == 0
    chained = np.stack([order[:-1][same], order[1:][same]], axis=1)
    edges = np.sort(np.concatenate([edge, chained]).astype(np.int64), axis=1)
    return edges[np.lexsort((edges[:, 1], edges[:, 0]))]


def _empty_circles(places: Floats) -> Pairs:
    from scipy.spatial import Delaunay, KDTree

    centred = places - places.mean(axis=0)
    _, size, axes = np.linalg.svd(centred, full_matrices=False)
    if len(places) == 2 or size[1] <= FLAT * size[0]:
        along = np.argsort(centred @ axes[0], kind="stable")
        return np.stack([along[:-1], along[1:]], axis=1)
    corner = Delaunay(places).simplices
    sides = np.concatenate([corner[:, [0, 1]], corner[:, [1, 2]], corner[:, [0, 2]]])
    sides = np.unique(np.sort(sides, axis=1), axis=0)
    start, end = places[sides[:, 0]], places[sides[:, 1]]
    radius = np.hypot(*(end - start).T) / 2
    near = np.asarray(KDTree(places).query((start + end) / 2, k=3)[0], np.float64)
    # Both ends lie at the radius; a third point there or nearer is within the circle.
    empty_circle = near[:, 2] > radius * (1 + ON)
    return np.asarray(sides[empty_circle], np.int64)


def border_rows(areas: pd.DataFrame) -> pd.DataFrame:
    """Make the table ``borders`` of areas with coordinates."""
    names = areas["area"].to_numpy(object)
    edges = gabriel(areas[["x_km", "y_km"]].to_numpy(np.float64))
    rows = pd.DataFrame({"area": names[edges[:, 0]], "to_area": names[edges[:, 1]]})
    blank = empty("borders")
    for column in blank.columns.difference(rows.columns):
        rows[column] = ""
    return rows[list(blank)].astype(blank.dtypes.to_dict())
