"""Where a body's walls sank, read off the true masks of a sheet: an opponent without a network.

Endplates and the discs beside them are looked up along lines in the body's frame. Exact masks
flatter whatever is read off them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates

from spinexplain.evaluate.explanations.parts import BodyFrame

COLUMNS, WIDTH = 12, 0.85
"""Places along the depth of a body, and the share of its half depth up to which they reach."""

STEP_MM, FAR_MM = 0.25, 15.0
"""Of the search for walls, and beyond a wall; a disc that is wider, or not seen, counts as this."""


@dataclass(frozen=True, eq=False)
class Walls:
    """The endplates of some bodies and the discs beside them, front to back, in samples.

    Parameters
    ----------
    heights : ndarray of float, shape (n, 2, COLUMNS)
        Of the superior endplate above the body's center, and of the inferior one below it.
    discs : ndarray of float, shape (n, 2, COLUMNS)
        From each endplate to the neighboring vertebra.
    """

    heights: np.ndarray
    discs: np.ndarray


def walls_of(bodies: np.ndarray, neighbors: np.ndarray, frames: tuple[BodyFrame, ...]) -> Walls:
    """Find endplates and discs of bodies in sheets of 1 mm.

    Parameters
    ----------
    bodies, neighbors : ndarray of bool, shape (n, S, S)
    frames : tuple of BodyFrame, length n
    """
    found = [_walls(*one) for one in zip(bodies, neighbors, frames, strict=True)]
    heights, discs = (np.stack(parts) for parts in zip(*found, strict=True))
    return Walls(heights, discs)


def _walls(
    body: np.ndarray, neighbors: np.ndarray, frame: BodyFrame
) -> tuple[np.ndarray, np.ndarray]:
    """Return the walls' heights and the discs of one body, each (2, COLUMNS)."""
    tall = 2 * float(frame.half_size[0]) + FAR_MM
    away = np.arange(0, tall, STEP_MM)
    front_to_back = np.linspace(WIDTH, -WIDTH, COLUMNS)
    heights, discs = [], []
    for sign in (1, -1):
        cranial, anterior = np.meshgrid(
            sign * away / frame.half_size[0], front_to_back, indexing="ij"
        )
        at = frame.samples(np.stack([cranial, anterior]))
        bone, beside = (
            map_coordinates(mask.astype(np.float32), at, order=1) > 0.5
            for mask in (body, neighbors)
        )
        wall = np.where(bone, away[:, None], 0.0).max(axis=0)
        beyond = np.where(beside & (away[:, None] > wall), away[:, None], np.inf).min(axis=0)
        heights.append(wall)
        discs.append(np.minimum(beyond - wall, FAR_MM))
    return np.stack(heights), np.stack(discs)


def features_of(walls: Walls) -> np.ndarray:
    """Return what trees learn from, (n, features): walls and discs, alone and against each other.

    Parameters
    ----------
    walls : Walls
    """
    heights, discs = walls.heights, walls.discs
    narrow = discs.min(axis=-1, keepdims=True)
    parts = [
        *(heights, discs, discs - narrow, heights - heights.max(axis=-1, keepdims=True)),
        *(heights.sum(axis=1), heights[:, 0] - heights[:, 1], discs[:, 0] - discs[:, 1]),
        narrow[:, 0] - narrow[:, 1],
    ]
    return np.concatenate([part.reshape(len(heights), -1) for part in parts], axis=1)


def read_by_hand(walls: Walls) -> np.ndarray:
    """Return how much each endplate and third speaks for a fracture, (n, 2, 3).

    Parameters
    ----------
    walls : Walls

    Notes
    -----
    An endplate by how much its disc is wider than where it is narrowest, a third by how much
    lower the body is there than where it is highest; their product.

    Examples
    --------
    >>> heights, discs = np.full((1, 2, 12), 12.0), np.full((1, 2, 12), 4.0)
    >>> heights[0, 0, :4] -= 3
    >>> discs[0, 0, :4] += 3
    >>> read_by_hand(Walls(heights, discs))[0].round(2).tolist()
    [[3.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """
    wider = (walls.discs - walls.discs.min(axis=-1, keepdims=True)).mean(axis=-1)
    tall = walls.heights.sum(axis=1)
    lower = (tall.max(axis=-1, keepdims=True) - tall).reshape(len(tall), 3, -1).mean(axis=-1)
    return wider[:, :, None] * lower[:, None]


def painted(parts: np.ndarray, frame: BodyFrame, shape: tuple[int, ...]) -> np.ndarray:
    """Paint what was read of each endplate and third over its part of the body.

    Parameters
    ----------
    parts : ndarray of float, shape (2, 3)
        Superior and inferior endplate; anterior, middle and posterior third.
    frame : BodyFrame
    shape : tuple of int

    Returns
    -------
    ndarray of float32, the patch's shape
    """
    cranial, anterior = frame.coordinates(shape)
    third = np.where(anterior > 1 / 3, 0, np.where(anterior > -1 / 3, 1, 2))
    seen = (np.abs(cranial) <= 2) & (np.abs(anterior) <= 1.1)
    values = np.asarray(parts)[np.where(cranial > 0, 0, 1), third]
    return np.where(seen, values, 0).astype(np.float32)
