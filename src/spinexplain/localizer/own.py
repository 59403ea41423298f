"""The localizer asked: a bare CT in, named vertebrae with their bodies out."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

from spinexplain.anatomy import VertebraLevel
from spinexplain.errors import ConfigError
from spinexplain.io.scan_flags import ScanWarning
from spinexplain.localizer.locate import locate
from spinexplain.localizer.located import Localization
from spinexplain.localizer.networks import LocalizerInfo, LocalizerNetworks, shipped_networks
from spinexplain.localizer.segment import PaintedBodies, paint_bodies
from spinexplain.spine.localize import localize as localize_given
from spinexplain.spine.quality import LEVEL_UNCERTAIN
from spinexplain.types import LabelMap, Vertebra, Volume

OWN = "own"
"""The name of this localizer beside those of other tools."""

_RARE = (VertebraLevel.T13, VertebraLevel.L6)
_MAY_BE_OFF = 2  # levels that a person often moves the names by


@dataclass(frozen=True, eq=False)
class Found:
    """What the localizer makes of a scan.

    Parameters
    ----------
    localization : Localization
        Centers and namings; the first naming holds.
    bodies : PaintedBodies or None
        None where no masks were asked for.
    info : LocalizerInfo
    given_level : VertebraLevel or None
        The first level, where a person named it.
    """

    localization: Localization
    bodies: PaintedBodies | None
    info: LocalizerInfo
    given_level: VertebraLevel | None = None

    @property
    def vertebrae(self) -> list[Vertebra]:
        """Centers under the first naming; ``level_uncertain`` where it is not certain."""
        flags = () if self.localization.certain else (LEVEL_UNCERTAIN,)
        found = self.localization.vertebrae()
        return [replace(vertebra, flags=(*vertebra.flags, *flags)) for vertebra in found]

    @property
    def next_level(self) -> VertebraLevel | None:
        """The first level under the next hypothesis, where the first is not certain."""
        return None if self.localization.certain else self.localization.next_first_level


def find_vertebrae(
    volume: Volume,
    first_level: VertebraLevel | str | None = None,
    *,
    bodies: bool = True,
    networks: LocalizerNetworks | None = None,
) -> Found:
    """Find and name the vertebrae of a bare CT, and paint their bodies.

    Parameters
    ----------
    volume : Volume
        HU, on any grid: permuted, flipped, oblique or sheared axes are all the same to it.
    first_level : VertebraLevel or str, optional
        What the uppermost vertebra is, where a person knows better.
    bodies : bool
        Whether bodies are painted.
    networks : LocalizerNetworks, optional
        Those that come with the package by default.

    Returns
    -------
    Found

    Raises
    ------
    LabelError
        If the scan shows no thoracic or lumbar spine; the message says why.
    ModelError
        If the networks are missing.
    ConfigError
        If ``first_level`` is no level.

    Warns
    -----
    ScanWarning
        If ``first_level`` lies far from what the networks see, or leaves bodies without a name.
    """
    level = None if first_level is None else named_level(first_level)
    asked = networks or shipped_networks()
    localization = locate(volume, asked)
    localization.vertebrae()  # refuses a scan without a spine
    if level is not None:
        shifted = localization.with_first_level(level)
        doubt = far_off(localization, shifted)
        if doubt is not None:
            warnings.warn(doubt, ScanWarning, stacklevel=2)
            shifted = replace(shifted, doubts=(*shifted.doubts, doubt))
        localization = shifted
    found = Found(localization, None, asked.info, level)
    if not bodies:
        return found
    return replace(found, bodies=paint_bodies(volume, found.vertebrae, asked.body))


def far_off(seen: Localization, named: Localization) -> str | None:
    """Say how a person's first level contradicts the networks, or None where it may well hold.

    Parameters
    ----------
    seen : Localization
        As the networks name it.
    named : Localization
        The same centers from the person's first level on.

    Returns
    -------
    str or None
        Where the two lie more than two levels apart, or more than two bodies lose their name.
    """
    own, given = seen.namings[0], named.namings[0]
    ends = own.first, given.first
    order = [level for level in VertebraLevel if level not in _RARE or level in ends]
    apart = abs(order.index(ends[0]) - order.index(ends[1]))
    lost = sum(level is not None for level in own.levels)
    lost -= sum(level is not None for level in given.levels)
    if apart <= _MAY_BE_OFF and lost <= _MAY_BE_OFF:
        return None
    left = f", and leaves {lost} of the bodies found without a name" if lost > 0 else ""
    return (
        f"the first level was given as {given.first.value}; the localizer calls this vertebra "
        f"{own.first.value} ({100 * own.probability:.0f} %). That is {apart} levels apart{left}. "
        "All names hang on it: check it."
    )


def named_level(name: VertebraLevel | str) -> VertebraLevel:
    """Return a level by its name.

    Raises
    ------
    ConfigError
        If there is no such level.

    Examples
    --------
    >>> named_level("t4")
    <VertebraLevel.T4: 'T4'>
    """
    if isinstance(name, VertebraLevel):
        return name
    try:
        return VertebraLevel(name.upper())
    except ValueError:
        raise ConfigError(
            f"first level is {name!r}; expected a vertebra, such as T4 or L1. Name the uppermost "
            "vertebra that was found."
        ) from None


def localize(
    volume: Volume,
    labels: LabelMap | None = None,
    centroids: Sequence[Vertebra] | None = None,
    body: LabelMap | None = None,
    first_level: VertebraLevel | str | None = None,
) -> list[Vertebra]:
    """Name the vertebrae of a scan and find their body centers.

    With a mask or centroids these are read, see :func:`spinexplain.spine.localize.localize`;
    with neither the package's own localizer is asked. Centroids without a mask come back as
    given: grading moves them to the middles of their bodies, see
    :func:`spinexplain.localizer.settle.settle`.

    Parameters
    ----------
    volume : Volume
        The scan.
    labels : LabelMap, optional
        VerSe-labeled mask, on any grid that overlaps the scan.
    centroids : sequence of Vertebra, optional
        Known body centers; they win over the mask's.
    body : LabelMap, optional
        Where the mask's vertebrae have their bodies.
    first_level : VertebraLevel or str, optional
        What the uppermost vertebra is; only for the own localizer.

    Returns
    -------
    list of Vertebra
        In cranio-caudal order.

    Raises
    ------
    LabelError, GeometryError
        If mask, centroids and scan do not fit together, or the scan shows no spine.
    ConfigError
        If a first level is given beside a mask or centroids.
    """
    if labels is None and centroids is None:
        return find_vertebrae(volume, first_level, bodies=False).vertebrae
    if first_level is not None:
        raise ConfigError(
            "a first level was given beside a mask or centroids, which name their levels "
            "themselves. Leave one of the two out."
        )
    return localize_given(volume, labels, centroids, body)
