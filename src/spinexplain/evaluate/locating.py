"""Found and named vertebrae against the truth: arrays in, figures out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import linear_sum_assignment

FOUND_MM, CLOSE_MM = 10.0, 5.0
"""A body is found when a center lies this near, and found well when this near."""

SURE = 0.95


@dataclass(frozen=True)
class LocatedScan:
    """One scan: what was said of it against what is true.

    Parameters
    ----------
    bodies : int
        Bodies whose centers are in the scan.
    found, close : int
        Of them, with a center of their own within 10 mm and 5 mm.
    extra : int
        Centers that belong to no body.
    named, shifted : int
        Bodies that carry their own name, as it is and after the best shift of all names by
        some levels.
    right : bool
        Whether every found body has its own name.
    probability : float
        That the localizer gave to its naming.
    certain : bool
        Whether it called its names certain.
    refused : bool
    """

    bodies: int
    found: int
    close: int
    extra: int
    named: int
    shifted: int
    right: bool
    probability: float
    certain: bool
    refused: bool = False


def matched(centers_mm: np.ndarray, truth_mm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pair centers with bodies, each used once, the sum of distances being least.

    Parameters
    ----------
    centers_mm : ndarray, shape (k, 3)
    truth_mm : ndarray, shape (n, 3)

    Returns
    -------
    of_body : ndarray of int, shape (n,)
        Center of each body; -1 where none lies within 10 mm.
    distance_mm : ndarray, shape (n,)
        To it; inf where there is none.

    Examples
    --------
    >>> of_body, _ = matched(np.array([[0.0, 0, 1], [0, 0, 99]]), np.zeros((1, 3)))
    >>> of_body.tolist()
    [0]
    """
    of_body, distance = np.full(len(truth_mm), -1), np.full(len(truth_mm), np.inf)
    if not len(centers_mm) or not len(truth_mm):
        return of_body, distance
    apart = np.linalg.norm(truth_mm[:, None] - centers_mm[None], axis=2)
    rows, columns = linear_sum_assignment(np.minimum(apart, 3 * FOUND_MM))
    near = apart[rows, columns] <= FOUND_MM
    of_body[rows[near]] = columns[near]
    distance[rows[near]] = apart[rows, columns][near]
    return of_body, distance


def judged_scan(
    centers_mm: np.ndarray,
    names: Sequence[str | None],
    truth_mm: np.ndarray,
    true_names: Sequence[str],
    probability: float = 0.0,
    certain: bool = False,
    refused: bool = False,
) -> LocatedScan:
    """Judge one scan by its thoracic and lumbar bodies.

    Parameters
    ----------
    centers_mm : ndarray, shape (k, 3)
    names : sequence of str or None
        One a center, in the order of the spine.
    truth_mm : ndarray, shape (n, 3)
    true_names : sequence of str
        Head to foot; those of the neck and the sacrum only keep a center from being extra.
    probability : float
    certain, refused : bool

    Notes
    -----
    The best shift counts levels along the true order of names: the name that comes ``k``
    places after the one given.
    """
    of_body, distance = matched(centers_mm, truth_mm)
    counted = np.array([name[0] in "TL" for name in true_names], bool)
    true = [name for name in true_names if name[0] in "TL"]
    given = [names[k] if k >= 0 else None for k in of_body[counted]]
    found = int((of_body[counted] >= 0).sum())
    named = sum(a == b for a, b in zip(given, true, strict=True))
    return LocatedScan(
        bodies=len(true),
        found=found,
        close=int((distance[counted] <= CLOSE_MM).sum()),
        extra=len(centers_mm) - int((of_body >= 0).sum()),
        named=named,
        shifted=max(named, _after_shift(given, true)),
        right=found > 0 and named == found,
        probability=probability,
        certain=certain,
        refused=refused,
    )


_ORDER = (
    *(f"C{i}" for i in range(1, 8)),
    *(f"T{i}" for i in range(1, 13)),
    *(f"L{i}" for i in range(1, 6)),
)


def _after_shift(given: Sequence[str | None], true_names: Sequence[str]) -> int:
    """Count right names after the best shift; extra levels are skipped over."""
    places = {name: k for k, name in enumerate(_ORDER)}
    pairs = [
        (places[a], places[b])
        for a, b in zip(given, true_names, strict=True)
        if a in places and b in places
    ]
    if not pairs:
        return 0
    shifts = np.array([b - a for a, b in pairs])
    return int(np.bincount(shifts - shifts.min()).max())


def located_figures(scans: Sequence[LocatedScan]) -> dict[str, float | int]:
    """Sum scans up.

    Returns
    -------
    dict
        Shares of bodies that are ``found``, ``close``, ``named`` and ``shifted`` (named after
        the best shift), ``extra`` centers a scan, the expected calibration error of the
        naming's probability (``ece``, ten bins), how many scans are ``sure`` (probability of
        at least .95) and which share of those is wrong, and the share called certain and its
        errors. Shares without a case are 0.
    """
    bodies = sum(scan.bodies for scan in scans)
    sure = [scan for scan in scans if scan.probability >= SURE]
    certain = [scan for scan in scans if scan.certain]

    def share(name: str) -> float:
        return round(sum(getattr(scan, name) for scan in scans) / max(bodies, 1), 4)

    return {
        "scans": len(scans),
        "bodies": bodies,
        "refused": sum(scan.refused for scan in scans),
        "found": share("found"),
        "close": share("close"),
        "named": share("named"),
        "shifted": share("shifted"),
        "extra": round(sum(scan.extra for scan in scans) / max(len(scans), 1), 4),
        "right": round(sum(scan.right for scan in scans) / max(len(scans), 1), 4),
        "ece": round(naming_ece(scans), 4),
        "sure": len(sure),
        "sure_wrong": sum(not scan.right for scan in sure),
        "certain": len(certain),
        "certain_wrong": sum(not scan.right for scan in certain),
    }


def naming_ece(scans: Sequence[LocatedScan], bins: int = 10) -> float:
    """Return the expected calibration error of the probability that all names are right."""
    if not scans:
        return 0.0
    probability = np.array([scan.probability for scan in scans])
    right = np.array([scan.right for scan in scans], float)
    member = np.clip((probability * bins).astype(int), 0, bins - 1)
    off = [abs((probability - right)[member == k].sum()) for k in range(bins)]
    return float(sum(off) / len(scans))


def chance_ece(
    scans: Sequence[LocatedScan], seed: int = 0, draws: int = 2000
) -> tuple[float, float]:
    """Return what :func:`naming_ece` gives where every probability holds exactly.

    With few scans it is far from 0: each is right or wrong as a whole.

    Parameters
    ----------
    scans : sequence of LocatedScan
        Only their probabilities count; whether each is right is drawn by them.
    seed, draws : int

    Returns
    -------
    tuple of 2 floats
        The mean over the draws, and what one draw in twenty exceeds.

    Examples
    --------
    >>> scan = LocatedScan(5, 5, 5, 0, 5, 5, True, 0.5, False)
    >>> chance_ece([scan])
    (0.5, 0.5)
    """
    rng = np.random.default_rng(seed)
    right = rng.random((draws, len(scans))) < [scan.probability for scan in scans]
    found = [
        naming_ece([replace(scan, right=bool(y)) for scan, y in zip(scans, row, strict=True)])
        for row in right
    ]
    return float(np.mean(found)), float(np.quantile(found, 0.95))
