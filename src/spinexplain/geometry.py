"""Curves through the spine, and the frames that patches live in.

The frames are analytic in both directions (patch index <-> patient millimeters), so that
every heat map can be painted back on the CT without stored coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from spinexplain.errors import GeometryError
from spinexplain.spline import NaturalSpline

if TYPE_CHECKING:  # takes longer to import than many a curve to look up
    from scipy.spatial import cKDTree

_TABLE_STEP_MM = 0.25
_FEW_POINTS = 64  # up to here they are compared with the whole table
_TAIL_MM = 300.0  # how far past its ends a curve can still be looked up backwards


def apply_affine(affine: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Map points (..., 3) with a 4 x 4 affine.

    Examples
    --------
    >>> apply_affine(np.diag([2.0, 2.0, 2.0, 1.0]), np.array([1.0, 2.0, 3.0]))
    array([2., 4., 6.])
    """
    return points @ affine[:3, :3].T + affine[:3, 3]


@dataclass(frozen=True, eq=False)
class Curve:
    """A cubic curve by arc length, straight past its ends.

    Build it with :func:`fit_curve`. ``D`` is 3 for the spine's curve in space and 2 for
    its projection on the coronal plane.

    Parameters
    ----------
    knots_mm : ndarray, shape (n, D)
        The points it passes through.
    s_table_mm, t_table : ndarray, shape (k,)
        Arc length at densely spaced spline parameters.
    direction : ndarray, shape (D,)
        Unit tangent used when there is only one knot.
    """

    knots_mm: np.ndarray
    s_table_mm: np.ndarray
    t_table: np.ndarray
    direction: np.ndarray

    @property
    def length_mm(self) -> float:
        """Arc length between the first and the last knot."""
        return float(self.s_table_mm[-1])

    @cached_property
    def _spline(self) -> NaturalSpline | None:
        return _chord_spline(self.knots_mm)

    @cached_property
    def knots_s_mm(self) -> np.ndarray:
        """Arc length at each knot, shape (n,)."""
        return np.interp(_chord_parameters(self.knots_mm), self.t_table, self.s_table_mm)

    def at(self, s_mm: np.ndarray | float) -> np.ndarray:
        """Return the points (..., D) at arc lengths ``s_mm`` (...)."""
        s = np.asarray(s_mm, dtype=float)
        inner = np.clip(s, 0.0, self.length_mm)
        beyond = (s - inner)[..., None]
        return self._inside(inner) + beyond * self.tangent(inner)

    def tangent(self, s_mm: np.ndarray | float) -> np.ndarray:
        """Return unit tangents (..., D), from cranial to caudal for a spine."""
        s = np.clip(np.asarray(s_mm, dtype=float), 0.0, self.length_mm)
        if self._spline is None:
            return np.broadcast_to(self.direction, (*s.shape, self.direction.size)).copy()
        slope = self._spline(np.interp(s, self.s_table_mm, self.t_table), 1)
        return slope / np.linalg.norm(slope, axis=-1, keepdims=True)

    def curvature_per_mm(self, s_mm: np.ndarray | float) -> np.ndarray:
        """Return the curvature (1/mm) at arc lengths ``s_mm``; 0 past the ends."""
        s = np.asarray(s_mm, dtype=float)
        step = 0.5
        turn = np.linalg.norm(self.tangent(s + step) - self.tangent(s - step), axis=-1)
        return np.where((s < 0) | (s > self.length_mm), 0.0, turn / (2 * step))

    def nearest(self, points_mm: np.ndarray) -> np.ndarray:
        """Return the arc length (...) of the curve point nearest to each point (..., D).

        Looked up in a table, then refined by Newton steps on the tangent.
        """
        points = np.asarray(points_mm, dtype=float)
        s = self._table_s[self._nearest_row(points)]
        for _ in range(3):
            s = s + np.sum((points - self.at(s)) * self.tangent(s), axis=-1)
        return s

    @cached_property
    def _table_s(self) -> np.ndarray:
        return np.arange(-_TAIL_MM, self.length_mm + _TAIL_MM, 1.0)

    @cached_property
    def _table_mm(self) -> np.ndarray:
        return self.at(self._table_s)

    @cached_property
    def _tree(self) -> cKDTree:
        from scipy.spatial import cKDTree

        return cKDTree(self._table_mm)

    def _nearest_row(self, points: np.ndarray) -> np.ndarray:
        if points[..., 0].size > _FEW_POINTS:
            return np.asarray(self._tree.query(points)[1])
        away = ((points[..., None, :] - self._table_mm) ** 2).sum(axis=-1)
        return np.asarray(away.argmin(axis=-1))

    def _inside(self, s: np.ndarray) -> np.ndarray:
        if self._spline is None:
            return np.broadcast_to(self.knots_mm[0], (*s.shape, self.knots_mm.shape[1])).copy()
        return self._spline(np.interp(s, self.s_table_mm, self.t_table))


def fit_curve(knots_mm: np.ndarray, direction: np.ndarray) -> Curve:
    """Pass a cubic by arc length through points, straight past the ends.

    Parameters
    ----------
    knots_mm : ndarray, shape (n, D)
        Points in order, n >= 1.
    direction : ndarray, shape (D,)
        The curve's direction where a single knot gives none.

    Raises
    ------
    GeometryError
        If two neighboring knots coincide.

    Notes
    -----
    The spline parameter is the cumulative chord length with natural ends; arc length
    comes from a table every 0.25 mm. Two knots give a straight line.

    Examples
    --------
    >>> line = fit_curve(np.array([[0.0, 0, 100], [0.0, 0, 0]]), np.array([0.0, 0, -1]))
    >>> line.at(130.0)
    array([  0.,   0., -30.])
    """
    knots = np.atleast_2d(np.asarray(knots_mm, dtype=float))
    unit = np.asarray(direction, dtype=float) / np.linalg.norm(direction)
    if len(knots) == 1:
        return Curve(knots, np.zeros(1), np.zeros(1), unit)
    chords = np.linalg.norm(np.diff(knots, axis=0), axis=1)
    if np.any(chords < 1e-3):
        at = int(np.argmin(chords))
        raise GeometryError(
            f"points {at} and {at + 1} of the curve coincide at {knots[at].round(1).tolist()} mm; "
            "expected distinct vertebra centers. Check the centroids."
        )
    t = np.linspace(0.0, chords.sum(), max(int(chords.sum() / _TABLE_STEP_MM), 8))
    spline = _chord_spline(knots)
    assert spline is not None
    steps = np.linalg.norm(np.diff(spline(t), axis=0), axis=1)
    return Curve(knots, np.concatenate([[0.0], np.cumsum(steps)]), t, unit)


def _chord_parameters(knots: np.ndarray) -> np.ndarray:
    chords = np.linalg.norm(np.diff(knots, axis=0), axis=1)
    return np.concatenate([[0.0], np.cumsum(chords)])


def _chord_spline(knots: np.ndarray) -> NaturalSpline | None:
    if len(knots) < 2:
        return None
    return NaturalSpline(_chord_parameters(knots), knots)


@dataclass(frozen=True, eq=False)
class SheetFrame:
    """A sagittal sheet that follows the spine left-right only.

    Rows and columns keep the patient's own cranio-caudal and antero-posterior axes; a row
    step is a step of arc length of the curve's *coronal* projection. Kyphosis, lordosis
    and wedging stay visible; scoliosis is straightened.

    Parameters
    ----------
    coronal : Curve, D = 2
        The spine's curve in the coronal plane, (x, z) in RAS+ mm, cranial to caudal.
    s_center_mm, y_center_mm : float
        Arc length and antero-posterior position of the patch's center.
    shape : tuple of 2 ints
        Rows (cranial to caudal), columns (anterior to posterior).
    spacing_mm : float
    offset_mm : float
        Distance of the whole sheet from the curve, towards the patient's left.
    """

    coronal: Curve
    s_center_mm: float
    y_center_mm: float
    shape: tuple[int, int]
    spacing_mm: float
    offset_mm: float = 0.0

    def to_mm(self, index: np.ndarray) -> np.ndarray:
        """Map (row, column[, offset_mm]) (..., 2 or 3) to RAS+ mm (..., 3)."""
        index = np.asarray(index, dtype=float)
        s = self.s_center_mm + (index[..., 0] - (self.shape[0] - 1) / 2) * self.spacing_mm
        y = self.y_center_mm - (index[..., 1] - (self.shape[1] - 1) / 2) * self.spacing_mm
        xz = self.coronal.at(s)
        if index.shape[-1] == 3 or self.offset_mm:
            off = self.offset_mm + (index[..., 2:3] if index.shape[-1] == 3 else 0.0)
            xz = xz + off * _left_normal(self.coronal.tangent(s))
        return np.stack([xz[..., 0], y, xz[..., 1]], axis=-1)

    def to_patch(self, xyz_mm: np.ndarray) -> np.ndarray:
        """Map RAS+ mm (..., 3) to (row, column, offset_mm), offset positive to the left."""
        xyz = np.asarray(xyz_mm, dtype=float)
        xz = xyz[..., [0, 2]]
        s = self.coronal.nearest(xz)
        normal = _left_normal(self.coronal.tangent(s))
        row = (s - self.s_center_mm) / self.spacing_mm + (self.shape[0] - 1) / 2
        column = (self.y_center_mm - xyz[..., 1]) / self.spacing_mm + (self.shape[1] - 1) / 2
        offset = np.sum((xz - self.coronal.at(s)) * normal, axis=-1) - self.offset_mm
        return np.stack([row, column, offset], axis=-1)


def _left_normal(tangent: np.ndarray) -> np.ndarray:
    """Rotate coronal unit tangents (..., 2) that run caudal towards the patient's left."""
    return np.stack([tangent[..., 1], -tangent[..., 0]], axis=-1)


@dataclass(frozen=True, eq=False)
class BoxFrame:
    """A rigid box around a vertebral body.

    Parameters
    ----------
    center_mm : ndarray, shape (3,)
        Center of the body, RAS+ mm.
    axes : ndarray, shape (3, 3)
        Rows are unit vectors of the patch axes in RAS+: caudal, posterior, left.
    shape : tuple of 3 ints
    spacing_mm : float
    """

    center_mm: np.ndarray
    axes: np.ndarray
    shape: tuple[int, int, int]
    spacing_mm: float

    def to_mm(self, index: np.ndarray) -> np.ndarray:
        """Map box indices (..., 3) to RAS+ mm (..., 3)."""
        middle = (np.array(self.shape) - 1) / 2
        return (np.asarray(index) - middle) * self.spacing_mm @ self.axes + self.center_mm

    def to_patch(self, xyz_mm: np.ndarray) -> np.ndarray:
        """Map RAS+ mm (..., 3) to box indices (..., 3)."""
        middle = (np.array(self.shape) - 1) / 2
        return (np.asarray(xyz_mm) - self.center_mm) @ self.axes.T / self.spacing_mm + middle


def box_axes(tangent: np.ndarray) -> np.ndarray:
    """Return the box axes (caudal, posterior, left) for tangents of a curve.

    The vertical axis is the tangent; left-right is the patient's, made orthogonal to it.

    Parameters
    ----------
    tangent : ndarray, shape (..., 3)
        Unit tangents of the spine's curve, RAS+, running caudal.

    Returns
    -------
    ndarray, shape (..., 3, 3)
        Axes in rows.

    Raises
    ------
    GeometryError
        If a tangent runs along the left-right axis.

    Examples
    --------
    >>> box_axes(np.array([0.0, 0.0, -1.0])).tolist()
    [[0.0, 0.0, -1.0], [0.0, -1.0, 0.0], [-1.0, 0.0, 0.0]]
    """
    tangent = np.asarray(tangent, dtype=float)
    caudal = tangent / np.linalg.norm(tangent, axis=-1, keepdims=True)
    left = np.array([-1.0, 0.0, 0.0]) + caudal[..., :1] * caudal
    length = np.linalg.norm(left, axis=-1, keepdims=True)
    if length.min() < 0.2:
        wrong = tangent.reshape(-1, 3)[int(length.argmin())]
        raise GeometryError(
            f"the spine runs left-right here (tangent {wrong.round(2).tolist()}); "
            "expected cranial to caudal. Check the orientation in the CT's header."
        )
    left = left / length
    posterior = np.cross(left, caudal)
    return np.stack([caudal, posterior, left], axis=-2) + 0.0
