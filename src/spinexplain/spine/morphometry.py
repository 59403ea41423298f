"""Heights of vertebral bodies: anterior, middle and posterior, in three thirds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.geometry import apply_affine, box_axes, fit_curve
from spinexplain.spine.body import Body, extract_body
from spinexplain.spine.center import axial_centers, crop_affine
from spinexplain.spine.checks.discs import DISC_IN_LABEL
from spinexplain.spine.height_loss import TALLEST_QUANTILE, HeightLoss, compare_heights
from spinexplain.spine.localize import level_boxes
from spinexplain.spine.quality import CENTROID_OUTSIDE_MASK, OFF_CURVE, OUTSIDE_SCAN
from spinexplain.types import Heights, LabelMap, Vertebra

SITES = ("anterior", "middle", "posterior")
THIRDS = ("left", "middle", "right")

# Where heights are taken, as shares of the depth from the anterior wall: a band around
# 12.5 % from either wall, inside the rims where osteophytes grow, and the middle. The
# centers are norms.SITE_DEPTHS.
_BANDS = ((0.10, 0.15), (0.43, 0.57), (0.85, 0.90))
_DEPTHS_PER_BAND = 4
_SIDE_MARGIN = 0.1  # of the width, at either side
_SHORTEST_LINE = 0.8  # of the distance from center to posterior wall
_FEWEST_LINES = 3
_DOUBTFUL_CENTER = frozenset({CENTROID_OUTSIDE_MASK, OFF_CURVE, OUTSIDE_SCAN})
_CUT_VOXELS = 4


@dataclass(frozen=True, eq=False)
class Measured:
    """Heights of one body before they are compared with anything.

    Parameters
    ----------
    heights_mm : ndarray, shape (3, 3)
        (left, middle, right third) x (anterior, middle, posterior).
    sd_mm : ndarray, shape (3,)
        Standard deviation of the middle third's heights from voxel size and spread.
    landmarks_mm : ndarray, shape (3, 2, 3)
        RAS+ mm of the middle third: (anterior, middle, posterior) x (cranial, caudal).
    """

    heights_mm: np.ndarray
    sd_mm: np.ndarray
    landmarks_mm: np.ndarray


def measure(
    labels: LabelMap, vertebrae: Sequence[Vertebra], extra_sd_mm: float = 0.0
) -> dict[VertebraLevel, Heights]:
    """Measure body heights and compare them with the nearest unfractured levels.

    Parameters
    ----------
    labels : LabelMap
        VerSe labels on any grid in the patient's frame; whole vertebrae or bodies only.
    vertebrae : sequence of Vertebra
        All of the scan; together they give the spine's curve.
    extra_sd_mm : float
        Standard deviation of a height beyond that from voxel size and spread, for masks that
        are less exact than their voxels.

    Returns
    -------
    mapping of VertebraLevel to Heights
        Thoracic and lumbar levels whose body lies whole in the mask; others are absent.

    Raises
    ------
    LabelError
        If a label is no vertebra, or there is none.
    """
    bodies = measure_bodies(labels, vertebrae)
    compared = compare_heights(
        {level: body.heights_mm[1] for level, body in bodies.items()},
        {level: np.hypot(body.sd_mm, extra_sd_mm) for level, body in bodies.items()},
    )
    broad = broad_losses({level: body.heights_mm for level, body in bodies.items()})
    return {level: _combined(bodies[level], loss, broad[level]) for level, loss in compared.items()}


def broad_losses(heights_mm: Mapping[VertebraLevel, np.ndarray]) -> dict[VertebraLevel, float]:
    """Return the largest loss that at least two of a body's thirds show.

    Parameters
    ----------
    heights_mm : mapping of VertebraLevel to ndarray, shape (3, 3)
        (left, middle, right third) x (anterior, middle, posterior), of the whole scan.

    Notes
    -----
    At each site the median of the three thirds is compared, as
    :func:`~spinexplain.spine.height_loss.compare_heights` does, with the spine's tallest bodies:
    a Schmorl's node lowers one third, a fracture the body. It is negative when taller.

    Examples
    --------
    >>> levels = [VertebraLevel(name) for name in ("T7", "T8", "T9")]
    >>> sound, pitted = np.full((3, 3), 20.0), np.full((3, 3), 20.0)
    >>> pitted[1, 1] = 12.0
    >>> round(broad_losses(dict(zip(levels, (sound, pitted, sound))))[levels[1]], 2) == 0
    True
    """
    medians = {level: np.median(thirds, axis=0) for level, thirds in heights_mm.items()}
    compared = compare_heights(medians, start_quantile=TALLEST_QUANTILE)
    return {level: one.loss for level, one in compared.items()}


def _combined(body: Measured, loss: HeightLoss, broad_loss: float) -> Heights:
    anterior, middle, posterior = (float(height) for height in body.heights_mm[1])
    return Heights(
        anterior_mm=anterior,
        middle_mm=middle,
        posterior_mm=posterior,
        expected_mm=_triple(loss.expected_mm),
        loss=loss.loss,
        loss_interval=loss.interval,
        height_loss_class=loss.height_loss_class,
        class_range=loss.class_range,
        shape=loss.shape,
        own_posterior_loss=loss.own_posterior_loss,
        thirds_mm={
            third: _triple(heights) for third, heights in zip(THIRDS, body.heights_mm, strict=True)
        },
        landmarks_mm=body.landmarks_mm,
        broad_loss=broad_loss,
    )


def _triple(values: np.ndarray) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])


def measure_bodies(
    labels: LabelMap, vertebrae: Sequence[Vertebra]
) -> dict[VertebraLevel, Measured]:
    """Measure the body of every vertebra that lies whole in the mask.

    Parameters
    ----------
    labels : LabelMap
        VerSe labels, on any grid in the patient's frame; whole vertebrae or bodies.
    vertebrae : sequence of Vertebra
        Their curve gives the first guess of each frame, their centers where to look; a
        center that is flagged as doubtful is replaced by the mask's own.

    Returns
    -------
    mapping of VertebraLevel to Measured
        Without levels that are not in the mask, cut by its border or at the wrong disc, or
        without a body.
    """
    boxes = level_boxes(labels)
    ordered = sorted(vertebrae, key=lambda vertebra: vertebra.level.order)
    centers = np.array([vertebra.centroid_mm for vertebra in ordered])
    curve = fit_curve(centers, np.array([0.0, 0.0, -1.0]))
    measured = {}
    for vertebra, s_mm in zip(ordered, curve.knots_s_mm, strict=True):
        if vertebra.level not in boxes or not vertebra.level.is_graded:
            continue
        if DISC_IN_LABEL in vertebra.flags:
            continue
        axes = box_axes(curve.tangent(s_mm))
        found = _measure_one(labels, vertebra, boxes[vertebra.level], axes)
        if found is not None:
            measured[vertebra.level] = found
    return measured


def _measure_one(
    labels: LabelMap, vertebra: Vertebra, box: tuple[slice, slice, slice], axes: np.ndarray
) -> Measured | None:
    mask = np.pad(labels.array[box] == vertebra.level.verse_label, 1)
    affine = crop_affine(labels.affine, box)
    affine[:3, 3] = apply_affine(affine, np.full(3, -1.0))
    body = None
    if not _DOUBTFUL_CENTER.intersection(vertebra.flags):
        body = extract_body(mask, affine, np.array(vertebra.centroid_mm), axes)
    if body is None:
        body = extract_body(mask, affine, axial_centers(mask, affine)[0], axes)
    if body is None or _is_cut(body, mask, affine, labels, box):
        return None
    return measure_body(body, labels.affine)


def _is_cut(
    body: Body,
    mask: np.ndarray,
    affine: np.ndarray,
    labels: LabelMap,
    box: tuple[slice, slice, slice],
) -> bool:
    """Say whether the body, not just the arch, reaches the border of the mask's grid."""
    for axis, (side, length) in enumerate(zip(box, labels.array.shape, strict=True)):
        for index, reached in ((1, side.start == 0), (-2, side.stop == length)):
            if not reached:
                continue
            face = np.argwhere(np.take(mask, [index], axis=axis)).astype(float)
            face[:, axis] = index % mask.shape[axis]
            _, v, u = ((apply_affine(affine, face) - body.center_mm) @ body.axes.T).T
            if np.count_nonzero(_on_outline(body, v, u)) >= _CUT_VOXELS:
                return True
    return False


def _on_outline(body: Body, v: np.ndarray, u: np.ndarray) -> np.ndarray:
    rows = np.round((v - body.v_mm[0]) / (body.v_mm[1] - body.v_mm[0])).astype(int)
    columns = np.round((u - body.u_mm[0]) / (body.u_mm[1] - body.u_mm[0])).astype(int)
    shape = body.waist.shape
    known = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
    on = np.zeros(len(v), bool)
    on[known] = body.outline[rows[known], columns[known]]
    return on


def measure_body(body: Body, affine: np.ndarray) -> Measured | None:
    """Measure a body's heights in its thirds; None where its outline is too broken.

    Parameters
    ----------
    body : Body
    affine : ndarray, shape (4, 4)
        Of the mask the body was read from; its voxels set the heights' precision.

    Notes
    -----
    On each antero-posterior line (1 mm apart) the walls are found at mid-height, where
    osteophytes do not reach; heights are medians over the lines of a third and over a band
    of depths around each site.
    """
    lines = _lines(body)
    if len(lines.u_mm) < 3 * _FEWEST_LINES:
        return None
    sites = [[_site(body, lines.third(i), band) for band in _BANDS] for i in range(3)]
    if any(np.isnan(site.height_mm) for third in sites for site in third):
        return None
    return Measured(
        heights_mm=np.array([[site.height_mm for site in third] for third in sites]),
        sd_mm=np.array([_height_sd_mm(body, site, affine) for site in sites[1]]),
        landmarks_mm=np.array([body.to_mm(site.landmarks_wvu) for site in sites[1]]),
    )


@dataclass(frozen=True, eq=False)
class _Lines:
    """Antero-posterior lines across a body: ``u``, anterior and posterior wall, mm (n,)."""

    u_mm: np.ndarray
    front_mm: np.ndarray
    back_mm: np.ndarray

    def third(self, index: int) -> _Lines:
        """Keep the lines of the left (0), middle (1) or right (2) third."""
        right, left = self.u_mm[[0, -1]]
        share = (left - self.u_mm) / (left - right)
        low, high = ((_SIDE_MARGIN, 1 / 3), (1 / 3, 2 / 3), (2 / 3, 1 - _SIDE_MARGIN))[index]
        keep = (share >= low) & (share <= high)
        return _Lines(self.u_mm[keep], self.front_mm[keep], self.back_mm[keep])


def _lines(body: Body) -> _Lines:
    outline, v = body.outline, body.v_mm
    long_enough = outline.sum(axis=0) * (v[1] - v[0]) >= _SHORTEST_LINE * body.wall_mm
    columns = np.flatnonzero(long_enough)
    first = np.argmax(outline, axis=0)[columns]
    last = len(v) - 1 - np.argmax(outline[::-1], axis=0)[columns]
    return _Lines(
        body.u_mm[columns],
        _edge_mm(body, columns, first, -1),
        np.minimum(_edge_mm(body, columns, last, 1), body.wall_mm),
    )


def _edge_mm(body: Body, columns: np.ndarray, inside: np.ndarray, outward: int) -> np.ndarray:
    """Return ``v`` where the waist falls to one half, going outward from ``inside``."""
    outside = np.clip(inside + outward, 0, len(body.v_mm) - 1)
    here, there = body.waist[inside, columns], body.waist[outside, columns]
    share = np.clip((here - 0.5) / np.maximum(here - there, 1e-6), 0.0, 1.0)
    return body.v_mm[inside] + share * (body.v_mm[outside] - body.v_mm[inside])


@dataclass(frozen=True, eq=False)
class _Site:
    """Where and how high: height, its columns (n, 2) and endplates (n, 2), all in mm."""

    height_mm: float
    columns_vu: np.ndarray
    endplates_w: np.ndarray

    @property
    def landmarks_wvu(self) -> np.ndarray:
        """The (cranial, caudal) points of the site, shape (2, 3)."""
        v, u = self.columns_vu.mean(axis=0)
        return np.array([(_center_of(w), v, u) for w in self.endplates_w.T])


def _site(body: Body, lines: _Lines, band: tuple[float, float]) -> _Site:
    shares = np.linspace(*band, _DEPTHS_PER_BAND)
    v = lines.front_mm[:, None] + shares * (lines.back_mm - lines.front_mm)[:, None]
    u = np.broadcast_to(lines.u_mm[:, None], v.shape)
    row = (v - body.v_mm[0]) / (body.v_mm[1] - body.v_mm[0])
    column = np.searchsorted(body.u_mm, u - 1e-6)
    ends = [_between_rows(plate, row, column) for plate in (body.cranial_mm, body.caudal_mm)]
    endplates = np.stack(ends, axis=-1).reshape(-1, 2)
    known = np.all(np.isfinite(endplates), axis=1)
    if known.sum() < _FEWEST_LINES:
        return _Site(np.nan, np.empty((0, 2)), np.empty((0, 2)))
    columns_vu = np.stack([v, u], axis=-1).reshape(-1, 2)[known]
    heights = np.diff(endplates[known], axis=1)
    return _Site(float(_center_of(heights[:, 0])), columns_vu, endplates[known])


def _center_of(values: np.ndarray) -> float:
    """Mean of the middle half: as robust as needed, without a median's steps of one voxel."""
    cut = len(values) // 4
    low, high = cut, len(values) - cut
    # What scipy.stats.trim_mean does; importing scipy.stats takes as long as many a scan.
    return float(np.partition(values, (low, high - 1))[low:high].mean())


def _between_rows(plate: np.ndarray, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    low = np.clip(np.floor(row).astype(int), 0, len(plate) - 2)
    share = row - low
    return (1 - share) * plate[low, column] + share * plate[low + 1, column]


def _height_sd_mm(body: Body, site: _Site, affine: np.ndarray) -> float:
    """Propagate voxel size and spread within the band to the height, mm.

    A surface that cuts k layers of voxels is placed with a standard deviation of
    step / sqrt(12 k), step being one layer's thickness along the height.
    """
    to_voxel = np.linalg.inv(affine)[:3, :3]
    caudal = body.axes[0]
    layers = int(np.argmax(np.abs(to_voxel @ caudal)))
    step = 1.0 / abs(float(to_voxel[layers] @ caudal))
    variance = 0.0
    for end in range(2):
        wvu = np.column_stack([site.endplates_w[:, end], site.columns_vu])
        depth = wvu @ body.axes @ to_voxel[layers]
        crossed = 1.0 + float(np.subtract(*np.quantile(depth, (0.95, 0.05))))
        variance += step**2 / (12.0 * crossed)
    heights = site.endplates_w[:, 1] - site.endplates_w[:, 0]
    spread = 1.4826 * float(np.median(np.abs(heights - np.median(heights))))
    voxel_area = abs(np.linalg.det(affine[:3, :3])) / step
    extent = np.ptp(site.columns_vu, axis=0) + 1.0
    independent = max(float(extent.prod()) / voxel_area, 1.0)
    return float(np.sqrt(variance + spread**2 / min(independent, len(heights))))
