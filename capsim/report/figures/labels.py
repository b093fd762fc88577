"""Where names stand on a map: beside their discs, where they cover least."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from capsim.lp.arrays import Array

LETTER = 7.5
"""Size of the letters, points."""
GAP = 2.0
"""Between a disc and its name, points."""
WAYS = ((0, 1), (1, 0), (-1, 0), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))
"""Sides of a disc on which its name may stand, the best first."""


def beside(texts: Array, across: Array, discs: Array) -> Array:
    """Choose for each name the side of its disc where it covers least of discs and earlier names.

    Parameters
    ----------
    texts, discs
        Boxes ``[x, y, half width, half height]``, in points; a text's is centred on its disc.
    across
        Diameter of each text's disc, points.

    Returns
    -------
    array
        Offset ``[dx, dy]`` of each text from its disc, points.

    Examples
    --------
    >>> text, own, above = [0.0, 0.0, 9.0, 4.0], [0.0, 0.0, 5.0, 5.0], [0.0, 12.0, 5.0, 5.0]
    >>> beside(np.array([text]), np.array([10.0]), np.array([own]))
    array([[ 0., 11.]])
    >>> beside(np.array([text]), np.array([10.0]), np.array([own, above]))
    array([[16.,  0.]])
    """
    taken, ways = discs, np.zeros((len(texts), 2))
    for at, (text, size) in enumerate(zip(texts, across, strict=True)):
        offsets = np.array(WAYS) * (size / 2 + GAP + text[2:])
        placed = np.hstack([text[:2] + offsets, np.tile(text[2:], (len(WAYS), 1))])
        best = int(_covered(placed, taken).argmin())
        ways[at] = offsets[best]
        taken = np.vstack([taken, placed[best]])
    return ways


def _covered(boxes: Array, taken: Array) -> Array:
    """Area of each box that boxes already there cover, square points."""
    apart = np.abs(boxes[:, None, :2] - taken[None, :, :2])
    inside = boxes[:, None, 2:] + taken[None, :, 2:] - apart
    inside = np.minimum(inside, 2 * np.minimum(boxes[:, None, 2:], taken[None, :, 2:]))
    area: Array = np.clip(inside, 0.0, None).prod(axis=2).sum(axis=1)
    return area
