"""Scans of drawn persons for choosing and testing: random fields of view, with the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinexplain.data.phantom.wide.person import WidePerson
from spinexplain.data.phantom.wide.scan import scan_person, whole_field
from spinexplain.geometry import apply_affine
from spinexplain.train.localizer.fields import CUT, draw_seen
from spinexplain.types import Volume

_KEY = 34


@dataclass(frozen=True, eq=False)
class TestScan:
    """A scan and the truth about it.

    Parameters
    ----------
    volume : Volume
    levels : tuple of str
        The bodies whose centers are in the scan, C1 to S3, head to foot.
    centers_mm : ndarray, shape (n, 3)
    cropped : bool
        Whether it shows a part of the drawn person only.
    """

    volume: Volume
    levels: tuple[str, ...]
    centers_mm: np.ndarray
    cropped: bool

    __test__ = False  # its name does not make it a test


def drawn_scan(person: WidePerson, seed: int, crop: bool, spacing_mm: float = 2.0) -> TestScan:
    """Scan a person, whole or in a random field of view with at least three bodies.

    Parameters
    ----------
    person : WidePerson
    seed : int
        Of the field of view.
    crop : bool
    spacing_mm : float
    """
    affine, shape = whole_field(person, spacing_mm)
    if crop:
        affine, shape = _cropped(person, seed, affine, shape)
    volume = scan_person(person, affine, shape).volume
    levels, centers = list(person.centers_mm), np.array(list(person.centers_mm.values()))
    at = apply_affine(np.linalg.inv(affine), centers)
    inside = np.all((at >= 0) & (at <= np.array(shape) - 1), axis=1).tolist()
    kept = tuple(name for name, there in zip(levels, inside, strict=True) if there)
    return TestScan(volume, kept, centers[inside], crop)


def _cropped(
    person: WidePerson, seed: int, affine: np.ndarray, shape: tuple[int, int, int]
) -> tuple[np.ndarray, tuple[int, int, int]]:
    """Draw a field of view that shows a part of the thoracic and lumbar spine."""
    rng = np.random.default_rng([seed, _KEY])
    ends = apply_affine(affine, np.stack([np.zeros(3), np.array(shape) - 1.0]))
    graded = [name for name in person.centers_mm if name[0] in "TL"]
    centers = np.array([person.centers_mm[name] for name in graded])
    seen = draw_seen(rng, centers, ends[0], ends[1], CUT)
    back = np.linalg.inv(affine)
    low, high = (apply_affine(back, mm) for mm in (seen.low_mm, seen.high_mm))
    start = np.clip(np.ceil(low), 0, np.array(shape) - 1).astype(int)
    stop = np.clip(np.floor(high) + 1, start + 8, shape).astype(int)
    moved = affine.copy()
    moved[:3, 3] = apply_affine(affine, start.astype(float))
    x, y, z = (int(n) for n in stop - start)
    return moved, (x, y, z)


def around_spine(scan: TestScan, beside_mm: float = 45.0) -> TestScan:
    """Cut a scan at the sides to what lies near its bodies, as a field laid on the spine is.

    Parameters
    ----------
    scan : TestScan
        On a grid along the patient's axes.
    beside_mm : float
        What is left beside the outermost centers, to either side and in front and behind.
    """
    at = apply_affine(np.linalg.inv(scan.volume.affine), scan.centers_mm)
    margin = np.array([beside_mm, beside_mm, np.inf]) / scan.volume.spacing_mm
    shape = np.array(scan.volume.array.shape)
    start = np.clip(np.floor(at.min(axis=0) - margin), 0, shape - 1).astype(int)
    stop = np.clip(np.ceil(at.max(axis=0) + margin) + 1, start + 1, shape).astype(int)
    x, y, z = (slice(a, b) for a, b in zip(start.tolist(), stop.tolist(), strict=True))
    affine = scan.volume.affine.copy()
    affine[:3, 3] = apply_affine(scan.volume.affine, start.astype(float))
    return TestScan(Volume(scan.volume.array[x, y, z], affine), scan.levels, scan.centers_mm, True)
