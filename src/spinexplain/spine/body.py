"""The vertebral body inside the mask of a whole vertebra, in the body's own frame.

The mask is sampled along the bone's axes, the arch is cut off behind the wall that faces
the canal on the midline, and planes through the two endplates turn the frame until it
halves their angle, so that neither tilt nor wedge biases a height.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

_COARSE_MM = np.array([1.5, 1.5, 1.5])
_FINE_MM = np.array([0.5, 1.0, 1.0])
_REACH_MM = np.array([36.0, 60.0, 54.0])  # half extent sampled while the frame is sought
_FINE_REACH_MM = np.array([26.0, 34.0, 36.0])
_FRAME_ROUNDS = 3
_MIDLINE_MM = 5.0  # the canal is wider than twice this at every level
_DEEPEST_HALF_MM = 27.0  # no wall is further behind the center of a body
_EDGE_MM = 4.0  # of the endplates, left out when planes are fitted
_WIDER = 0.06  # the waist may be wider than in its anterior half by this share
_MOST_ROTATION = np.radians(40.0)
_LEAST_ARCH = 0.15  # of the body's volume, before it shows where posterior is
_FEWEST_COLUMNS = 25


@dataclass(frozen=True, eq=False)
class Body:
    """Endplates and walls of one vertebral body on a grid in its own frame.

    Axis ``w`` runs caudal, ``v`` posterior, ``u`` towards the patient's left, all in mm
    from ``center_mm``.

    Parameters
    ----------
    center_mm : ndarray, shape (3,)
        RAS+ mm.
    axes : ndarray, shape (3, 3)
        Rows are the unit vectors caudal, posterior, left in RAS+.
    v_mm, u_mm : ndarray, shape (V,) and (U,)
        Grid lines of the columns, 1 mm apart.
    cranial_mm, caudal_mm : ndarray, shape (V, U)
        ``w`` of the two endplates; NaN where there is no body.
    waist : ndarray, shape (V, U)
        Share of the middle half of the height that is bone, 0 to 1: outlines the body
        where osteophytes do not reach.
    wall_mm : float
        ``v`` of the posterior wall on the midline.
    """

    center_mm: np.ndarray
    axes: np.ndarray
    v_mm: np.ndarray
    u_mm: np.ndarray
    cranial_mm: np.ndarray
    caudal_mm: np.ndarray
    waist: np.ndarray
    wall_mm: float

    @property
    def outline(self) -> np.ndarray:
        """Where the body is in plan, (V, U) bool: transverse processes cut off.

        Its half-width is that of the anterior half, where nothing is attached to it.
        """
        bone = self.waist > 0.5
        front = bone[(self.v_mm <= -0.1 * self.wall_mm) & (self.v_mm >= -0.6 * self.wall_mm)]
        rows = front[front.any(axis=1)]
        if not len(rows):
            return bone
        left = float(np.median([self.u_mm[row].max() for row in rows]))
        right = float(np.median([self.u_mm[row].min() for row in rows]))
        margin = _WIDER * (left - right) / 2
        return bone & (self.u_mm >= right - margin) & (self.u_mm <= left + margin)

    def to_mm(self, wvu_mm: np.ndarray) -> np.ndarray:
        """Map (w, v, u) (..., 3) to RAS+ mm (..., 3)."""
        return np.asarray(wvu_mm) @ self.axes + self.center_mm


@dataclass(frozen=True, eq=False)
class _Sampling:
    """Occupancy (W, V, U) of a mask along the axes of a frame, and its grid lines in mm."""

    center_mm: np.ndarray
    axes: np.ndarray
    occupancy: np.ndarray
    lines_mm: tuple[np.ndarray, np.ndarray, np.ndarray]


def extract_body(
    mask: np.ndarray, affine: np.ndarray, center_mm: np.ndarray, axes: np.ndarray
) -> Body | None:
    """Find the body of one vertebra, its own frame and its endplates.

    Parameters
    ----------
    mask : ndarray of bool, shape (X, Y, Z)
        A whole vertebra or just its body, with background on every side.
    affine : ndarray, shape (4, 4)
        Index in ``mask`` to RAS+ mm.
    center_mm : ndarray, shape (3,)
        About the center of the body, RAS+ mm.
    axes : ndarray, shape (3, 3)
        First guess of the frame: rows caudal, posterior, left.

    Returns
    -------
    Body or None
        None where no body can be found in the mask around ``center_mm``.

    Notes
    -----
    The caudal axis is the mean of the normals of the planes fitted to the endplates (their
    rims of 4 mm left out); the posterior axis points from the body to the arch, so an
    axially rotated vertebra is not measured askew.
    """
    center = np.asarray(center_mm, dtype=float)
    for _ in range(_FRAME_ROUNDS):
        sampling = _sample(mask, affine, center, axes, _COARSE_MM, _REACH_MM)
        surfaces = _surfaces(sampling)
        if surfaces is None:
            return None
        refined = _refined_frame(sampling, surfaces)
        if refined is None:
            return None
        center, axes = refined
    return _surfaces(_sample(mask, affine, center, axes, _FINE_MM, _FINE_REACH_MM))


def _sample(
    mask: np.ndarray,
    affine: np.ndarray,
    center: np.ndarray,
    axes: np.ndarray,
    step: np.ndarray,
    reach: np.ndarray,
) -> _Sampling:
    """Interpolate the mask linearly along the frame; its 0.5 level is the bone's surface."""
    half = np.round(reach / step).astype(int)
    lines = [np.arange(-n, n + 1) * s for n, s in zip(half, step, strict=True)]
    inverse = np.linalg.inv(affine)
    matrix = inverse[:3, :3] @ (axes.T * step)
    origin = center - half * step @ axes
    offset = inverse[:3, :3] @ origin + inverse[:3, 3]
    occupancy = ndimage.affine_transform(
        mask.astype(np.float32), matrix, offset, output_shape=tuple(2 * half + 1), order=1
    )
    return _Sampling(center, axes, occupancy, (lines[0], lines[1], lines[2]))


def _surfaces(sampling: _Sampling) -> Body | None:
    """Cut the arch off and read endplates and walls from the occupancy."""
    w, v, u = sampling.lines_mm
    bone = _part_at_center(sampling.occupancy > 0.5)
    wall = _posterior_wall_mm(bone, v, u)
    if wall is None:
        return None
    body = _part_at_center(bone & (v <= wall)[None, :, None])
    cranial = _first_crossing_mm(sampling.occupancy, body, w)
    caudal = -_first_crossing_mm(sampling.occupancy[::-1], body[::-1], -w[::-1])
    if np.isfinite(cranial).sum() * (v[1] - v[0]) ** 2 < _FEWEST_COLUMNS:
        return None
    waist = _waist(sampling.occupancy * body, cranial, caudal, w)
    return Body(sampling.center_mm, sampling.axes, v, u, cranial, caudal, waist, wall)


def _part_at_center(inside: np.ndarray) -> np.ndarray:
    """Keep the connected part with the most voxels within reach of the grid's center."""
    parts, count = ndimage.label(inside)
    if count < 2:
        return inside
    middle = tuple(slice(n // 4, n - n // 4) for n in inside.shape)
    sizes = np.bincount(parts[middle].ravel(), minlength=count + 1)
    sizes[0] = 0
    return parts == int(np.argmax(sizes))


def _posterior_wall_mm(bone: np.ndarray, v: np.ndarray, u: np.ndarray) -> float | None:
    """Return ``v`` where the body ends towards the canal on the midline, or None.

    On each line that runs posterior through the body within 5 mm of the midline, the wall
    is the first exit from the bone. The median over the lines ignores a notch of the basal
    vein as well as a lamina that is fused with the body in a few coarse slices.
    """
    start = int(np.argmin(np.abs(v)))
    middle = np.abs(u) <= _MIDLINE_MM
    lines = bone[:, start:, :][:, :, middle]
    lines = lines[lines.any(axis=(1, 2))]
    rows = len(lines)
    core = lines[rows // 5 : rows - rows // 5].transpose(0, 2, 1)
    core = core[core[..., 0]]
    if not len(core):
        return None
    exits = np.where(core.all(axis=1), np.inf, np.argmin(core, axis=1) * (v[1] - v[0]))
    wall = float(np.median(exits)) - (v[1] - v[0]) / 2
    if wall > _DEEPEST_HALF_MM:  # no canal in this mask: mirror the anterior wall
        front = bone[:, : start + 1, :][:, :, middle].any(axis=0)
        wall = -float(np.median(v[np.argmax(front, axis=0)]))
    return wall if 3.0 < wall <= _DEEPEST_HALF_MM else None


def _first_crossing_mm(occupancy: np.ndarray, body: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Return ``w`` (V, U) where a column first enters the body, between samples."""
    first = np.argmax(body, axis=0)
    here = np.take_along_axis(occupancy, first[None], axis=0)[0]
    before = np.take_along_axis(occupancy, np.maximum(first - 1, 0)[None], axis=0)[0]
    rise = np.where(here > before, here - before, 1.0)
    share = np.clip((here - 0.5) / rise, 0.0, 1.0)
    crossing = w[first] - share * (w[1] - w[0])
    return np.where(body.any(axis=0) & (first > 0), crossing, np.nan)


def _waist(
    occupancy: np.ndarray, cranial: np.ndarray, caudal: np.ndarray, w: np.ndarray
) -> np.ndarray:
    top, bottom = np.nanmedian(cranial), np.nanmedian(caudal)
    middle = np.abs(w - (top + bottom) / 2) <= (bottom - top) / 4
    return occupancy[middle].mean(axis=0)


def _refined_frame(sampling: _Sampling, body: Body) -> tuple[np.ndarray, np.ndarray] | None:
    """Turn the frame along the endplates and towards the arch; move it to the middle."""
    step = body.v_mm[1] - body.v_mm[0]
    inner = ndimage.binary_erosion(body.outline, iterations=max(round(_EDGE_MM / step), 1))
    inner &= np.isfinite(body.cranial_mm) & np.isfinite(body.caudal_mm)
    if inner.sum() * step**2 < _FEWEST_COLUMNS:
        return None
    v, u = np.meshgrid(body.v_mm, body.u_mm, indexing="ij")
    planes = [_plane(v[inner], u[inner], w[inner]) for w in (body.cranial_mm, body.caudal_mm)]
    slope = np.mean([plane[:2] for plane in planes], axis=0)
    caudal = body.axes[0] - slope[0] * body.axes[1] - slope[1] * body.axes[2]
    caudal /= np.linalg.norm(caudal)
    turn = _rotation_towards_arch(sampling, body)
    posterior = np.cos(turn) * body.axes[1] + np.sin(turn) * body.axes[2]
    posterior -= caudal * (posterior @ caudal)
    posterior /= np.linalg.norm(posterior)
    axes = np.stack([caudal, posterior, np.cross(caudal, posterior)])
    outline = body.outline
    v_mid, u_mid = (float(axis[outline].min() + axis[outline].max()) / 2 for axis in (v, u))
    w_mid = float(np.mean([plane @ (v_mid, u_mid, 1.0) for plane in planes]))
    return body.to_mm(np.array([w_mid, v_mid, u_mid])), axes


def _plane(v: np.ndarray, u: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Fit w = a v + b u + c; points over 2.5 robust deviations off are left out, twice."""
    design = np.stack([v, u, np.ones_like(v)], axis=1)
    keep = np.ones(len(w), bool)
    for _ in range(3):
        plane = np.linalg.lstsq(design[keep], w[keep], rcond=None)[0]
        residual = np.abs(w - design @ plane)
        keep = residual <= 2.5 * max(1.4826 * float(np.median(residual)), 0.2)
    return plane


def _rotation_towards_arch(sampling: _Sampling, body: Body) -> float:
    """Return the angle (radians, towards left) from the posterior axis to the arch."""
    _, v, u = sampling.lines_mm
    plan = (sampling.occupancy > 0.5).sum(axis=0)
    behind = plan * (v > body.wall_mm + 2.0)[:, None]
    front = plan * body.outline
    if behind.sum() < _LEAST_ARCH * front.sum():
        return 0.0
    arch = np.array([behind.sum(axis=1) @ v, behind.sum(axis=0) @ u]) / behind.sum()
    own = np.array([front.sum(axis=1) @ v, front.sum(axis=0) @ u]) / front.sum()
    towards = arch - own
    return float(np.clip(np.arctan2(towards[1], towards[0]), -_MOST_ROTATION, _MOST_ROTATION))
