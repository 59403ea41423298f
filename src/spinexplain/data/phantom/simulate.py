"""Simulated fractures: the phantom's fracture model as a displacement field on any CT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage as ndi

from spinexplain.anatomy import VertebraLevel
from spinexplain.data.phantom.displace import Displacement, displacement_of, predicted_loss
from spinexplain.data.phantom.fracture import SHAPES, FracturePlan
from spinexplain.data.phantom.sites import Site
from spinexplain.errors import ConfigError, LabelError
from spinexplain.geometry import apply_affine, box_axes, fit_curve
from spinexplain.spine.body import Body, extract_body
from spinexplain.spine.center import crop_affine
from spinexplain.spine.grids import match_grid
from spinexplain.spine.localize import level_boxes, vertebrae_from_mask
from spinexplain.spine.morphometry import Measured, measure_bodies
from spinexplain.types import LabelMap, Vertebra, Volume

_LOSS_LIMITS = (0.05, 0.75)
_TRIES, _EXACT = 4, 0.005  # corrections of the aim, and the error that needs none
_MOST_IMPACTION = 2
_MARGIN = 3  # voxels around the vertebra that is measured
_CORE_MM = 7.0  # around the center of a body: spongy bone only
_DENSEST_HU = 600.0  # an impacted band is never denser than this above what was there


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
    part : LabelMap of uint8
        Endplate and sixth of the depth of the vertebra, 1 to 12; see
        :func:`~spinexplain.data.phantom.displaced.part_codes`.
    displacement_mm : tuple of 12 floats
        How far the superior, then the inferior endplate moved, by sixths of the depth from
        posterior to anterior.
    """

    volume: Volume
    labels: LabelMap
    vertebrae: tuple[Vertebra, ...]
    evidence: LabelMap
    part: LabelMap
    displacement_mm: tuple[float, ...]


def simulate_fracture(
    volume: Volume,
    labels: LabelMap,
    level: VertebraLevel,
    shape: str = "wedge",
    loss: float = 0.3,
    seed: int = 0,
    impaction: float = 0.0,
    centroids: Sequence[Vertebra] = (),
    site: Site | None = None,
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
    impaction : float
        Share of the spongy bone of the lost height that is packed into a dense band under
        the broken endplates: 1 conserves the mineral, 0 (default) leaves densities as they
        are, as in old fractures.
    centroids : sequence of Vertebra
        Body centers of levels that are not in the mask; they follow what happens to the scan.
    site : Site, optional
        Which endplate and third give way, in place of ``shape``.

    Raises
    ------
    ConfigError
        If the shape is unknown, or loss or impaction out of range.
    LabelError
        If the level is not in the mask, or its body cannot be found in the mask.
    GeometryError
        If mask and scan do not overlap.

    Notes
    -----
    Along each column through the body the two endplates move towards its middle by the
    phantom's collapse profiles; the disc takes up the difference to the rims; all above
    follows the rims down and tilts with them. Beside and behind the body the same
    shortening is spread evenly over its height. Output voxels are looked up where they
    came from (trilinear; the mask nearest), so nothing is torn. The displacement is solved
    so that the heights measured on the deformed mask give the loss.
    """
    _check(shape if site is None else SHAPES[0], loss, impaction)
    matched = match_grid(labels, volume)
    vertebrae = _joined(vertebrae_from_mask(matched), centroids)
    body = _find_body(matched, vertebrae, level)
    scene = _Scene(matched, tuple(vertebrae), level, body)
    plan = FracturePlan(shape if site is None else site.shape, loss, site)
    field = _solved(seed, scene, plan)
    return _warp(volume, scene, field, impaction)


def _joined(masked: list[Vertebra], beside: Sequence[Vertebra]) -> list[Vertebra]:
    known = {vertebra.level for vertebra in masked}
    others = [vertebra for vertebra in beside if vertebra.level not in known]
    return sorted([*masked, *others], key=lambda vertebra: vertebra.level.order)


def _check(shape: str, loss: float, impaction: float) -> None:
    if shape not in SHAPES:
        raise ConfigError(f"shape is {shape!r}; expected one of {', '.join(SHAPES)}.")
    low, high = _LOSS_LIMITS
    if not low <= loss <= high:
        raise ConfigError(
            f"loss is {loss}; expected a share of the height from {low} to {high}, "
            "e.g. 0.35 for 35 %."
        )
    if not 0 <= impaction <= _MOST_IMPACTION:
        raise ConfigError(
            f"impaction is {impaction}; expected 0 (none) to {_MOST_IMPACTION}; 1 keeps all bone."
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
            f"{level.value}: no vertebral body can be found in the mask; expected a whole "
            "vertebra. Choose another level or check the mask."
        )
    return body


@dataclass(frozen=True, eq=False)
class _Scene:
    """What is fractured: the mask on the scan's grid, its vertebrae, one of them."""

    labels: LabelMap
    vertebrae: tuple[Vertebra, ...]
    level: VertebraLevel
    body: Body


def _solved(seed: int, scene: _Scene, plan: FracturePlan) -> Displacement:
    """Draw the displacement whose loss, measured on the deformed mask, is the planned one.

    What this body's relief and its voxels make of a drawn displacement is measured as any
    reader of the mask would, and the aim corrected by what is missing; the best try is kept.
    """
    best = displacement_of(np.random.default_rng(seed), scene.body, plan)
    aim, least = 2 * plan.loss - predicted_loss(best), np.inf
    alone = _alone(scene)
    before = measure_bodies(alone, scene.vertebrae).get(scene.level)
    for _ in range(_TRIES):
        chosen = replace(plan, loss=float(np.clip(aim, 0.02, 0.9)))
        tried = displacement_of(np.random.default_rng(seed), scene.body, chosen)
        after = _measured_after(scene, alone, tried)
        if before is None or after is None:  # nothing to confirm by: trust the prediction
            return tried
        missing = plan.loss - float((1 - after.heights_mm[1] / before.heights_mm[1]).max())
        if abs(missing) < least:
            best, least = tried, abs(missing)
        if least < _EXACT:
            break
        aim += missing
    return best


def _alone(scene: _Scene) -> LabelMap:
    """Cut the one vertebra out of the mask."""
    whole = scene.labels.array == scene.level.verse_label
    x, y, z = (
        slice(max(int(i.min()) - _MARGIN, 0), int(i.max()) + _MARGIN) for i in np.nonzero(whole)
    )
    codes = np.where(whole[x, y, z], scene.level.verse_label, 0).astype(np.uint8)
    return LabelMap(codes, crop_affine(scene.labels.affine, (x, y, z)))


def _measured_after(scene: _Scene, alone: LabelMap, field: Displacement) -> Measured | None:
    """Measure the vertebra on its deformed mask; None if it cannot be read there."""
    _, at = _looked_up(field, alone.affine, alone.array.shape)
    after = ndi.map_coordinates(alone.array, at, order=0, mode="constant", cval=0)
    moved = tuple(_moved_vertebra(v, scene.level, field) for v in scene.vertebrae)
    return measure_bodies(LabelMap(after, alone.affine), moved).get(scene.level)


def _looked_up(
    field: Displacement, affine: np.ndarray, shape: tuple[int, ...], start: int = 0
) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], np.ndarray]:
    """Return local coordinates of voxels, and the voxel indices (3, *shape) they come from."""
    ijk = np.moveaxis(np.indices(shape), 0, -1).astype(float)
    ijk[..., 0] += start
    h, a, r = field.to_local(apply_affine(affine, ijk))
    from_h, from_a = field.source(h, a, r)
    back = apply_affine(np.linalg.inv(affine), field.to_world(from_h, from_a, r))
    return (h, a, r), np.moveaxis(back, -1, 0)


def _warp(
    volume: Volume, scene: _Scene, field: Displacement, impaction: float
) -> SimulatedFracture:
    hu, labels, code = volume.array.astype(np.float32), scene.labels, scene.level.verse_label
    warped = np.empty_like(hu)
    mask = np.empty_like(labels.array)
    evidence, part = (np.zeros(labels.array.shape, np.uint8) for _ in range(2))
    mineral = _mineral_hu(hu, labels, scene)
    for i in range(hu.shape[0]):
        local, at = _looked_up(field, volume.affine, (1, *hu.shape[1:]), i)
        warped[i] = ndi.map_coordinates(hu, at, order=1, mode="nearest")[0]
        # Beyond the scan both go on as at its border, so that what was cut by it still is.
        mask[i] = ndi.map_coordinates(labels.array, at, order=0, mode="nearest")[0]
        if not (mask[i] == code).any():
            continue
        if impaction:
            dense = field.impacted(*local)[0] * (mask[i] == code)
            warped[i] += np.minimum(impaction * mineral * dense, _DENSEST_HU)
        lost = field.evidence(*local)[0] & np.isin(mask[i], (0, code))
        evidence[i][lost] = code
        part[i] = field.parts(*local)[0]
    if np.issubdtype(volume.array.dtype, np.integer):
        warped = np.rint(warped)
    return SimulatedFracture(
        volume=Volume(warped.astype(volume.array.dtype), volume.affine),
        labels=LabelMap(mask, labels.affine),
        vertebrae=tuple(_moved_vertebra(v, scene.level, field) for v in scene.vertebrae),
        evidence=LabelMap(evidence, labels.affine),
        part=LabelMap(part, labels.affine),
        displacement_mm=field.displacement_mm(),
    )


def _mineral_hu(hu: np.ndarray, labels: LabelMap, scene: _Scene) -> float:
    """Return the mean density of the body's spongy bone; marrow counts as 0 HU."""
    index = np.argwhere(labels.array == scene.level.verse_label)
    away = np.linalg.norm(
        apply_affine(labels.affine, index.astype(float)) - scene.body.center_mm, axis=1
    )
    core = index[away < _CORE_MM]
    return max(float(np.median(hu[tuple(core.T)])), 0.0) if len(core) else 0.0


def _moved_vertebra(vertebra: Vertebra, level: VertebraLevel, field: Displacement) -> Vertebra:
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
