"""From a mask, from centroids or from both to named vertebrae with body centers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import LabelError
from spinexplain.extents import Box
from spinexplain.geometry import BoxFrame, apply_affine, box_axes, fit_curve
from spinexplain.spine.body_middle import middle_between_walls
from spinexplain.spine.center import (
    OFF_CURVE_MM,
    axial_centers,
    choose_centers,
    crop_affine,
    deep_centers,
)
from spinexplain.spine.checks.facing import check_runs_caudally
from spinexplain.spine.checks.mask import mask_flags
from spinexplain.spine.checks.placement import NOT_ON_BONE, check_centers_placed
from spinexplain.spine.curve import centers_mm
from spinexplain.spine.grids import extent_mm, match_grid
from spinexplain.spine.quality import (
    CENTER_OFF_BODY,
    CENTROID_OUTSIDE_MASK,
    OFF_CURVE,
    OUTSIDE_SCAN,
    TOUCHES_BORDER,
)
from spinexplain.spine.resample import resample_affine
from spinexplain.spine.sampling import box_to_voxel
from spinexplain.types import LabelMap, Vertebra, Volume

_NOT_VERTEBRAE = {26, 27}  # sacrum and coccyx
_BODY_REACH_MM = 28.0  # a border nearer than this to the center may have cut the body
_OUTSIDE_TOLERANCE_MM = 2.0
_CROP, _CROP_STEP_MM = (48, 64, 64), 1.25  # a body in it, and what its center may be off
_SAME_PLACE_MM = 6.0  # a given center that near to the middle of its mask's body means it
_CAUDAL = np.array([0.0, 0.0, -1.0])


def localize(
    volume: Volume,
    labels: LabelMap | None = None,
    centroids: Sequence[Vertebra] | None = None,
    body: LabelMap | None = None,
) -> list[Vertebra]:
    """Name the vertebrae of a scan and find their body centers.

    Parameters
    ----------
    volume : Volume
        The scan.
    labels : LabelMap, optional
        VerSe-labeled mask, on any grid that overlaps the scan.
    centroids : sequence of Vertebra, optional
        Known body centers. Given both, these win, but for their exact place: within 6 mm of the
        middle of the mask's body they are moved there. Levels only in the mask are added, and
        a center outside its own mask is flagged ``centroid_outside_mask``.
    body : LabelMap, optional
        Where the mask's vertebrae have their bodies; see :func:`vertebrae_from_mask`.

    Returns
    -------
    list of Vertebra
        In cranio-caudal order of the levels. Centers outside the scan are kept and
        flagged ``outside_scan``.

    Raises
    ------
    LabelError
        If neither mask nor centroids are given, a label is no vertebra, a level occurs
        twice, nothing is labeled, every center lies outside the scan, or most centers
        without a mask lie in soft tissue.
    GeometryError
        If the mask does not overlap the scan or does not lie on its bones, lies on another
        grid of the same matrix, or the orientation is wrong: by the mask, or because the levels
        lie side by side.

    Warns
    -----
    ScanWarning
        If labels or centers stand out from their surroundings less than bone does.
    """
    if labels is None and centroids is None:
        raise LabelError(
            "no vertebrae given: expected a VerSe-labeled mask or centroids (or both). "
            "Pass --labels MASK or --centroids JSON."
        )
    matched = None if labels is None else match_grid(labels, volume)
    from_mask = [] if matched is None else vertebrae_from_mask(matched, body)
    given = _distinct(centroids or [])
    if matched is not None:
        given = [_compared_with_mask(vertebra, matched, from_mask) for vertebra in given]
    named = {vertebra.level: vertebra for vertebra in [*from_mask, *given]}
    ordered = sorted(named.values(), key=lambda vertebra: vertebra.level.order)
    found = _flag_outside(ordered, volume)
    flags: dict[VertebraLevel, set[str]] = {}
    if labels is not None and matched is not None:
        flags = mask_flags(volume, labels, matched, level_boxes(matched), from_mask)
    masked = {vertebra.level for vertebra in from_mask}
    inside = [v for v in found if v.level not in masked and OUTSIDE_SCAN not in v.flags]
    check_runs_caudally(inside)
    for level in check_centers_placed(volume, inside):
        flags[level] = {NOT_ON_BONE}
    return [_with_flags(vertebra, flags.get(vertebra.level, set())) for vertebra in found]


def _with_flags(vertebra: Vertebra, flags: set[str]) -> Vertebra:
    return replace(vertebra, flags=(*vertebra.flags, *sorted(flags))) if flags else vertebra


def with_graded_levels(vertebrae: list[Vertebra]) -> list[Vertebra]:
    """Return the vertebrae as they are, if they can be a spine to grade or measure.

    Raises
    ------
    LabelError
        If none is thoracic or lumbar, or the first level does not lie above the last.

    Examples
    --------
    >>> with_graded_levels([Vertebra(VertebraLevel.C7, (0, 0, 0))])
    Traceback (most recent call last):
    ...
    spinexplain.errors.LabelError: no thoracic or lumbar vertebra was found (only C7); ...
    """
    if not any(vertebra.level.is_graded for vertebra in vertebrae):
        found = ", ".join(vertebra.level.value for vertebra in vertebrae)
        raise LabelError(
            f"no thoracic or lumbar vertebra was found (only {found}); expected at least one "
            "of T1-L6. Check the labels, or which tool wrote them with --label-scheme."
        )
    centers_mm(vertebrae)  # refuses levels from bottom to top
    return vertebrae


def vertebrae_from_mask(labels: LabelMap, body: LabelMap | None = None) -> list[Vertebra]:
    """Find the body center of every vertebra in a mask.

    Parameters
    ----------
    labels : LabelMap
        VerSe labels; whole vertebrae or bodies only. 26 and 27 are ignored.
    body : LabelMap, optional
        Not 0 where there is vertebral body, for the centers; see
        :func:`spinexplain.io.body_masks.body_mask`.

    Returns
    -------
    list of Vertebra
        In cranio-caudal order. Flags: ``touches_border`` where the border of the mask
        lies within 28 mm of the center on labeled voxels, ``off_curve`` where the center
        lies over 12 mm off the curve through the others, the first and last left to
        :func:`spinexplain.spine.checks.course.off_course`. A bone that is both is left out:
        only a sliver of it is in view, and it would bend the curve of the others.

    Raises
    ------
    LabelError
        If a label is no vertebra, or there is none.

    Notes
    -----
    The centroid of the largest part that is deep in the axial plane (see
    :mod:`spinexplain.spine.center`) says which part is the body; each bone is worked on in its own
    bounding box. The center lies halfway between the walls of that body (see
    :mod:`spinexplain.spine.body_middle`), where networks are trained to expect it: the mean of
    what is deep lies a millimeter or two behind, and in the arch of a collapsed vertebra.
    """
    boxes = level_boxes(labels)
    on_bodies = None if body is None else match_grid(body, labels).array
    bones = [_Bone(labels, level, box) for level, box in boxes.items()]
    likeliest = [bone.likeliest_centers(on_bodies) for bone in bones]
    centers, off_curve = choose_centers(likeliest, lambda i: deep_centers(*bones[i].crop))
    # past the ends a curve is guessed: there only off_course speaks, by what it can know
    ends = {0, len(bones) - 1}
    cut = [bone.is_cut(center) for bone, center in zip(bones, centers, strict=True)]
    # a sliver at the border is left out: its center is nowhere near the body's
    kept = [i for i in range(len(bones)) if not (cut[i] and off_curve[i] > OFF_CURVE_MM)]
    middles = _middles([bones[i] for i in kept], centers[kept])
    found = []
    for i, middle in zip(kept, middles, strict=True):
        flags = [TOUCHES_BORDER] if cut[i] else []
        flags += [OFF_CURVE] if off_curve[i] > OFF_CURVE_MM and i not in ends else []
        found.append(Vertebra(bones[i].level, _point(middle), tuple(flags)))
    return found


def _middles(bones: Sequence[_Bone], centers: np.ndarray) -> list[np.ndarray]:
    """Move centers, of bones in order along the spine, halfway between the walls of the body."""
    if len(centers) < 2:
        return [bone.middle(center, _CAUDAL) for bone, center in zip(bones, centers, strict=True)]
    curve = fit_curve(centers, _CAUDAL)
    along = curve.tangent(curve.knots_s_mm)
    return [bone.middle(*at) for bone, *at in zip(bones, centers, along, strict=True)]


def level_boxes(labels: LabelMap) -> dict[VertebraLevel, Box]:
    """Return the bounding box of every vertebra in a mask, in cranio-caudal order.

    Raises
    ------
    LabelError
        If a label is no vertebra (26 and 27 are ignored), or there is none.
    """
    boxes = {label: extent.box for label, extent in labels.extents.items()}
    codes = {level.verse_label: level for level in VertebraLevel}
    unknown = sorted(set(boxes) - set(codes) - _NOT_VERTEBRAE, key=lambda x: (x < 0, x))
    if unknown:
        raise LabelError(
            f"the mask holds labels that are no vertebrae in VerSe's coding: {unknown[:10]}; "
            "expected 1-25 and 28 (26 and 27 are ignored). Check which tool wrote the mask, "
            "or name its scheme."
        )
    known = {codes[label]: box for label, box in boxes.items() if label in codes}
    if not known:
        raise LabelError(
            "the mask holds no vertebra: every voxel is background or sacrum; expected VerSe "
            "labels 1-25 or 28. Check that the mask belongs to this scan."
        )
    return dict(sorted(known.items(), key=lambda item: item[0].order))


@dataclass(frozen=True, eq=False)
class _Bone:
    """One vertebra of a mask, and the bounding box it is worked on in."""

    labels: LabelMap
    level: VertebraLevel
    box: Box

    @property
    def crop(self) -> tuple[np.ndarray, np.ndarray]:
        """The mask in the box, and its affine."""
        mask = self.labels.array[self.box] == self.level.verse_label
        return mask, crop_affine(self.labels.affine, self.box)

    def likeliest_centers(self, on_bodies: np.ndarray | None) -> np.ndarray:
        """Return the centroid on the body map where it marks this bone, else by depth."""
        mask, affine = self.crop
        if on_bodies is not None:
            inside = np.argwhere(mask & (on_bodies[self.box] > 0))
            if len(inside):
                return apply_affine(affine, inside.mean(axis=0, keepdims=True))
        return axial_centers(mask, affine)

    def middle(self, center_mm: np.ndarray, caudal: np.ndarray) -> np.ndarray:
        """Return halfway between the walls of the body, or the center where they are not found."""
        frame = BoxFrame(center_mm, box_axes(caudal), _CROP, _CROP_STEP_MM)
        mask, affine = self.crop
        matrix, offset = box_to_voxel(frame, affine)
        occupancy, _ = resample_affine(mask.astype(np.float32), matrix, offset, _CROP, 0.0)
        middle = middle_between_walls(occupancy, (np.array(_CROP) - 1) / 2, _CROP_STEP_MM)
        if middle is None:
            return center_mm
        return frame.to_mm(middle)

    def is_cut(self, center_mm: np.ndarray) -> bool:
        """Say whether labeled voxels near the body lie on the border of the grid."""
        shape = self.labels.array.shape
        for axis, (side, length) in enumerate(zip(self.box, shape, strict=True)):
            for index, reached in ((0, side.start == 0), (length - 1, side.stop == length)):
                if reached and self._nearest_mm(axis, index, center_mm) < _BODY_REACH_MM:
                    return True
        return False

    def _nearest_mm(self, axis: int, index: int, center_mm: np.ndarray) -> float:
        """Return how near the bone's voxels in one plane of the grid come to a point."""
        face = list(self.box)
        face[axis] = slice(index, index + 1)
        on_face = np.argwhere(self.labels.array[tuple(face)] == self.level.verse_label)
        points = apply_affine(crop_affine(self.labels.affine, tuple(face)), on_face.astype(float))
        return float(np.linalg.norm(points - center_mm, axis=1).min(initial=np.inf))


def _point(center: np.ndarray) -> tuple[float, float, float]:
    return float(center[0]), float(center[1]), float(center[2])


def _distinct(vertebrae: Sequence[Vertebra]) -> list[Vertebra]:
    levels = [vertebra.level for vertebra in vertebrae]
    twice = sorted({level.value for level in levels if levels.count(level) > 1})
    if twice:
        raise LabelError(
            f"the centroids name {', '.join(twice)} more than once; expected each level once. "
            "Remove or rename the extra entries."
        )
    return list(vertebrae)


def _compared_with_mask(
    vertebra: Vertebra, labels: LabelMap, from_mask: Sequence[Vertebra]
) -> Vertebra:
    """Settle a given center; take the mask's border flag over, flag a center off its mask."""
    own = next((known for known in from_mask if known.level == vertebra.level), None)
    if own is None:
        return vertebra
    away = float(np.linalg.norm(np.subtract(own.centroid_mm, vertebra.centroid_mm)))
    flags = [flag for flag in own.flags if flag == TOUCHES_BORDER]
    if away <= _SAME_PLACE_MM and not flags:  # what is left of a cut body has another middle
        vertebra = replace(vertebra, centroid_mm=own.centroid_mm)
    if away > _SAME_PLACE_MM:
        flags.append(CENTER_OFF_BODY)
    if not _near_label(labels, vertebra):
        flags.append(CENTROID_OUTSIDE_MASK)
    return replace(vertebra, flags=tuple(dict.fromkeys([*vertebra.flags, *flags])))


def _near_label(labels: LabelMap, vertebra: Vertebra) -> bool:
    """Say whether a voxel of the level's own label lies within 2 mm of its center."""
    reach = np.ceil(_OUTSIDE_TOLERANCE_MM / np.array(labels.spacing_mm)).astype(int)
    at = apply_affine(np.linalg.inv(labels.affine), np.array(vertebra.centroid_mm)).round()
    low = np.clip(at.astype(int) - reach, 0, None)
    high = np.clip(at.astype(int) + reach + 1, 0, None)
    around = labels.array[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    return bool(np.any(around == vertebra.level.verse_label))


def _flag_outside(vertebrae: list[Vertebra], volume: Volume) -> list[Vertebra]:
    centers = np.array([vertebra.centroid_mm for vertebra in vertebrae])
    ijk = apply_affine(np.linalg.inv(volume.affine), centers)
    outside = np.any((ijk < -0.5) | (ijk > np.array(volume.array.shape) - 0.5), axis=1)
    if outside.all():
        low, high = extent_mm(volume).round(1).tolist()
        raise LabelError(
            f"every one of the {len(vertebrae)} centers lies outside the scan, which spans {low} "
            f"to {high} mm (RAS+); expected centers inside it. Check that the centroids belong "
            "to this scan and state the right orientation."
        )
    return [
        replace(vertebra, flags=(*vertebra.flags, OUTSIDE_SCAN)) if out else vertebra
        for vertebra, out in zip(vertebrae, outside, strict=True)
    ]
