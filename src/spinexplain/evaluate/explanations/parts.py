"""The parts of a vertebral body in a patch: endplates, thirds and sides, from its mask."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from spinexplain.errors import ShapeError

PARTS = {
    "endplate": ("superior", "inferior"),
    "third": ("anterior", "middle", "posterior"),
    "side": ("left", "right"),
}
"""The questions of placement, and their answers in the order of the regions."""

_AXIS = {"endplate": 0, "third": 1, "side": 2}
_CUTS = {"endplate": (0.0,), "third": (1 / 3, -1 / 3), "side": (0.0,)}
_REACH = (2.0, 1.1, 1.1)
_INNER = 0.75  # share of the half width in which columns show both endplates
_ROUNDS = 3


@dataclass(frozen=True, eq=False)
class BodyFrame:
    """Where a vertebral body lies in its patch, how it is turned and how large it is.

    Parameters
    ----------
    center : ndarray of float, shape (axes,)
        Index of the body's center.
    directions : ndarray of float, shape (axes, axes)
        Unit vectors in index space: cranial, anterior and, in 3-D, left.
    half_size : ndarray of float, shape (axes,)
        Half the body's extent along each direction, in samples.
    """

    center: np.ndarray
    directions: np.ndarray
    half_size: np.ndarray

    def coordinates(self, shape: tuple[int, ...]) -> np.ndarray:
        """Return where every sample lies in the body, float32, shape (axes, *S).

        The center is 0; the cranial, anterior and left surfaces lie at 1, the opposite ones
        at -1.
        """
        grid = np.indices(shape, dtype=np.float32)
        offset = grid - self.center.reshape(-1, *(1,) * len(shape)).astype(np.float32)
        along = np.tensordot(self.directions.astype(np.float32), offset, (1, 0))
        return along / self.half_size.reshape(-1, *(1,) * len(shape)).astype(np.float32)

    def samples(self, coordinates: np.ndarray) -> np.ndarray:
        """Return the patch index (axes, ...) of body coordinates (axes, ...)."""
        sizes = self.half_size.reshape(-1, *(1,) * (coordinates.ndim - 1))
        moved = np.tensordot(self.directions.T, coordinates * sizes, (1, 0))
        return moved + self.center.reshape(sizes.shape)


def body_frame(body: np.ndarray) -> BodyFrame:
    """Find center, tilt and size of a vertebral body from its mask.

    Parameters
    ----------
    body : ndarray of bool, shape (*S)
        Axis 0 runs caudal, axis 1 posterior, axis 2 (in 3-D) towards the patient's left.

    Returns
    -------
    BodyFrame

    Raises
    ------
    ShapeError
        If the mask is empty or not 2-D or 3-D.

    Notes
    -----
    The tilt is that of the plane (in 2-D the line) fitted by least squares to the middles
    between the two endplates, over the inner three quarters of the columns, three times in
    the frame found before. One sunken endplate turns this plane by half of the wedge's
    angle, so that both endplates stay on their side of it. Extents run from the 2.5 % to
    the 97.5 % quantile of the mask, divided by 0.95.

    Examples
    --------
    >>> mask = np.zeros((9, 11), bool)
    >>> mask[2:7, 1:10] = True
    >>> frame = body_frame(mask)
    >>> frame.center.round(2).tolist(), np.abs(frame.directions.round(2)).tolist()
    ([4.0, 5.0], [[1.0, 0.0], [0.0, 1.0]])
    """
    body = np.asarray(body, dtype=bool)
    if body.ndim not in (2, 3) or not body.any():
        raise ShapeError(
            f"body must be a 2-D or 3-D mask with samples in it; got shape {body.shape} with "
            f"{int(body.sum())}. Leave out vertebrae without a body mask."
        )
    samples = np.argwhere(body).astype(float)
    directions = _upright(body.ndim)
    for _ in range(_ROUNDS):
        directions = _turned(directions, _slopes(samples @ directions.T))
    points = samples @ directions.T
    low, high = np.quantile(points, [0.025, 0.975], axis=0)
    center = np.linalg.solve(directions, (low + high) / 2)
    return BodyFrame(center, directions, np.maximum((high - low) / 2 / 0.95, 0.5))


def _upright(axes: int) -> np.ndarray:
    """Return the directions of a body that is not tilted: cranial, anterior, left."""
    return np.diag([-1.0, -1.0, 1.0])[:axes, :axes]


def _slopes(points: np.ndarray) -> np.ndarray:
    """Return how the middle between the endplates rises along each other direction."""
    columns = np.rint(points[:, 1:])
    low, high = np.quantile(columns, [0.025, 0.975], axis=0)
    reach = np.maximum((high - low) / 2 * _INNER, 1.0)
    inner = np.all(np.abs(columns - (low + high) / 2) <= reach, axis=1)
    places, member = np.unique(columns[inner], axis=0, return_inverse=True)
    top, bottom = np.full(len(places), -np.inf), np.full(len(places), np.inf)
    np.maximum.at(top, member.ravel(), points[inner, 0])
    np.minimum.at(bottom, member.ravel(), points[inner, 0])
    design = np.column_stack([places, np.ones(len(places))])
    return np.linalg.lstsq(design, (top + bottom) / 2, rcond=None)[0][:-1]


def _turned(directions: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """Turn directions so that the fitted middle is level."""
    cranial = directions[0] - slopes @ directions[1:]
    cranial /= np.linalg.norm(cranial)
    anterior = -np.eye(len(cranial))[1]
    anterior -= (anterior @ cranial) * cranial
    anterior /= np.linalg.norm(anterior)
    if len(cranial) == 2:
        return np.stack([cranial, anterior])
    left = np.cross(cranial, anterior)
    return np.stack([cranial, anterior, left if left[2] > 0 else -left])


def part_regions(frame: BodyFrame, shape: tuple[int, ...], question: str) -> np.ndarray:
    """Split the body and the bone it lost into the parts that a question asks for.

    Parameters
    ----------
    frame : BodyFrame
    shape : tuple of int
        Of the patch.
    question : str
        A key of :data:`PARTS`; ``"side"`` needs three axes.

    Returns
    -------
    ndarray of bool, shape (K, *S)
        One region for each answer, in the order of :data:`PARTS`. They reach one half
        height beyond each endplate, where the lost height lies, and a tenth of a half width
        beyond the walls, so that the parts are about equally large.

    Raises
    ------
    ShapeError
        If a side is asked for in a 2-D patch, or there is no such question.

    Examples
    --------
    >>> mask = np.zeros((9, 11), bool)
    >>> mask[2:7, 1:10] = True
    >>> superior, inferior = part_regions(body_frame(mask), mask.shape, "endplate")
    >>> bool(superior[3, 5]), bool(superior[5, 5]), bool(inferior[5, 5])
    (True, False, True)
    """
    axis = _AXIS.get(question, len(shape))
    if axis >= len(shape):
        raise ShapeError(
            f'a patch with {len(shape)} axes has no answer to the question "{question}"; expected '
            f"one of {list(PARTS)[: len(shape)]}."
        )
    found = frame.coordinates(shape)
    within = np.all([np.abs(found[k]) <= _REACH[k] for k in range(len(shape))], axis=0)
    edges = (np.inf, *_CUTS[question], -np.inf)
    along = found[axis]
    return np.stack([within & (along < high) & (along > low) for high, low in pairwise(edges)])


def part_names(axes: int) -> list[str]:
    """List the small parts of a body: endplate by third and, in 3-D, side.

    Examples
    --------
    >>> part_names(2)[:2], len(part_names(3))
    (['superior anterior', 'superior middle'], 12)
    """
    questions = list(PARTS)[:axes]
    names = [""]
    for question in questions:
        names = [f"{name} {part}".strip() for name in names for part in PARTS[question]]
    return names


def part_at(frame: BodyFrame, index: tuple[int, ...]) -> int:
    """Return which part of :func:`part_names` a sample lies in, or -1 outside the body.

    Parameters
    ----------
    frame : BodyFrame
    index : tuple of int
        Of a sample of the patch.

    Examples
    --------
    >>> mask = np.zeros((15, 11), bool)
    >>> mask[8:13, 1:10] = True
    >>> part_at(body_frame(mask), (9, 2)), part_at(body_frame(mask), (0, 10))
    (0, -1)
    """
    offset = frame.directions @ (np.asarray(index, float) - frame.center) / frame.half_size
    if np.any(np.abs(offset) > _REACH[: len(offset)]):
        return -1
    part = 0
    for question in list(PARTS)[: len(offset)]:
        cuts = _CUTS[question]
        part = part * (len(cuts) + 1) + int(np.sum(offset[_AXIS[question]] < np.array(cuts)))
    return part
