"""Whose numbers a vertebra mask has: by its labels, their places and their sizes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import LabelError
from spinexplain.io.label_stats import LabelStats, label_boxes, label_stats, shells
from spinexplain.io.level_sizes import against_sizes, misfit, step_ratio, volume_ratio
from spinexplain.io.schemes import (
    COCCYX,
    SACRUM,
    SCHEMES,
    SUBREGIONS,
    LabelScheme,
    listed,
    refuse_images,
)
from spinexplain.types import LabelMap

_STEP_MM = (8.0, 65.0)  # centers of neighboring vertebrae, whole bones, partly cut
_CLEARLY_BETTER = 0.8  # difference of misfits from which sizes decide between schemes
_FEWEST_OF_FIRST_VERSION = 3
_SCALE, _ALIKE = (0.5, 2.0), (0.75, 1.33)  # of a wrong spacing; distances by sizes
# What is no vertebra by a scheme, but has the size of one or of a disc and lies in their row.
_BONE_MM3 = (3e3, 1.2e5)
_BONE_SIDE_MM = 130.0
_BONE_HEIGHT_MM = 80.0  # longer ones are vessels, cord, esophagus
_IN_ROW_MM = 18.0
_PAST_ENDS_MM = 70.0
_NAME_PARTS = {
    "vertebral-level": "spine-segment",
    "seg-vert_msk": "verse",
    "verse": "verse",
    "totalspineseg": "totalspineseg",
    "totalseg": "totalsegmentator",
}


@dataclass(frozen=True, eq=False)
class _Judged:
    """A scheme that knows all labels, and what speaks against it.

    ``placed`` labels are vertebrae or sacrum by it; ``against`` excludes it; ``disorder`` may
    also be a fault of the mask itself.
    """

    scheme: LabelScheme
    levels: Mapping[VertebraLevel, LabelStats]
    placed: int
    against: str
    disorder: str


def detect_scheme(name: str, mask: LabelMap) -> LabelScheme:
    """Find out from all labels, their places and sizes whose numbers a mask has.

    Parameters
    ----------
    name : str
        File name; a hint where anatomy leaves several schemes.
    mask : LabelMap

    Raises
    ------
    LabelError
        If nothing is labeled, no scheme fits, several that differ do, or one that has to be
        named by the user; the message names them.

    Notes
    -----
    A scheme fits when it knows every label, its vertebrae follow each other from cranial to
    caudal 8 to 65 mm apart per level, they have the size of their levels (see
    :mod:`spinexplain.io.level_sizes`), and nothing else of a vertebra's size lies in a row
    with them. That separates VerSe's numbers, which grow downwards, from TotalSegmentator's,
    which grow upwards; T13 from a sacrum (both 28); and a tool that counts L1 to L5 from 1.
    A mask in which only the order of some levels is odd keeps its scheme: that is for the
    quality flags to say. TotalSegmentator's first version is found only where its labels
    leave VerSe's range: within it, a VerSe mask on its head would look the same.
    """
    refuse_images(mask)
    if not label_boxes(mask):
        raise LabelError(f"{name}: every voxel is 0; expected vertebra labels. Check the mask.")
    stats = label_stats(mask)
    judged = [_judged(scheme, stats) for scheme in SCHEMES.values() if scheme.allows(stats)]
    most = max((one.placed for one in judged if not one.scheme.asked_only), default=0)
    judged = [one for one in judged if 2 * one.placed >= most]
    _refuse_subregions(name, list(stats), judged)
    candidates = _candidates(name, judged, stats)
    if len(candidates) == 1 and not candidates[0].scheme.asked_only:
        return candidates[0].scheme
    if not candidates:
        _refuse_scale(name, mask, judged)
    raise LabelError(_question(name, list(stats), candidates or judged, bool(candidates)))


def refuse_shells(name: str, mask: LabelMap) -> None:
    """Refuse a mask whose labels were interpolated.

    Raises
    ------
    LabelError
        If a label is nothing but a thin shell.
    """
    found = shells(mask, label_boxes(mask))
    if found:
        raise LabelError(
            f"{name}: labels {listed(found)} are thin shells around other bones, as interpolation "
            "of label numbers leaves them; expected whole bones. Resample the mask again with "
            "nearest neighbor."
        )


def _judged(scheme: LabelScheme, stats: Mapping[int, LabelStats]) -> _Judged:
    levels = scheme.levels(stats)
    placed = _in_spine(scheme, stats)
    against = _upwards(placed) or against_sizes(levels) or _in_their_row(scheme, stats)
    if scheme.name == "totalsegmentator-v1" and len(levels) < _FEWEST_OF_FIRST_VERSION:
        against = against or "too few levels to prefer it to the second version"
    return _Judged(scheme, levels, len(placed), against, _disorder(placed))


def _candidates(name: str, judged: Sequence[_Judged], labels: Iterable[int]) -> list[_Judged]:
    """Return the schemes that fit, or else those that the mask's own faults may spoil."""
    possible = [one for one in judged if not one.against]
    fitting = [one for one in possible if not one.disorder] or possible
    plain = [one for one in fitting if not one.scheme.asked_only]
    verse = [one for one in judged if one.scheme.name == "verse"]
    in_verse = verse and set(labels) <= verse[0].scheme.to_verse.keys()
    if [one.scheme.name for one in plain] == ["totalsegmentator-v1"] and in_verse:
        return [*verse, *plain]  # or a VerSe mask on its head
    candidates = _sizes_decide(_different(_most_telling(plain)), fitting)
    if len(candidates) > 1:
        candidates = [one for one in candidates if one.scheme.name == _hinted(name)] or candidates
    return candidates


def _most_telling(judged: Sequence[_Judged]) -> list[_Judged]:
    """Keep the schemes that give the most labels a place in the spine."""
    most = max((one.placed for one in judged), default=0)
    return [one for one in judged if one.placed == most]


def _sizes_decide(plain: Sequence[_Judged], fitting: Sequence[_Judged]) -> list[_Judged]:
    """Leave out what fits clearly worse; add what is only read by name where it fits better."""
    misfits = {id(one): misfit(one.levels) for one in fitting}
    best = min((misfits[id(one)] for one in plain), default=np.inf)
    close = [one for one in plain if misfits[id(one)] <= best + _CLEARLY_BETTER]
    asked = [one for one in fitting if one.scheme.asked_only]
    better = [one for one in asked if misfits[id(one)] < best - _CLEARLY_BETTER]
    return [*close, *_different(better)]


def _in_spine(scheme: LabelScheme, stats: Mapping[int, LabelStats]) -> list[tuple[int, np.ndarray]]:
    """Return (order, center) of the vertebrae and the sacrum, from cranial to caudal."""
    known = {label: scheme.to_verse.get(label, COCCYX) for label in stats}
    placed = [(_order(v), stats[label].center_mm) for label, v in known.items() if v != COCCYX]
    return sorted(placed, key=lambda item: item[0])


def _upwards(placed: Sequence[tuple[int, np.ndarray]]) -> str:
    heights = np.array([center[2] for _, center in placed])
    rising = np.diff(heights) >= 0
    if rising.size and rising.mean() > 0.5:
        return "its levels would run from bottom to top (is the image's orientation right?)"
    return ""


def _disorder(placed: Sequence[tuple[int, np.ndarray]]) -> str:
    """Say where levels do not follow each other downwards at the distances of a spine."""
    low, high = _STEP_MM
    for (above, upper), (below, lower) in pairwise(placed):
        step = np.linalg.norm(upper - lower) / _levels_between(above, below)
        if lower[2] >= upper[2] or not low <= step <= high:
            return "the order or the distances of its levels are not those of a spine"
    return ""


def _in_their_row(scheme: LabelScheme, stats: Mapping[int, LabelStats]) -> str:
    """Say which labels of no vertebra lie among the vertebrae and look like them."""
    known = {*scheme.to_verse, *scheme.beside}
    centers = np.array([center for _, center in _in_spine(scheme, stats)])
    odd = [
        label
        for label, one in stats.items()
        if label not in known and _like_bone(one) and _in_row(one.center_mm, centers)
    ]
    if not odd or 4 * len(odd) < len(centers):
        return ""
    return f"labels {listed(odd)} lie in a row with its vertebrae but are none by its numbers"


def _like_bone(one: LabelStats) -> bool:
    sides = float(one.extent_mm.max()) <= _BONE_SIDE_MM
    small = float(one.extent_mm[2]) <= _BONE_HEIGHT_MM
    return sides and small and _BONE_MM3[0] <= one.volume_mm3 <= _BONE_MM3[1]


def _in_row(point: np.ndarray, centers: np.ndarray) -> bool:
    """Whether a point lies within 18 mm of the line through the centers, also past its ends."""
    z = centers[:, 2]
    if not z.min() - _PAST_ENDS_MM <= point[2] <= z.max() + _PAST_ENDS_MM:
        return False
    order = np.argsort(z)
    on_line = [np.interp(point[2], z[order], centers[order, axis]) for axis in (0, 1)]
    return bool(np.hypot(*(point[:2] - on_line)) <= _IN_ROW_MM)


def _order(verse: int) -> int:
    """Cranio-caudal order with the sacrum below L6."""
    if verse == SACRUM:
        return VertebraLevel.L6.order + 1
    return VertebraLevel.from_verse_label(verse).order


def _levels_between(above: int, below: int) -> int:
    """Steps from one level to another, with T13 and L6 counted only where they are ends."""
    extra = (VertebraLevel.T13.order, VertebraLevel.L6.order)
    return max(1, below - above - sum(above < level < below for level in extra))


def _different(judged: Sequence[_Judged]) -> list[_Judged]:
    """Leave out schemes that would renumber these labels as an earlier one does."""
    seen: dict[tuple[tuple[str, int], ...], _Judged] = {}
    for one in judged:
        key = tuple((level.value, id(stats)) for level, stats in one.levels.items())
        seen.setdefault(key, one)
    return list(seen.values())


def _refuse_subregions(name: str, labels: list[int], judged: Sequence[_Judged]) -> None:
    fits = any(not one.against and not one.disorder for one in judged)
    if labels and not fits and set(labels) <= set(SUBREGIONS) and set(labels) & {49, 50}:
        raise LabelError(
            f"{name}: labels {listed(labels)} are the sub-regions of vertebrae (arch, processes, "
            "body), which do not say which vertebra; expected vertebra labels. Give the "
            "vertebra mask with --labels."
        )


def _refuse_scale(name: str, mask: LabelMap, judged: Sequence[_Judged]) -> None:
    """Refuse bones that are too small or large by one factor in all directions: a wrong spacing."""
    sizes = [one.volume_mm3 for one in label_stats(mask).values()]
    if _BONE_MM3[0] <= np.median(sizes) <= _BONE_MM3[1]:
        return  # vertebrae of some level
    for one in judged:
        apart, larger = step_ratio(one.levels), np.cbrt(volume_ratio(one.levels))
        if _SCALE[0] < apart < _SCALE[1] or not _ALIKE[0] < apart / larger < _ALIKE[1]:
            continue
        spacing = " x ".join(f"{step:.3g}" for step in mask.spacing_mm)
        raise LabelError(
            f"{name}: the bones lie {apart:.2g} times as far apart as vertebrae do and are "
            f"{larger:.2g} times as large, with voxels of {spacing} mm; expected those of a "
            "person. Check the voxel spacing and its unit in the header."
        )


def _question(name: str, labels: list[int], schemes: Sequence[_Judged], fitting: bool) -> str:
    """Ask which scheme is meant, with what speaks for and against each."""
    titles = [f"{one.scheme.name} ({one.scheme.title})" for one in schemes]
    fits = " or ".join(titles) if fitting else "no known label scheme"
    reasons = [
        f"{one.scheme.name}: {one.against or one.disorder}"
        for one in schemes
        if one.against or one.disorder
    ]
    asked = fitting and all(one.scheme.asked_only for one in schemes)
    why = f" ({'; '.join(reasons)})" if reasons else ""
    expected = "a scheme that is read without being named" if asked else "one"
    return (
        f"{name}: labels {listed(labels)} fit {fits}{why}; expected {expected}. Say which tool "
        f"wrote the mask with --label-scheme ({', '.join(SCHEMES)})."
    )


def _hinted(name: str) -> str:
    text = name.lower()
    return next((scheme for part, scheme in _NAME_PARTS.items() if part in text), "")
