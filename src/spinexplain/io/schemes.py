"""Label numbers of other tools become VerSe's, and are recognized by names and anatomy."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import ConfigError, LabelError
from spinexplain.extents import background, labeled_slabs
from spinexplain.io.label_stats import LabelStats, label_stats
from spinexplain.types import LabelMap

SACRUM, COCCYX = 26, 27  # VerSe's codes of what is not a vertebra
SUBREGIONS = range(41, 51)  # TPTBox: arch, processes, body border 49, body 50
_LABEL_MAX = 1000

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
    others : collection of int
        Labels of other structures, which are left out.
    beside : collection of int
        Those of ``others`` that lie in a row with the vertebrae: discs, sacrum, cord.
    asked_only : bool
        Whether it is read only where the user names it: its numbers look too much like
        those of others to be found by themselves.
    """

    name: str
    title: str
    to_verse: Mapping[int, int]
    others: Collection[int] = frozenset()
    beside: Collection[int] = frozenset()
    asked_only: bool = False

    def allows(self, labels: Iterable[int]) -> bool:
        """Whether every label has a meaning here and at least one is a vertebra."""
        labels = set(labels)
        known = labels <= self.to_verse.keys() | set(self.others)
        return known and any(self.to_verse.get(label) in VERSE for label in labels)

    def levels(self, stats: Mapping[int, LabelStats]) -> dict[VertebraLevel, LabelStats]:
        """Return the vertebrae of a mask by level, in cranio-caudal order."""
        found = {
            VertebraLevel.from_verse_label(self.to_verse[label]): one
            for label, one in stats.items()
            if self.to_verse.get(label) in VERSE
        }
        return dict(sorted(found.items(), key=lambda item: item[0].order))


SCHEMES: Mapping[str, LabelScheme] = MappingProxyType(
    {
        scheme.name: scheme
        for scheme in (
            # spineps and TPTBox add discs (100 + level), endplates (200 + level), S2-S6.
            LabelScheme(
                "verse",
                "VerSe",
                VERSE | {SACRUM: SACRUM, COCCYX: COCCYX},
                frozenset([*range(29, 34), *range(101, 134), *range(201, 234)]),
                frozenset([*range(29, 34), *range(101, 134), *range(201, 234)]),
            ),
            # L5 27 .. C1 50 run upwards; 26 is the sacrum (S1), or L6 in its third version,
            # which only the names in the header say.
            LabelScheme(
                "totalsegmentator",
                "TotalSegmentator 2",
                {label: 51 - label for label in range(27, 51)} | {26: SACRUM},
                range(1, 118),
                frozenset({25, 79}),
            ),
            LabelScheme(
                "totalsegmentator-v1",
                "TotalSegmentator 1",
                {label: 42 - label for label in range(18, 42)},
                range(1, 105),
                frozenset({92}),
            ),
            # Its 28 is the sacrum, which in VerSe's numbers would be T13.
            LabelScheme(
                "spine-segment",
                "spine-segment",
                {label: label for label in range(1, 26)} | {28: SACRUM},
            ),
            LabelScheme(
                "totalspineseg",
                "totalspineseg",
                {10 + i: i for i in range(1, 8)}
                | {20 + i: 7 + i for i in range(1, 13)}
                | {40 + i: 19 + i for i in range(1, 7)}
                | {50: SACRUM},
                range(1, 101),
                range(60, 101),
                asked_only=True,
            ),
            LabelScheme(
                "vertebrae-mr",
                "TotalSegmentator's task vertebrae_mr",
                {1: SACRUM} | {label: 26 - label for label in range(2, 26)},
                asked_only=True,
            ),
            LabelScheme(
                "spider",
                "the SPIDER data",
                {label: 25 - label for label in range(1, 25)},
                frozenset([100, *range(201, 226)]),
                frozenset([100, *range(201, 226)]),
                asked_only=True,
            ),
        )
    }
)


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
    refuse_images(mask)
    found = {label: to_verse.get(label, 0) for label in mask.extents}
    if not any(verse in VERSE for verse in found.values()):
        raise LabelError(
            f"the mask holds labels {listed(list(found))}, none of them a vertebra; expected "
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


def label_centers_mm(mask: LabelMap) -> dict[int, np.ndarray]:
    """Return the center of mass of every label above 0, RAS+ mm."""
    return {label: one.center_mm for label, one in label_stats(mask).items()}


def refuse_images(mask: LabelMap) -> None:
    """Refuse an array of values that are no labels.

    Raises
    ------
    LabelError
        If a value is negative or above 1000.
    """
    low, high = min(mask.extents, default=0), max(mask.extents, default=0)
    if low < 0 or high > _LABEL_MAX:
        raise LabelError(
            f"values from {low} to {high} are no vertebra labels; expected 0 to {_LABEL_MAX}. "
            "Is it the CT instead of its mask?"
        )


def listed(labels: list[int]) -> str:
    """Write labels for a message, at most twelve and the last.

    Examples
    --------
    >>> listed([1, 2])
    '1, 2'
    """
    shown = ", ".join(map(str, labels[:12]))
    return f"{shown}, ... {labels[-1]}" if len(labels) > 12 else shown or "none"
