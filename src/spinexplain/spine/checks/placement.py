"""Whether a mask or centers lie on the bones of their scan: refused, warned of, or flagged."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import GeometryError, LabelError
from spinexplain.extents import Box
from spinexplain.io.label_stats import label_boxes
from spinexplain.io.scan_flags import ScanWarning
from spinexplain.spine.checks.contrast import (
    DENSE_HU,
    CenterContrast,
    Contrast,
    center_contrast,
    label_contrasts,
    middle_contrast,
)
from spinexplain.spine.checks.discs import check_centers_in_bodies
from spinexplain.spine.checks.layers import label_layers, layer_shares
from spinexplain.spine.checks.neighborhood import lies_best_here
from spinexplain.spine.grids import same_extent, shift_voxels
from spinexplain.types import LabelMap, Vertebra, Volume

NOT_ON_BONE = "not_on_bone"

# Medians over the levels of real scans and phantoms reach 0.87 to 0.98. Moved by 10 mm across
# the spine they fall under 0.7; 12 mm along it, where there is bone again, under 0.8.
_ON_BONE = 0.74
_OFF_BONE = 0.60
_LEVEL_OFF_BONE = 0.60
_LAYERED = 0.60  # the surface of bones is denser than what is under and around it
_CLEARLY_WORSE = 0.1
_CONFLICT_VOXELS = 0.5

# Centers: (share inside, share of dense voxels behind) under which there is no vertebra.
_CENTER_OFF = ((0.52, 1.01), (0.75, 0.02), (0.58, 0.08))
_FEWEST_CENTERS = 3
# Fatty marrow lies between dense endplates and before an arch. Medians over the levels are 75 HU
# and more at centers of bodies, 55 and less 25 mm beside them.
_ENDPLATES_HU, _ENDPLATES_OF_LEVEL_HU, _SOME_ARCH = 60.0, 40.0, 0.08
# Its walls stand out by 40 to 130 HU in most directions, in soft tissue by 20 and less.
_WALLS_HU = 30.0
_MARROW_HU, _ARCH_BEHIND, _ENHANCED_BEFORE = 80.0, 0.2, 0.5
# Dense shares: behind at most and before at least; beside at least, and times as much as behind.
_REVERSED, _SIDEWAYS = (0.03, 0.08), (0.12, 2.5)
_TELLING_HU = 100.0  # of the bodies: arches of thinner bone than this may not be dense


def check_mask_placed(
    volume: Volume, labels: LabelMap, matched: LabelMap, boxes: Mapping[VertebraLevel, Box]
) -> set[VertebraLevel]:
    """Compare a mask with the scan under it.

    Parameters
    ----------
    volume : Volume
    labels : LabelMap
        As given.
    matched : LabelMap
        The same on the scan's grid.
    boxes : mapping of VertebraLevel to box
        Of the labels of ``matched``.

    Returns
    -------
    set of VertebraLevel
        Levels whose label does not stand out as bone.

    Raises
    ------
    GeometryError
        If the labels do not lie on bone, or mask and scan have one matrix but lie on
        different grids and the header's is not clearly the right one.

    Warns
    -----
    ScanWarning
        If the labels stand out less than bone does, and not clearly more than beside them.
    """
    contrasts = label_contrasts(volume, matched, boxes)
    found = middle_contrast(contrasts)
    _check_conflict(volume, labels, found)
    if found is None:
        return set()
    doubtful = {level for level, one in contrasts.items() if one.share < _LEVEL_OFF_BONE}
    if not doubtful and found.share >= _ON_BONE:
        return set()
    layers = label_layers(matched, boxes)
    if found.share >= _ON_BONE or lies_best_here(volume, layers):
        shares = layer_shares(volume, {level: layers[level] for level in doubtful})
        return {level for level in doubtful if not shares.get(level, 0.0) >= _LAYERED}
    if found.share < _OFF_BONE:
        raise GeometryError(
            f"the labels do not lie on bone: median {_inside_out(found)}; expected bone denser "
            "than its surroundings. The mask is shifted, or belongs to another scan: check "
            "both files and their headers."
        )
    message = (
        f"the labels barely stand out as bone: median {_inside_out(found)}. Check that the "
        "mask is not shifted against the scan."
    )
    warnings.warn(message, ScanWarning, stacklevel=2)
    return set(contrasts)


def _check_conflict(volume: Volume, labels: LabelMap, by_header: Contrast | None) -> None:
    """Refuse a mask with the scan's matrix on another grid, unless its own clearly fits better."""
    if labels.array.shape != volume.array.shape or same_extent(labels, volume, _CONFLICT_VOXELS):
        return
    as_stored = LabelMap(labels.array, volume.affine)
    by_voxel = middle_contrast(label_contrasts(volume, as_stored, _level_boxes(as_stored)))
    if _clearly_better(by_header, by_voxel):
        return
    apart = shift_voxels(labels, volume)
    spacings = [" x ".join(f"{step:.4g}" for step in grid.spacing_mm) for grid in (labels, volume)]
    raise GeometryError(
        f"mask and scan have the same matrix but lie on different grids, up to {apart:.1f} "
        f"voxels apart (spacing {spacings[0]} and {spacings[1]} mm). By the mask's header: "
        f"{_said(by_header)}; voxel by voxel: {_said(by_voxel)}. Expected one grid: copy the "
        "scan's affine into the mask, or export the mask again."
    )


def _clearly_better(one: Contrast | None, other: Contrast | None) -> bool:
    if one is None or one.share < _ON_BONE:
        return False
    return other is None or other.share < one.share - _CLEARLY_WORSE


def _level_boxes(labels: LabelMap) -> dict[VertebraLevel, Box]:
    codes = {level.verse_label: level for level in VertebraLevel}
    boxes = label_boxes(labels).items()
    return {codes[label]: box for label, box in boxes if label in codes}


def check_arches_seen(volume: Volume, vertebrae: Sequence[Vertebra]) -> None:
    """Look for the arches in the scan itself, for masks of bodies alone.

    Raises
    ------
    LabelError
        If dense bone lies in front of all of three or more thoracic and lumbar centers, or
        beside them, and hardly any behind; bone of osteoporotic people says nothing.
    """
    graded = [vertebra for vertebra in vertebrae if vertebra.level.is_graded]
    looked_at = (center_contrast(volume, vertebra) for vertebra in graded)
    _refuse_turned([one for one in looked_at if one is not None])


def _refuse_turned(centers: Collection[CenterContrast]) -> None:
    if len(centers) < _FEWEST_CENTERS or not all(_is_turned(one) for one in centers):
        return
    if float(np.median([one.body.inside_hu for one in centers])) < _TELLING_HU:
        return
    behind, before, beside = np.median([(c.behind, c.before, c.beside) for c in centers], axis=0)
    where, what = ("beside", "Axes")
    if before > beside:
        where, what = ("in front of", "Front and back")
    raise LabelError(
        f"dense bone lies {where} every center ({max(before, beside):.0%} of the voxels) and "
        f"little behind ({behind:.0%}); expected the arches behind the bodies. {what} are "
        "exchanged: check the orientation of the scan."
    )


def check_centers_placed(volume: Volume, vertebrae: Sequence[Vertebra]) -> set[VertebraLevel]:
    """Compare centers that come without a mask with the scan around them.

    Parameters
    ----------
    volume : Volume
    vertebrae : sequence of Vertebra

    Returns
    -------
    set of VertebraLevel
        Thoracic and lumbar levels whose center lies on no vertebra.

    Raises
    ------
    LabelError
        If most of three or more centers lie on none or in discs, or all have their arch in front
        or beside.

    Warns
    -----
    ScanWarning
        If some centers lie on none.
    """
    seen = _contrasts(volume, vertebrae)
    off = _off_bone(seen)
    _refuse_turned(seen.values())
    if not off:
        check_centers_in_bodies(volume, vertebrae)
        return set()
    inside, around = np.median([(c.body.inside_hu, c.body.around_hu) for c in off.values()], axis=0)
    names = ", ".join(level.value for level in sorted(off, key=lambda level: level.order))
    message = (
        f"{len(off)} of {len(seen)} centers ({names}) are not on bone but in soft tissue or air: "
        f"median {inside:.0f} HU inside against {around:.0f} HU around; expected vertebral "
        "bodies. Check the centroids and their convention (direction, voxels or millimeters)."
    )
    if len(seen) >= _FEWEST_CENTERS and 2 * len(off) > len(seen):
        raise LabelError(message)
    warnings.warn(message, ScanWarning, stacklevel=2)
    return set(off)


def levels_off_bone(volume: Volume, vertebrae: Sequence[Vertebra]) -> set[VertebraLevel]:
    """Return the thoracic and lumbar levels whose center lies on no vertebra, without a warning.

    Parameters
    ----------
    volume : Volume
    vertebrae : sequence of Vertebra
        Of the whole scan: what is dark in one person is not in another.
    """
    return set(_off_bone(_contrasts(volume, vertebrae)))


def _contrasts(
    volume: Volume, vertebrae: Sequence[Vertebra]
) -> dict[VertebraLevel, CenterContrast]:
    graded = [vertebra for vertebra in vertebrae if vertebra.level.is_graded]
    looked_at = {v.level: center_contrast(volume, v) for v in graded}
    return {level: one for level, one in looked_at.items() if one is not None}


def _off_bone(
    seen: Mapping[VertebraLevel, CenterContrast],
) -> dict[VertebraLevel, CenterContrast]:
    off = {level: one for level, one in seen.items() if _is_off(one)}
    dark = _are_dark_between_walls(seen.values())
    if dark or _have_endplates(seen.values()):
        return {level: one for level, one in off.items() if not _is_fatty_marrow(one, dark)}
    return off


def _is_off(one: CenterContrast) -> bool:
    if _beside_contrast_medium(one):
        return False
    behind = 1.0 if np.isnan(one.behind) else one.behind
    return any(one.body.share < share and behind < dense for share, dense in _CENTER_OFF)


def _beside_contrast_medium(one: CenterContrast) -> bool:
    """Whether an enhanced heart or aorta in front outshines a body that has its arch behind."""
    is_bone = one.body.inside_hu >= _MARROW_HU and one.behind >= _ARCH_BEHIND
    return is_bone and one.body.inside_hu < DENSE_HU and one.before >= _ENHANCED_BEFORE


def _have_endplates(centers: Iterable[CenterContrast]) -> bool:
    """Whether centers lie between endplates, as those of one person's bodies all do."""
    found = [one.endplates_hu for one in centers if np.isfinite(one.endplates_hu)]
    return bool(found) and float(np.median(found)) >= _ENDPLATES_HU


def _are_dark_between_walls(centers: Collection[CenterContrast]) -> bool:
    """Whether most bodies hardly stand out but have walls: in others a dark center is off."""
    walls = [one.walls_hu for one in centers if np.isfinite(one.walls_hu)]
    if 2 * len(walls) <= len(centers) or float(np.median(walls)) < _WALLS_HU:
        return False
    return float(np.median([one.body.share for one in centers])) < _CENTER_OFF[1][0]


def _is_fatty_marrow(one: CenterContrast, dark: bool) -> bool:
    """Whether a body no denser than what is beside it has endplates and an arch.

    Where all bodies are ``dark``, walls are as good as an arch: the arch is of thin bone, too.
    """
    if not one.endplates_hu >= _ENDPLATES_OF_LEVEL_HU:  # NaN where they are not in the scan
        return False
    return one.behind >= _SOME_ARCH or (dark and one.walls_hu >= _WALLS_HU)


def _is_turned(one: CenterContrast) -> bool:
    in_body = one.body.share >= _CENTER_OFF[2][0]
    reversed_ = one.behind <= _REVERSED[0] and one.before >= _REVERSED[1]
    sideways = one.beside >= max(_SIDEWAYS[0], _SIDEWAYS[1] * one.behind)
    return in_body and (reversed_ or sideways)


def _inside_out(contrast: Contrast) -> str:
    return f"{contrast.inside_hu:.0f} HU inside against {contrast.around_hu:.0f} HU around"


def _said(contrast: Contrast | None) -> str:
    return "nothing can be said" if contrast is None else _inside_out(contrast)
