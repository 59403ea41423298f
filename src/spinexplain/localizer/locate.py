"""From a bare CT to centers, their namings and how probable each is."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.io.scan_flags import ScanWarning
from spinexplain.localizer.center_chain import (
    Networks,
    ReadCenters,
    cut_of,
    read_centers,
    settled_centers,
)
from spinexplain.localizer.coarse import WHOLE_MM, coarsened, whole_field
from spinexplain.localizer.direction import direction_doubt
from spinexplain.localizer.located import (
    FIRST_RIB,
    SACRUM,
    Localization,
    LocatedCenter,
    Naming,
)
from spinexplain.localizer.naming import (
    STATES,
    Hypothesis,
    NamingPrior,
    level_evidence,
)
from spinexplain.localizer.prior import shipped_prior
from spinexplain.localizer.reading import SpineReading, levels_both_ways
from spinexplain.localizer.ridge import find_ridge
from spinexplain.localizer.spine_map import spine_map
from spinexplain.localizer.spurious import name_centers
from spinexplain.localizer.trust import landmarks, trusted_namings
from spinexplain.models import localizing
from spinexplain.types import Volume

NO_SPINE = "no spine is recognized in it"
TOO_SHORT = "it is too short, from head to foot, for a spine to be recognized"
UNLIKE_SPINE = "what is there looks too little like a spine; are the header's directions right?"
NECK_ONLY = "only the neck is in view"
SACRUM_ONLY = "only the sacrum is in view"
NO_BODY = "no vertebral body is in view"

_SURE = 0.5
_SURE_PLANES = 8  # of 4 mm: shorter than two bodies
_SHORT_PLANES = 12
_LEAST_SUPPORT = 0.7  # mean along the ridge; .82 and more where a scan shows a spine upright
_NECK, _NECK_MM = 1, 11.0  # two thirds of the distance of cervical centers
_MOST_SACRAL = 8  # five sacral bodies and what the coccyx may add
_LANDMARK = 0.5


@dataclass(frozen=True, eq=False)
class ReadChain:
    """A chain of centers and what naming needs of it.

    Parameters
    ----------
    centers : tuple of LocatedCenter
        Head to foot.
    evidence : ndarray, shape (k, 27)
    gaps_mm : ndarray, shape (k - 1,)
    in_view : tuple of str
        Which of ``LANDMARKS`` the scan shows, whatever the centers are called.
    neck_mm : float
        Length of what the curve network calls neck.
    doubt : str or None
        Why the directions in the scan's header look wrong.
    """

    centers: tuple[LocatedCenter, ...]
    evidence: np.ndarray
    gaps_mm: np.ndarray
    in_view: tuple[str, ...]
    neck_mm: float
    doubt: str | None = None

    def namings(self, prior: NamingPrior) -> tuple[Hypothesis, ...]:
        """Return the most probable namings; see :func:`~.trust.trusted_namings`."""
        shares = name_centers(self.evidence, self.gaps_mm, prior)
        return trusted_namings(shares, self.in_view, prior)


def locate(volume: Volume, networks: Networks, prior: NamingPrior | None = None) -> Localization:
    """Find and name the vertebrae of a CT.

    Parameters
    ----------
    volume : Volume
        HU, on any grid whose header gives the patient's axes.
    networks : Networks
    prior : NamingPrior, optional
        The shipped one by default.

    Returns
    -------
    Localization
        With a reason in place of namings where no thoracic or lumbar spine is in view.

    Warns
    -----
    ScanWarning
        If the scan looks stored upside down or back to front.
    """
    prior = shipped_prior() if prior is None else prior
    chain = find_chain(volume, networks, prior)
    if isinstance(chain, str):
        return Localization(refused=chain)
    return named(chain, chain.namings(prior))


def find_chain(volume: Volume, networks: Networks, prior: NamingPrior) -> ReadChain | str:
    """Find the centers of a CT, not yet named, or say why there are none."""
    coarse = coarsened(volume)
    whole = whole_field(coarse)
    regions = spine_map(whole, networks.curve)  # type: ignore[arg-type]
    ridge = find_ridge(1.0 - regions[0], whole.affine)
    if ridge is None or (ridge.support > _SURE).sum() < _SURE_PLANES:
        return TOO_SHORT if whole.array.shape[2] < _SHORT_PLANES else NO_SPINE
    if ridge.support.mean() < _LEAST_SUPPORT:
        return UNLIKE_SPINE
    read = read_centers(coarse, ridge.curve, networks, prior)
    if read is None:
        return NO_BODY
    if networks.body is not None:
        read = settled_centers(volume, coarse, read, networks, prior)
    doubt = direction_doubt(read.reading, networks.levels)  # type: ignore[arg-type]
    levels = levels_both_ways(read.reading, networks.levels)  # type: ignore[arg-type]
    return replace(_chain(read, regions, volume, levels), doubt=doubt)


def _chain(read: ReadCenters, regions: np.ndarray, volume: Volume, levels: np.ndarray) -> ReadChain:
    seen, positions = read.reading.seen, read.positions
    located = tuple(
        LocatedCenter((float(x), float(y), float(z)), float(seen.center[at]), bool(is_cut))
        for (x, y, z), at, is_cut in zip(
            read.middles_mm, positions, cut_of(volume, read), strict=True
        )
    )
    return ReadChain(
        centers=located,
        evidence=level_evidence(levels, positions),
        gaps_mm=np.linalg.norm(np.diff(read.centers_mm, axis=0), axis=1),
        in_view=landmarks_in_view(read.reading),
        neck_mm=WHOLE_MM * float((regions[_NECK].max(axis=(0, 1)) > _SURE).sum()),
    )


def named(chain: ReadChain, hypotheses: tuple[Hypothesis, ...]) -> Localization:
    """Put centers and hypotheses together, or say why this is no spine to grade.

    A doubt of the header's directions is said of a refused scan, too: it may be why.
    """
    first = hypotheses[0]
    doubt = upside_down(first.levels, chain.neck_mm) or chain.doubt
    if doubt is not None:
        warnings.warn(doubt, ScanWarning, stacklevel=3)
    graded = [level for level in first.levels if level is not None and level.is_graded]
    if not graded:
        neck = any(level is not None for level in first.levels)
        return Localization(refused=NECK_ONLY if neck else SACRUM_ONLY)
    namings = tuple(
        Naming(one.levels, one.probability)
        for one in hypotheses
        if any(level is not None for level in one.levels)
    )
    doubts = () if doubt is None else (doubt,)
    return Localization(chain.centers, namings, landmarks(chain.in_view, first), doubts=doubts)


def upside_down(levels: Sequence[VertebraLevel | None], neck_mm: float) -> str | None:
    """Say why the names of a scan make it look upside down, or None.

    Parameters
    ----------
    levels : sequence of VertebraLevel or None
        Head to foot; None in the sacrum.
    neck_mm : float
        Length of what the curve network calls neck.

    Examples
    --------
    >>> upside_down([VertebraLevel.L5, *[None] * 5], 0.0)
    >>> upside_down([VertebraLevel.L5, *[None] * 17], 0.0)
    '17 bodies would be sacral. Is the scan upside down? Check its header and the levels.'
    """
    sacral = sum(level is None for level in levels)
    cervical = sum(level is not None and not level.is_graded for level in levels)
    ask = "Is the scan upside down? Check its header and the levels."
    if sacral > _MOST_SACRAL:
        return f"{sacral} bodies would be sacral. {ask}"
    if cervical >= 3 and neck_mm < cervical * _NECK_MM:
        return f"{cervical} bodies would be cervical, but no neck is seen around them. {ask}"
    return None


def landmarks_in_view(reading: SpineReading) -> tuple[str, ...]:
    """Return which ends of the thoracolumbar spine a scan shows: sacrum, first rib."""
    levels = reading.seen.levels[reading.inside]
    sacral = levels[:, localizing.LEVEL_CLASSES.index(localizing.SACRUM)]
    cervical = levels[:, : STATES.index("T1")].sum(axis=1)
    found = {
        SACRUM: _longest(sacral > _LANDMARK) >= 5,
        FIRST_RIB: _longest(cervical > _LANDMARK) >= 3,
    }
    return tuple(name for name, there in found.items() if there)


def _longest(flags: np.ndarray) -> int:
    """Return the length of the longest run of true values."""
    best = run = 0
    for flag in flags:
        run = run + 1 if flag else 0
        best = max(best, run)
    return best
