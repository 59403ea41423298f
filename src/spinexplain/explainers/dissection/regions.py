"""Where the anatomy lies in a crop: the concepts that units are compared with."""

from __future__ import annotations

import numpy as np

REGIONS = (
    "body",
    "superior_endplate",
    "inferior_endplate",
    "anterior_wall",
    "posterior_wall",
    "posterior_elements",
    "disc_above",
    "disc_below",
    "neighbors",
    "beside_bone",
    "evidence",
    "shortcut",
)
"""All regions, in the order in which pages list them."""

_SHELL_OUT_MM, _SHELL_IN_MM = 2, 4
_DISC_MM = 20


def anatomy_regions(labels: np.ndarray, body: np.ndarray | None, own: int) -> dict[str, np.ndarray]:
    """Find the parts of a vertebra and what surrounds it.

    Parameters
    ----------
    labels : ndarray of uint8, shape (*S)
        VerSe labels at 1 mm; axis 0 runs caudal, axis 1 posterior.
    body : ndarray of uint8, shape (*S), or None
        VerSe labels inside vertebral bodies only; without it only the whole bone is known.
    own : int
        The vertebra's label.

    Returns
    -------
    dict of str to ndarray of bool, shape (*S)
        Keys of ``REGIONS``; only regions that the masks distinguish.

    Notes
    -----
    An endplate is the shell from 2 mm outside to 4 mm inside the body, column by column;
    a wall the same, row by row. A disc is what lies between this body and the next
    bone in a column, up to 20 mm.

    Examples
    --------
    >>> column = np.array([19, 0, 0, 0, 20, 20, 20, 20, 20, 20, 20, 20])[:, None]
    >>> regions = anatomy_regions(column, np.where(column == 20, 20, 0), 20)
    >>> np.flatnonzero(regions["superior_endplate"]), np.flatnonzero(regions["disc_above"])
    (array([2, 3, 4, 5, 6, 7]), array([1, 2, 3]))
    """
    bone = labels > 0
    regions = {"neighbors": bone & (labels != own), "beside_bone": ~bone}
    if body is None:
        return regions
    mine = body == own
    others = regions["neighbors"] | ((body > 0) & ~mine)
    above, below = _disc(mine, others), _disc(mine[::-1], others[::-1])[::-1]
    return {
        "body": mine,
        "superior_endplate": _shell(mine, 0),
        "inferior_endplate": _shell(mine[::-1], 0)[::-1],
        "anterior_wall": _shell(mine, 1),
        "posterior_wall": _shell(mine[:, ::-1], 1)[:, ::-1],
        "posterior_elements": (labels == own) & ~mine,
        "disc_above": above,
        "disc_below": below,
        "neighbors": others,
        "beside_bone": ~(bone | mine | above | below),
    }


def _shell(mask: np.ndarray, axis: int) -> np.ndarray:
    """Mark the shell around the first sample of a mask along an axis."""
    first = np.expand_dims(mask.argmax(axis=axis), axis)
    place = _places(mask.shape, axis)
    near = (place >= first - _SHELL_OUT_MM) & (place < first + _SHELL_IN_MM)
    return near & mask.any(axis=axis, keepdims=True)


def _disc(mine: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Mark the gap between the first sample of a body and the bone before it, along axis 0."""
    place = _places(mine.shape, 0)
    top = mine.argmax(axis=0, keepdims=True)
    before = np.where(others & (place < top), place, -1).max(axis=0, keepdims=True)
    gap = (place > before) & (place < top)
    return gap & (before >= 0) & (top - before <= _DISC_MM) & mine.any(axis=0, keepdims=True)


def _places(shape: tuple[int, ...], axis: int) -> np.ndarray:
    view = [1] * len(shape)
    view[axis] = shape[axis]
    return np.arange(shape[axis]).reshape(view)
