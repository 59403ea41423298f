"""Label numbers of other tools become VerSe's, and are recognized by names and anatomy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import ConfigError, LabelError
from spinexplain.extents import background, labeled_slabs
from spinexplain.types import LabelMap

SACRUM, COCCYX = 26, 27  # VerSe's codes of what is not a vertebra
SUBREGIONS = range(41, 51)  # TPTBox: arch, processes, body border 49, body 50
_LABEL_MAX = 1000
_STEP_MM = (8.0, 65.0)  # centers of neighboring vertebrae, whole bones, partly cut

_LEVEL = "|".join([*VertebraLevel.__members__, "S1", "sacrum"])
_LEVEL_NAME = re.compile(rf"vertebrae?_({_LEVEL})(?![a-z0-9])|({_LEVEL})$", re.IGNORECASE)

VERSE = {level.verse_label: level.verse_label for level in VertebraLevel}


@dataclass(frozen=True)
class LabelScheme:
    """What the numbers of a tool's vertebra masks mean.

    Parameters
    ----------
    name : str
        What ``--label-scheme`` takes.
    title : str
        Whose masks these are.
    to_verse : mapping of int to int
        The tool's label -> VerSe's, sacrum 26 and coccyx 27 included.
    others : range
        Labels of other structures, which are left out.
    """

    name: str
    title: str
    to_verse: Mapping[int, int]
    others: range = range(0)

    def allows(self, labels: Iterable[int]) -> bool:
        """Whether every label has a meaning here and at least one is a vertebra."""
        labels = set(labels)
        known = labels <= self.to_verse.keys() | set(self.others)
        return known and any(self.to_verse.get(label) in VERSE for label in labels)


SCHEMES: Mapping[str, LabelScheme] = MappingProxyType(
    {
        scheme.name: scheme
        for scheme in (
            LabelScheme("verse", "VerSe", VERSE | {SACRUM: SACRUM, COCCYX: COCCYX}),
            # L5 27 .. C1 50 run upwards; 26 is the sacrum (S1), or L6 in its third version,
            # which only the names in the header say.
            LabelScheme(
                "totalsegmentator",
                "TotalSegmentator 2",
                {label: 51 - label for label in range(27, 51)} | {26: SACRUM},
                range(1, 256),
            ),
            LabelScheme(
                "totalsegmentator-v1",
                "TotalSegmentator 1",
                {label: 42 - label for label in range(18, 42)},
                range(1, 105),
            ),
            # Its 28 is the sacrum, which in VerSe's numbers would be T13.
            LabelScheme(
                "spine-segment",
                "spine-segment",
                {label: label for label in range(1, 26)} | {28: SACRUM},
            ),
        )
    }
)
_FIRST_VERSION = SCHEMES["totalsegmentator-v1"]
_NAME_PARTS = {
    "vertebral-level": "spine-segment",
    "seg-vert_msk": "verse",
    "verse": "verse",
    "totalseg": "totalsegmentator",
}


def scheme_named(name: str) -> LabelScheme:
    """Look up a scheme by the name that ``--label-scheme`` takes.

    Raises
    ------
    ConfigError
        If there is none of that name.

    Examples
    --------
    >>> scheme_named("totalsegmentator").to_verse[27] == VertebraLevel("L5").verse_label
    True
    """
    try:
        return SCHEMES[name.strip().lower()]
    except KeyError:
        raise ConfigError(
            f"label scheme {name!r} is unknown; expected one of {', '.join(SCHEMES)}."
        ) from None


def apply_mapping(mask: LabelMap, to_verse: Mapping[int, int]) -> LabelMap:
    """Renumber a mask with VerSe's labels; whatever is no vertebra becomes background.

    Parameters
    ----------
    mask : LabelMap
    to_verse : mapping of int to int
        The mask's label -> VerSe's.

    Returns
    -------
    LabelMap
        uint8, vertebrae only.

    Raises
    ------
    LabelError
        If no vertebra is left.
    """
    _refuse_images(mask)
    found = {label: to_verse.get(label, 0) for label in mask.extents}
    if not any(verse in VERSE for verse in found.values()):
        raise LabelError(
            f"the mask holds labels {_listed(list(found))}, none of them a vertebra; expected "
            "vertebra labels. Check --labels and --label-scheme."
        )
    if mask.array.dtype == np.uint8 and all(a == b and b in VERSE for a, b in found.items()):
        return mask
    table = np.zeros(max(found) + 1, np.uint8)
    for label, verse in found.items():
        table[label] = verse if verse in VERSE else 0
    renumbered = background(mask.array.shape)
    for box in labeled_slabs(mask.extents):
        renumbered[box] = table[mask.array[box]]
    return LabelMap(renumbered, mask.affine)


def mapping_from_names(names: Mapping[int, str]) -> dict[int, int]:
    """Derive a mapping to VerSe from the structure names in a mask's header.

    Parameters
    ----------
    names : mapping of int to str
        Label -> name, as TotalSegmentator writes them (``vertebrae_L1``).

    Returns
    -------
    dict of int to int
        Empty where no name is that of a vertebra.

    Examples
    --------
    >>> mapping_from_names({31: "vertebrae_L1", 26: "vertebrae_S1", 5: "liver"})
    {31: 20, 26: 26}
    """
    found = ((label, level_named(name)) for label, name in names.items())
    return {label: verse for label, verse in found if verse is not None}


def level_named(name: str) -> int | None:
    """Return VerSe's label for a structure name such as ``vertebrae_L1``, or None.

    Examples
    --------
    >>> level_named("vertebrae_T12"), level_named("vertebra_L1_msk")
    (19, 20)
    >>> level_named("vertebrae_body"), level_named("rib_left_1")
    (None, None)
    """
    found = _LEVEL_NAME.match(name.strip())
    if found is None:
        return None
    level = (found[1] or found[2]).upper()
    return SACRUM if level in ("S1", "SACRUM") else VertebraLevel(level).verse_label


def detect_scheme(name: str, mask: LabelMap) -> LabelScheme:
    """Find out from the labels and where they lie whose numbers a mask has.

    Parameters
    ----------
    name : str
        File name; a hint where anatomy leaves several schemes.
    mask : LabelMap

    Raises
    ------
    LabelError
        If nothing is labeled, no scheme fits, or several that differ do; the message
        names them.

    Notes
    -----
    A scheme fits when it knows every label, and its vertebrae then follow each other from
    cranial to caudal, 8 to 65 mm apart per level. That separates VerSe's numbers, which grow
    downwards, from TotalSegmentator's, which grow upwards, and T13 from a sacrum (both 28).
    Of several that fit, the one that gives the most labels a place in the spine is taken.
    TotalSegmentator's first version is found only where its labels leave VerSe's range:
    within it, a VerSe mask on its head would look the same.
    """
    _refuse_images(mask)
    centers = label_centers_mm(mask)
    if not centers:
        raise LabelError(f"{name}: every voxel is 0; expected vertebra labels. Check the mask.")
    labels = list(centers)
    allowed = _allowed(labels)
    fitting = [scheme for scheme in allowed if _is_anatomical(scheme, centers)]
    _refuse_subregions(name, labels, fitting)
    candidates = _different(_most_telling(fitting or allowed, labels), labels)
    if any(scheme.name == "verse" for scheme in allowed) and candidates == [_FIRST_VERSION]:
        candidates = [SCHEMES["verse"], _FIRST_VERSION]
    if len(candidates) > 1:
        candidates = [s for s in candidates if s.name == _hinted(name)] or candidates
    if len(candidates) == 1:
        return candidates[0]
    fits = " or ".join(f"{scheme.name} ({scheme.title})" for scheme in candidates)
    raise LabelError(
        f"{name}: labels {_listed(labels)} fit {fits or 'no known label scheme'}; expected one. "
        f"Say which with --label-scheme ({', '.join(SCHEMES)})."
    )


def label_centers_mm(mask: LabelMap) -> dict[int, np.ndarray]:
    """Return the center of mass of every label, RAS+ mm."""
    return {
        label: mask.affine[:3] @ np.append(extent.center_ijk, 1.0)
        for label, extent in mask.extents.items()
    }


def _is_anatomical(scheme: LabelScheme, centers: Mapping[int, np.ndarray]) -> bool:
    """Whether the levels follow each other downwards at the distances of a spine."""
    if not scheme.allows(centers):
        return False
    placed = {_order(scheme.to_verse[x]): centers[x] for x in _in_spine(scheme, centers)}
    levels = sorted(placed.items(), key=lambda item: item[0])
    low, high = _STEP_MM
    for (above, upper), (below, lower) in pairwise(levels):
        step = np.linalg.norm(upper - lower) / _levels_between(above, below)
        if lower[2] >= upper[2] or not low <= step <= high:
            return False
    return True


def _in_spine(scheme: LabelScheme, labels: Iterable[int]) -> list[int]:
    return [x for x in labels if scheme.to_verse.get(x, COCCYX) != COCCYX]


def _allowed(labels: list[int]) -> list[LabelScheme]:
    """List the schemes that know all labels and place at least half as many as the best."""
    known = [scheme for scheme in SCHEMES.values() if scheme.allows(labels)]
    counts = {scheme.name: len(_in_spine(scheme, labels)) for scheme in known}
    if counts.get(_FIRST_VERSION.name, 3) < 3:
        known.remove(_FIRST_VERSION)  # too few to prefer it to the second version
    most = max((counts[scheme.name] for scheme in known), default=0)
    return [scheme for scheme in known if 2 * counts[scheme.name] >= most]


def _most_telling(schemes: list[LabelScheme], labels: list[int]) -> list[LabelScheme]:
    counts = [len(_in_spine(scheme, labels)) for scheme in schemes]
    best = [s for s, count in zip(schemes, counts, strict=True) if count == max(counts)]
    return best if len(best) == 1 else [s for s in best if s is not _FIRST_VERSION]


def _order(verse: int) -> int:
    """Cranio-caudal order with the sacrum below L6."""
    if verse == SACRUM:
        return VertebraLevel.L6.order + 1
    return VertebraLevel.from_verse_label(verse).order


def _levels_between(above: int, below: int) -> int:
    """Steps from one level to another, with T13 and L6 counted only where they are ends."""
    extra = (VertebraLevel.T13.order, VertebraLevel.L6.order)
    return max(1, below - above - sum(above < level < below for level in extra))


def _different(schemes: list[LabelScheme], labels: list[int]) -> list[LabelScheme]:
    """Leave out schemes that would renumber these labels as an earlier one does."""
    seen: dict[tuple[int, ...], LabelScheme] = {}
    for scheme in schemes:
        vertebrae = (scheme.to_verse.get(label, 0) for label in labels)
        seen.setdefault(tuple(v if v in VERSE else 0 for v in vertebrae), scheme)
    return list(seen.values())


def _refuse_images(mask: LabelMap) -> None:
    low, high = int(mask.array.min(initial=0)), int(mask.array.max(initial=0))
    if low < 0 or high > _LABEL_MAX:
        raise LabelError(
            f"values from {low} to {high} are no vertebra labels; expected 0 to {_LABEL_MAX}. "
            "Is it the CT instead of its mask?"
        )


def _refuse_subregions(name: str, labels: list[int], fitting: list[LabelScheme]) -> None:
    if labels and not fitting and set(labels) <= set(SUBREGIONS) and set(labels) & {49, 50}:
        raise LabelError(
            f"{name}: labels {_listed(labels)} are the sub-regions of vertebrae (arch, processes, "
            "body), which do not say which vertebra; expected vertebra labels. Give the "
            "vertebra mask with --labels."
        )


def _hinted(name: str) -> str:
    text = name.lower()
    return next((scheme for part, scheme in _NAME_PARTS.items() if part in text), "")


def _listed(labels: list[int]) -> str:
    shown = ", ".join(map(str, labels[:12]))
    return f"{shown}, ... {labels[-1]}" if len(labels) > 12 else shown or "none"
