"""Planes of a scan that are blank, repeated or out of order, which values alone do not show."""

from __future__ import annotations

import numpy as np

_CELLS = 24  # along either side of a plane; their means hide the noise
_APART_MM = 12.0  # planes so far apart differ as much as a jump does
_FEWEST_APART, _FEWEST_PLANES = 3, 12
_UNORDERED = 0.85  # of that difference between neighbors, on the whole
_JUMP, _STANDS_OUT = 1.2, 4.0  # times that difference, and times the usual one of neighbors
_MOST_JUMPS = 0.05  # of the planes; where lungs end, a few differ as much
_DRAWN = 0.9  # of all planes equal to their neighbor: drawn, not measured
_NAMED = 8
_PART_MM = 30.0


def slice_doubt(array: np.ndarray, affine: np.ndarray) -> str:
    """Say what is wrong with the planes along the body's axis; empty where nothing is.

    Parameters
    ----------
    array : ndarray, shape (X, Y, Z)
    affine : ndarray, shape (4, 4)

    Returns
    -------
    str
        A clause for a message: blank planes between others, planes equal to the one before,
        or neighbors that differ as much as planes 12 mm apart do.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> scan = rng.normal(size=(32, 32, 40)).cumsum(axis=2)
    >>> slice_doubt(scan, np.diag([1.0, 1, 3, 1]))
    ''
    >>> scan[:, :, 20] = scan[:, :, 19]
    >>> slice_doubt(scan, np.diag([1.0, 1, 3, 1]))
    '1 of 40 planes (20, counted from 0) is equal to the one before'
    """
    planes, step_mm = _planes(array, affine)
    if len(planes) < _FEWEST_PLANES:
        return ""
    thin = _thinned(planes)
    constant = np.all(thin == thin[:, :1], axis=1)
    return (
        _blank(constant)
        or _repeated(thin, constant)
        or _unordered(_cell_means(planes), constant, step_mm)
    )


def has_blanked_part(array: np.ndarray, affine: np.ndarray) -> bool:
    """Whether planes are blank over the height of a vertebra: blanked, not lost one by one.

    Examples
    --------
    >>> scan = np.random.default_rng(0).normal(size=(8, 8, 40))
    >>> scan[:, :, 10:22] = 0
    >>> has_blanked_part(scan, np.diag([1.0, 1, 3, 1]))
    True
    >>> has_blanked_part(scan, np.diag([1.0, 1, 1, 1]))
    False
    """
    planes, step_mm = _planes(array, affine)
    thin = _thinned(planes)
    measured = np.flatnonzero(~np.all(thin == thin[:, :1], axis=1))
    return bool(len(measured) and np.diff(measured, prepend=measured[0]).max() * step_mm > _PART_MM)


def _planes(array: np.ndarray, affine: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the planes along the body's axis, first, and how far apart they lie."""
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    axis = int(np.argmax(np.abs(affine[2, :3]) / spacing))
    return np.moveaxis(array, axis, 0), float(spacing[axis])


def _thinned(planes: np.ndarray) -> np.ndarray:
    """Return at most about 96 x 96 samples of every plane, flat."""
    steps = [max(1, side // 96) for side in planes.shape[1:]]
    return planes[:, :: steps[0], :: steps[1]].reshape(len(planes), -1)


def _blank(constant: np.ndarray) -> str:
    filled = np.flatnonzero(~constant)
    if not len(filled):
        return ""
    within = np.flatnonzero(constant[filled[0] : filled[-1]]) + filled[0]
    return _said(within, len(constant), "hold one value only", "holds one value only")


def _repeated(thin: np.ndarray, constant: np.ndarray) -> str:
    same = np.flatnonzero(np.all(thin[1:] == thin[:-1], axis=1) & ~constant[1:]) + 1
    if len(same) >= _DRAWN * np.count_nonzero(~constant):
        return ""
    return _said(same, len(thin), "are equal to the one before", "is equal to the one before")


def _unordered(cells: np.ndarray, constant: np.ndarray, step_mm: float) -> str:
    cells = cells[~constant]
    apart = max(round(_APART_MM / step_mm), _FEWEST_APART)
    if len(cells) < _FEWEST_PLANES + apart:
        return ""
    beside = np.abs(np.diff(cells, axis=0)).mean(axis=1)
    far = float(np.median(np.abs(cells[apart:] - cells[:-apart]).mean(axis=1)))
    usual = float(np.median(beside))
    if usual > _UNORDERED * far > 0:
        return (
            f"neighboring planes differ by {usual:.0f} on average, as much as planes "
            f"{apart * step_mm:.0f} mm apart ({far:.0f}): they are out of order"
        )
    kept = np.flatnonzero(~constant)
    jumps = kept[np.flatnonzero(beside > max(_JUMP * far, _STANDS_OUT * usual)) + 1]
    if len(jumps) <= _MOST_JUMPS * len(cells):
        return ""
    say = f"differ from the one before as much as planes {apart * step_mm:.0f} mm apart"
    return _said(jumps, len(constant), say, "")


def _cell_means(planes: np.ndarray) -> np.ndarray:
    """Return means of about 24 x 24 cells of every plane, flat."""
    rows, columns = (
        np.unique(np.linspace(0, side, min(_CELLS, side) + 1).astype(int)[:-1])
        for side in planes.shape[1:]
    )
    sizes = np.outer(
        np.diff([*rows, planes.shape[1]]), np.diff([*columns, planes.shape[2]])
    ).astype(np.float32)
    found = np.empty((len(planes), sizes.size), np.float32)
    for k, plane in enumerate(planes):
        sums = np.add.reduceat(plane.astype(np.float32), rows, axis=0)
        found[k] = (np.add.reduceat(sums, columns, axis=1) / sizes).ravel()
    return found


def _said(where: np.ndarray, count: int, several: str, one: str) -> str:
    if not len(where):
        return ""
    shown = ", ".join(map(str, where[:_NAMED].tolist())) + (", ..." if len(where) > _NAMED else "")
    does = one if len(where) == 1 else several
    return f"{len(where)} of {count} planes ({shown}, counted from 0) {does}"
