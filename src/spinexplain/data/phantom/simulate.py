"""Simulated fractures: the phantom's fracture model as a displacement field on any CT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage as ndi

from spinexplain.anatomy import VertebraLevel
from spinexplain.data.phantom.fracture import SHAPES, FracturePlan, fracture_body
from spinexplain.data.phantom.presets import Fractures
from spinexplain.data.phantom.shape import Collapse, plain_body
from spinexplain.errors import ConfigError, LabelError
from spinexplain.geometry import apply_affine, box_axes, fit_curve
from spinexplain.spine.body import Body, extract_body
from spinexplain.spine.center import crop_affine
from spinexplain.spine.localize import level_boxes, match_grid, vertebrae_from_mask
from spinexplain.types import LabelMap, Vertebra, Volume

_DISC_MM = 6.0  # how far beyond an endplate the soft disc takes up what the endplate does
_SIDE_REACH = 1.8  # the body's own deformation fades out to this multiple of its half width
_LOSS_LIMITS = (0.05, 0.75)
_EVIDENCE_MM = 2.0


@dataclass(frozen=True, eq=False)
class SimulatedFracture:
    """A CT with a simulated fracture.

    Parameters
    ----------
    volume : Volume
        Same grid and dtype; the patient below the vertebra is untouched, all above follows
        down.
    labels : LabelMap
        The mask, deformed likewise, on the grid of ``volume``.
    vertebrae : tuple of Vertebra
        Body centers after the fracture.
    evidence : LabelMap of uint8
        The label of the vertebra where its endplates were displaced and height was lost.
    """

    volume: Volume
    labels: LabelMap
    vertebrae: tuple[Vertebra, ...]
    evidence: LabelMap


def simulate_fracture(
    volume: Volume,
    labels: LabelMap,
    level: VertebraLevel,
    shape: str = "wedge",
    loss: float = 0.3,
    seed: int = 0,
    centroids: Sequence[Vertebra] = (),
) -> SimulatedFracture:
    """Fracture one vertebra of a real or phantom CT.

    Parameters
    ----------
    volume : Volume
    labels : LabelMap
        VerSe labels of whole vertebrae, on any grid that overlaps the scan.
    level : VertebraLevel
    shape : str
        ``"wedge"``, ``"biconcave"``, ``"crush"`` or ``"mixed"``.
    loss : float
        Largest loss of the vertebra's own height, 0.05 to 0.75.
    seed : int
        Draws profile, roughness and share of the two endplates.
    centroids : sequence of Vertebra
        Body centers of levels that are not in the mask; they follow what happens to the scan.

    Raises
    ------
    ConfigError
        If the shape is unknown or the loss out of range.
    LabelError
        If the level is not in the mask, or its body can not be told from the mask.
    GeometryError
        If mask and scan do not overlap.

    Notes
    -----
    Along each column through the body the two endplates move towards its middle by the
    phantom's collapse profiles; the disc takes up the difference to the rims; all above
    follows the rims down and tilts with them. Beside and behind the body the same
    shortening is spread evenly over its height. Output voxels are looked up where they
    came from (trilinear; the mask nearest), so nothing is torn.
    """
    _check(shape, loss)
    matched = match_grid(labels, volume)
    vertebrae = _joined(vertebrae_from_mask(matched), centroids)
    body = _find_body(matched, vertebrae, level)
    field = _draw_field(seed, body, FracturePlan(shape, loss))
    return _warp(volume, matched, vertebrae, level, field)


def _joined(masked: list[Vertebra], beside: Sequence[Vertebra]) -> list[Vertebra]:
    known = {vertebra.level for vertebra in masked}
    others = [vertebra for vertebra in beside if vertebra.level not in known]
    return sorted([*masked, *others], key=lambda vertebra: vertebra.level.order)


def _check(shape: str, loss: float) -> None:
    if shape not in SHAPES:
        raise ConfigError(f"shape is {shape!r}; expected one of {', '.join(SHAPES)}.")
    low, high = _LOSS_LIMITS
    if not low <= loss <= high:
        raise ConfigError(
            f"loss is {loss}; expected a share of the height from {low} to {high}, "
            "e.g. 0.35 for 35 %."
        )


def _find_body(labels: LabelMap, vertebrae: list[Vertebra], level: VertebraLevel) -> Body:
    boxes = level_boxes(labels)
    if level not in boxes:
        raise LabelError(
            f"level {level.value} is not in the mask; "
            f"expected one of {', '.join(known.value for known in boxes)}."
        )
    at = [v.level for v in vertebrae].index(level)
    curve = fit_curve(np.array([v.centroid_mm for v in vertebrae]), np.array([0.0, 0.0, -1.0]))
    axes = box_axes(curve.tangent(curve.knots_s_mm[at]))
    box = boxes[level]
    mask = np.pad(labels.array[box] == level.verse_label, 1)
    affine = crop_affine(labels.affine, box)
    affine[:3, 3] = apply_affine(affine, np.full(3, -1.0))
    body = extract_body(mask, affine, np.array(vertebrae[at].centroid_mm), axes)
    if body is None:
        raise LabelError(
            f"{level.value}: no vertebral body can be told from the mask; expected a whole "
            "vertebra. Choose another level or check the mask."
        )
    return body


@dataclass(frozen=True, eq=False)
class _Field:
    """The displacement field of one fracture, in the frame of its body.

    ``h`` runs cranial, ``a`` anterior, ``r`` right, mm from the body's center.
    """

    body: Body
    upper: Collapse
    lower: Collapse
    back_mm: float
    depth_mm: float
    half_width_mm: float
    top_mm: np.ndarray
    bottom_mm: np.ndarray
    rim_up_mm: float
    rim_down_mm: float
    tilt: float

    def to_local(self, xyz_mm: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        local = (xyz_mm - self.body.center_mm) @ self.body.axes.T
        return -local[..., 0], -local[..., 1], -local[..., 2]

    def to_world(self, h: np.ndarray, a: np.ndarray, r: np.ndarray) -> np.ndarray:
        return np.stack([-h, -a, -r], axis=-1) @ self.body.axes + self.body.center_mm

    def endplates(self, a: np.ndarray, r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the heights of the upper and the lower endplate before the fracture."""
        row = (-a - self.body.v_mm[0]) / (self.body.v_mm[1] - self.body.v_mm[0])
        column = (-r - self.body.u_mm[0]) / (self.body.u_mm[1] - self.body.u_mm[0])
        at = np.stack([row.ravel(), column.ravel()])
        top = ndi.map_coordinates(self.top_mm, at, order=1, mode="nearest")
        bottom = ndi.map_coordinates(self.bottom_mm, at, order=1, mode="nearest")
        return top.reshape(a.shape), bottom.reshape(a.shape)

    def moved(self, a: np.ndarray, r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return how far the upper and the lower endplate move towards the middle."""
        t = np.clip((a + self.back_mm) / self.depth_mm, 0.0, 1.0)
        side = np.clip(r / self.half_width_mm, -1.0, 1.0)
        return self.upper.depth(t, side), self.lower.depth(t, side)

    def source(self, h: np.ndarray, a: np.ndarray, r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return (h, a) where the points of the fractured patient came from."""
        top, bottom = self.endplates(a, r)
        up, down = self.moved(a, r)
        shift = self.rim_up_mm + self.rim_down_mm + self.tilt * (a + self.back_mm)
        shift = np.maximum(shift - self.tilt * self.depth_mm / 2, 0.0)
        before = (bottom - _DISC_MM, bottom, top, top + _DISC_MM)
        after = (
            before[0],
            np.maximum(bottom + down - self.rim_down_mm, before[0] + 1.0),
            top - up - self.rim_down_mm,
            before[3] - shift,
        )
        inside = _piecewise(h, after, before) - h
        tall = before[3] - before[0]
        spread = shift * _smooth((h - before[0] + 0.25 * tall) / (1.5 * tall - shift))
        share = self._own_share(a, r)
        moved = share * inside + (1 - share) * spread
        lean = self.tilt * np.maximum(h - after[3], 0.0)
        return h + moved, a - lean

    def _own_share(self, a: np.ndarray, r: np.ndarray) -> np.ndarray:
        t = (a + self.back_mm) / self.depth_mm
        side = np.abs(r) / self.half_width_mm
        fade = _SIDE_REACH - 1.05
        return (_smooth((t + 0.3) / 0.3) * _smooth((_SIDE_REACH - t) / fade)) * _smooth(
            (_SIDE_REACH - side) / fade
        )


def _smooth(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3 - 2 * x)


def _piecewise(
    h: np.ndarray, knots: tuple[np.ndarray, ...], values: tuple[np.ndarray, ...]
) -> np.ndarray:
    """Interpolate linearly between knots that differ per point; shifted alike beyond them."""
    result = h + np.where(h < knots[0], values[0] - knots[0], values[-1] - knots[-1])
    for k in range(len(knots) - 1):
        span = np.maximum(knots[k + 1] - knots[k], 1e-3)
        here = np.logical_and(h >= knots[k], h < knots[k + 1])
        along = values[k] + (h - knots[k]) / span * (values[k + 1] - values[k])
        result = np.where(here, along, result)
    return result


def _draw_field(seed: int, body: Body, plan: FracturePlan) -> _Field:
    """Draw the displacement; a second draw takes up what this body's own relief changed."""
    first = _field_of(np.random.default_rng(seed), body, plan)
    missing = plan.loss - _predicted_loss(first)
    aimed = FracturePlan(plan.shape, min(plan.loss + missing, 0.9))
    return _field_of(np.random.default_rng(seed), body, aimed)


def _field_of(rng: np.random.Generator, body: Body, plan: FracturePlan) -> _Field:
    outline = body.outline
    rows = np.abs(body.u_mm) <= 5.0
    front = -float(np.median(body.v_mm[np.argmax(outline[:, rows], axis=0)]))
    depth = front + body.wall_mm
    own = _heights(body, front)
    width = float(np.ptp(body.u_mm[outline.any(axis=0)]))
    model = plain_body(depth, width, own)
    broken = fracture_body(rng, Fractures(bulge_mm=(0.0, 0.0)), model, own, plan)
    upper, lower = broken.upper.collapse, broken.lower.collapse
    assert upper is not None
    assert lower is not None
    wedged = upper.anterior + lower.anterior - upper.posterior - lower.posterior
    return _Field(
        body=body,
        upper=upper,
        lower=lower,
        back_mm=body.wall_mm,
        depth_mm=depth,
        half_width_mm=width / 2,
        top_mm=_filled(-body.cranial_mm, outline),
        bottom_mm=_filled(-body.caudal_mm, outline),
        rim_up_mm=_rim(upper),
        rim_down_mm=_rim(lower),
        tilt=float(rng.uniform(0.1, 0.4)) * max(wedged, 0.0) / depth,
    )


def _predicted_loss(field: _Field) -> float:
    """Return the largest loss over the bands of depth in which heights are measured.

    Each antero-posterior line of the middle third has its own front wall: towards the sides
    a band lies further back.
    """
    body = field.body
    columns = np.flatnonzero(np.abs(body.u_mm) <= field.half_width_mm / 3)
    front = -body.v_mm[np.argmax(body.outline[:, columns], axis=0)]
    losses = []
    for low, high in ((0.08, 0.17), (0.42, 0.58), (0.83, 0.92)):
        t = np.linspace(low, high, 5)[:, None]
        a = t * (front + field.back_mm) - field.back_mm
        r = np.broadcast_to(-body.u_mm[columns], a.shape)
        (top, bottom), (up, down) = field.endplates(a, r), field.moved(a, r)
        losses.append(float((up + down).mean() / (top - bottom).mean()))
    return max(losses)


def _rim(collapse: Collapse) -> float:
    return 0.4 * (collapse.anterior + collapse.posterior) + 0.2 * collapse.middle


def _heights(body: Body, front: float) -> tuple[float, float, float]:
    """Return anterior, middle and posterior height before the fracture, mm."""
    tall = np.where(body.outline, body.caudal_mm - body.cranial_mm, np.nan)
    middle = np.abs(body.u_mm) <= max(5.0, np.ptp(body.u_mm) / 12)
    t = (body.wall_mm - body.v_mm) / (front + body.wall_mm)
    picks = [np.abs(t - at) <= 0.06 for at in (0.875, 0.5, 0.125)]
    anterior, mid, posterior = (float(np.nanmedian(tall[np.ix_(p, middle)])) for p in picks)
    return anterior, mid, posterior


def _filled(plate: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """Continue an endplate beyond its edge and smooth it lightly."""
    known = np.isfinite(plate) & ndi.binary_erosion(outline)
    nearest = ndi.distance_transform_edt(~known, return_distances=False, return_indices=True)
    return ndi.gaussian_filter(plate[tuple(nearest)], 1.2)


def _warp(
    volume: Volume,
    labels: LabelMap,
    vertebrae: list[Vertebra],
    level: VertebraLevel,
    field: _Field,
) -> SimulatedFracture:
    hu = volume.array.astype(np.float32)
    warped = np.empty_like(hu)
    mask = np.empty_like(labels.array)
    evidence = np.zeros(labels.array.shape, np.uint8)
    inverse = np.linalg.inv(volume.affine)
    plane = np.stack(np.meshgrid(*[np.arange(n) for n in hu.shape[1:]], indexing="ij"), -1)
    for i in range(hu.shape[0]):
        ijk = np.concatenate([np.full((*plane.shape[:2], 1), i), plane], axis=-1)
        h, a, r = field.to_local(apply_affine(volume.affine, ijk.astype(float)))
        from_h, from_a = field.source(h, a, r)
        back = apply_affine(inverse, field.to_world(from_h, from_a, r))
        at = np.moveaxis(back, -1, 0)
        warped[i] = ndi.map_coordinates(hu, at, order=1, mode="nearest")
        mask[i] = ndi.map_coordinates(labels.array, at, order=0, mode="constant", cval=0)
        lost = _evidence(field, h, a, r) & np.isin(mask[i], (0, level.verse_label))
        evidence[i][lost] = level.verse_label
    if np.issubdtype(volume.array.dtype, np.integer):
        warped = np.rint(warped)
    return SimulatedFracture(
        volume=Volume(warped.astype(volume.array.dtype), volume.affine),
        labels=LabelMap(mask, labels.affine),
        vertebrae=tuple(_moved_vertebra(v, level, field) for v in vertebrae),
        evidence=LabelMap(evidence, labels.affine),
    )


def _evidence(field: _Field, h: np.ndarray, a: np.ndarray, r: np.ndarray) -> np.ndarray:
    """Return where endplates were displaced (2 mm deep) and height was lost."""
    top, bottom = field.endplates(a, r)
    up, down = field.moved(a, r)
    t = (a + field.back_mm) / field.depth_mm
    side = r / field.half_width_mm
    within = np.logical_and(t > -0.02, t < 1.02) & (np.abs(side) < 1.0)
    above = h - (top - up - field.rim_down_mm)
    below = (bottom + down - field.rim_down_mm) - h
    found = np.zeros(h.shape, bool)
    for face, amount in ((above, up), (below, down)):
        found |= (face > -_EVIDENCE_MM) & (face < amount) & (amount > 0.8)
    return found & within


def _moved_vertebra(vertebra: Vertebra, level: VertebraLevel, field: _Field) -> Vertebra:
    """Follow a body's center: the points that come from it, found by fixed-point steps."""
    h, a, r = field.to_local(np.array(vertebra.centroid_mm)[None])
    if vertebra.level == level:
        zero = np.zeros(1)
        (top, bottom), (up, down) = field.endplates(zero, zero), field.moved(zero, zero)
        new_h, new_a = (top - up + bottom + down) / 2 - field.rim_down_mm, a
    else:
        new_h, new_a = h.copy(), a.copy()
        for _ in range(25):
            from_h, from_a = field.source(new_h, new_a, r)
            new_h, new_a = new_h + (h - from_h), new_a + (a - from_a)
    x, y, z = (float(c) for c in field.to_world(new_h, new_a, r)[0])
    return Vertebra(vertebra.level, (x, y, z), vertebra.flags)
