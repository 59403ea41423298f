"""Real CTs cut into parts and made worse: more views of the same patients, not more patients."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spinexplain.evaluate.locating import LocatedScan, located_figures
from spinexplain.geometry import apply_affine
from spinexplain.localizer.center_chain import Networks
from spinexplain.localizer.locate import find_chain
from spinexplain.localizer.naming import NamingPrior
from spinexplain.reproduce.classical_spine import classical_centers
from spinexplain.reproduce.found_scans import FoundScan
from spinexplain.reproduce.real_scans import WHOLE, RealScan, real_scan
from spinexplain.spine.localize import vertebrae_from_mask
from spinexplain.types import Vertebra, Volume

SCANS = ("lumbar", "thoracic")
LENGTH = 4
"""Whole levels in a part."""

NOISE_HU = 40.0
ALL = "all"
_AIR_HU = -1024

Judge = Callable[[FoundScan, NamingPrior], dict[str, LocatedScan]]


@dataclass(frozen=True, eq=False)
class Part:
    """A part of a CT.

    Parameters
    ----------
    scan : str
    vertebrae : tuple of Vertebra
        Those that lie in it whole, head to foot.
    volume : Volume
    """

    scan: str
    vertebrae: tuple[Vertebra, ...]
    volume: Volume


def measured_parts(
    data: Path, networks: Networks, prior: NamingPrior, judge: Judge
) -> dict[str, Any]:
    """Find and name the vertebrae of all parts, each as it is and made worse.

    Parameters
    ----------
    data : Path
        The repository's tests/data.
    networks : Networks
    prior : NamingPrior
    judge : callable
        From what was found in a scan to how each way of naming does.

    Returns
    -------
    dict
        ``figures`` by change and way of naming, and what the localizer does in every part.
    """
    rows, judged = [], []
    for name in SCANS:
        for part in parts(name, real_scan(data, name), LENGTH):
            for change, changed in CHANGES.items():
                ways = judge(found_part(part, changed(part.volume), networks, prior), prior)
                judged.append((change, ways))
                where = {"scan": name, "first": part.vertebrae[0].level.value, "change": change}
                rows.append(where | asdict(ways["localizer"]))
    return {"length": LENGTH, "rows": rows, "figures": _figures(judged)}


def _figures(judged: Sequence[tuple[str, Mapping[str, LocatedScan]]]) -> dict[str, Any]:
    return {
        change: {
            way: located_figures([ways[way] for kind, ways in judged if change in (kind, ALL)])
            for way in judged[0][1]
        }
        for change in (*CHANGES, ALL)
    }


def found_part(part: Part, volume: Volume, networks: Networks, prior: NamingPrior) -> FoundScan:
    """Find the centers in a part, not yet named."""
    chain = find_chain(volume, networks, prior)
    return FoundScan(
        person=SCANS.index(part.scan),
        group=part.scan,
        levels=tuple(vertebra.level.value for vertebra in part.vertebrae),
        truth_mm=np.array([vertebra.centroid_mm for vertebra in part.vertebrae]),
        chain=None if isinstance(chain, str) else chain,
        classical_mm=classical_centers(volume, prior),
    )


def parts(name: str, scan: RealScan, length: int) -> Iterator[Part]:
    """Cut a CT between its vertebrae, so that some neighboring ones lie in it whole.

    Parameters
    ----------
    name : str
        Of ``SCANS``.
    scan : RealScan
    length : int
        Whole levels in a part; every run of so many is one.
    """
    vertebrae = scan.centroids or vertebrae_from_mask(scan.labels)  # type: ignore[arg-type]
    kept = [vertebra for vertebra in vertebrae if vertebra.level.value in WHOLE[name]]
    for first in range(len(kept) - length + 1):
        inside = tuple(kept[first : first + length])
        yield Part(name, inside, cut_around(scan.volume, inside))


def cut_around(volume: Volume, inside: Sequence[Vertebra]) -> Volume:
    """Cut a scan above and below some vertebrae, by planes of its own grid.

    Parameters
    ----------
    volume : Volume
    inside : sequence of Vertebra
        Two or more, head to foot. The cuts lie half the distance of two centers beyond the
        outer ones.
    """
    centers = np.array([vertebra.centroid_mm for vertebra in inside])
    above = centers[0] + (centers[0] - centers[1]) / 2
    below = centers[-1] + (centers[-1] - centers[-2]) / 2
    ends = apply_affine(np.linalg.inv(volume.affine), np.stack([above, below]))
    axis = spinal_axis(volume)
    low, high = sorted(ends[:, axis])
    start = max(int(np.ceil(low)), 0)
    stop = min(int(np.floor(high)) + 1, volume.array.shape[axis])
    box = tuple(slice(start, stop) if k == axis else slice(None) for k in range(3))
    affine = volume.affine.copy()
    affine[:3, 3] = apply_affine(volume.affine, np.eye(3)[axis] * start)
    return Volume(volume.array[box], affine)


def spinal_axis(volume: Volume) -> int:
    """Return the axis of a scan's grid that runs from head to foot."""
    return int(np.argmax(np.abs(volume.affine[2, :3]) / np.array(volume.spacing_mm)))


def thick(volume: Volume) -> Volume:
    """Average every two slices.

    Examples
    --------
    >>> scan = Volume(np.arange(4, dtype=np.int16).reshape(1, 1, 4) * 10, np.eye(4))
    >>> thick(scan).array.tolist(), thick(scan).affine[2].tolist()
    ([[[5, 25]]], [0.0, 0.0, 2.0, 0.5])
    """
    axis = spinal_axis(volume)
    count = volume.array.shape[axis] // 2 * 2
    slices = np.moveaxis(volume.array, axis, 0)[:count].astype(np.float32)
    averaged = np.rint((slices[::2] + slices[1::2]) / 2).astype(np.int16)
    affine = volume.affine.copy()
    affine[:3, 3] = apply_affine(volume.affine, np.eye(3)[axis] * 0.5)
    affine[:3, axis] *= 2
    return Volume(np.moveaxis(averaged, 0, axis), affine)


def noisy(volume: Volume) -> Volume:
    """Add white noise of 40 HU, the same every time."""
    noise = np.random.default_rng(0).normal(0.0, NOISE_HU, volume.array.shape)
    held = np.maximum(np.rint(volume.array + noise), _AIR_HU)
    return Volume(held.astype(np.int16), volume.affine)


CHANGES: Mapping[str, Callable[[Volume], Volume]] = {
    "as it is": lambda volume: volume,
    "slices twice as thick": thick,
    "noise of 40 HU more": noisy,
}
