"""Drawn persons on disk, as the trainings of the localizer read them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from spinexplain.geometry import apply_affine, fit_curve
from spinexplain.io.files import atomic_file
from spinexplain.models.localizing import REGIONS
from spinexplain.types import Volume

TUBE_MM = 10.0
"""Half the width of the tube along the body centers that the curve network learns."""

_CAUDAL = np.array([0.0, 0.0, -1.0])


@dataclass(frozen=True, eq=False)
class DrawnBody:
    """A person with all that both networks learn from.

    Parameters
    ----------
    name : str
        Preset, seed and index.
    whole : Volume of int16
        The whole field at 4 mm, axes right, anterior, cranial.
    regions : ndarray of uint8, shape of ``whole``
        Index in ``REGIONS``.
    fine : Volume of int16
        The surroundings of the spine at about 2 mm.
    levels : tuple of str
        Head to foot: ``"C3"``, ..., ``"S1"``, ``"S2"``.
    centers_mm : ndarray, shape (n, 3)
        Body centers, RAS+ mm.
    """

    name: str
    whole: Volume
    regions: np.ndarray
    fine: Volume
    levels: tuple[str, ...]
    centers_mm: np.ndarray


def save_body(
    folder: Path,
    name: str,
    whole: Volume,
    fine: Volume,
    centers_mm: Mapping[str, np.ndarray],
) -> None:
    """Store a drawn person; the description comes last and marks it as whole.

    Parameters
    ----------
    folder : Path
    name : str
    whole, fine : Volume
        As in :class:`DrawnBody`.
    centers_mm : mapping of str to ndarray, shape (3,)
        Level to body center, RAS+ mm, head to foot.
    """
    folder.mkdir(parents=True, exist_ok=True)
    levels, centers = list(centers_mm), np.array(list(centers_mm.values()))
    regions = regions_of(whole, levels, centers)
    arrays = {"whole": whole.array, "regions": regions, "fine": fine.array}
    for kind, array in arrays.items():
        with atomic_file(folder / f"{name}.{kind}.npy") as temporary, temporary.open("wb") as file:
            np.save(file, array)
    content = {
        "whole_affine": whole.affine.tolist(),
        "fine_affine": fine.affine.tolist(),
        "levels": levels,
        "centers_mm": centers.round(3).tolist(),
    }
    with atomic_file(folder / f"{name}.json") as temporary:
        temporary.write_text(json.dumps(content), "utf-8")


def load_body(folder: Path, name: str) -> DrawnBody:
    """Open a stored person; voxels are read from disk where they are needed."""
    content = json.loads((folder / f"{name}.json").read_text("utf-8"))
    whole, regions, fine = (
        np.load(folder / f"{name}.{kind}.npy", mmap_mode="r")
        for kind in ("whole", "regions", "fine")
    )
    return DrawnBody(
        name=name,
        whole=Volume(whole, np.array(content["whole_affine"])),
        regions=regions,
        fine=Volume(fine, np.array(content["fine_affine"])),
        levels=tuple(content["levels"]),
        centers_mm=np.array(content["centers_mm"]),
    )


def body_names(folder: Path) -> list[str]:
    """Return the names of the persons stored whole, sorted."""
    return sorted(path.name.removesuffix(".json") for path in folder.glob("*.json"))


def regions_of(grid: Volume, levels: Sequence[str], centers_mm: np.ndarray) -> np.ndarray:
    """Paint the tube along the body centers on a grid: index in ``REGIONS``, uint8.

    Examples
    --------
    >>> grid = Volume(np.zeros((9, 9, 20), np.int16), np.diag([4.0, 4.0, 4.0, 1.0]))
    >>> line = np.array([[16.0, 16.0, 60.0], [16.0, 16.0, 30.0], [16.0, 16.0, 4.0]])
    >>> regions_of(grid, ("C7", "T1", "S1"), line)[4, 4, [1, 7, 15, 19]].tolist()
    [3, 2, 1, 0]
    """
    curve = fit_curve(centers_mm, _CAUDAL)
    s = np.arange(0.0, curve.length_mm + 1.0, 2.0)
    kinds = np.array([_region(level) for level in levels])
    nearest = np.abs(s[:, None] - curve.knots_s_mm[None]).argmin(axis=1)
    points = curve.at(s)
    low = apply_affine(np.linalg.inv(grid.affine), points.min(axis=0) - TUBE_MM)
    high = apply_affine(np.linalg.inv(grid.affine), points.max(axis=0) + TUBE_MM)
    x, y, z = (
        slice(max(int(a), 0), max(min(int(b) + 2, n), 0))
        for a, b, n in zip(low, high, grid.array.shape, strict=True)
    )
    out = np.zeros(grid.array.shape, np.uint8)
    axes = [np.arange(side.start, side.stop) for side in (x, y, z)]
    index = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
    if index.size:
        there = apply_affine(grid.affine, index.astype(float))
        distance, at = cKDTree(points).query(there, distance_upper_bound=TUBE_MM)
        found = np.isfinite(distance)
        out[x, y, z][found] = kinds[nearest[at[found]]]
    return out


def _region(level: str) -> int:
    names = {"C": "neck", "T": "thoracolumbar", "L": "thoracolumbar", "S": "sacrum"}
    return REGIONS.index(names[level[0]])
