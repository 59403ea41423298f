"""A small drawn spine with its CT: bone among muscle, air around."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy import ndimage

from spinexplain.anatomy import VertebraLevel
from spinexplain.types import LabelMap, Vertebra, Volume

LEVELS = ("T11", "T12", "L1", "L2", "L3", "L4")


@dataclass(frozen=True, eq=False)
class DrawnScan:
    """A CT, its mask and the true body centers."""

    volume: Volume
    labels: LabelMap
    centers: dict[VertebraLevel, np.ndarray]

    def vertebrae(self, shift_mm=(0.0, 0.0, 0.0)) -> list[Vertebra]:
        return [
            Vertebra(level, tuple((np.array(center) + shift_mm).tolist()))
            for level, center in self.centers.items()
        ]

    def moved(self, *shift_mm: float) -> LabelMap:
        """The mask with another origin."""
        affine = self.labels.affine.copy()
        affine[:3, 3] += shift_mm
        return LabelMap(self.labels.array, affine)

    def relabeled(self, table: dict[str, str]) -> LabelMap:
        array = self.labels.array.copy()
        for old, new in table.items():
            array[self.labels.array == code(old)] = code(new)
        return LabelMap(array, self.labels.affine)


def code(name: str) -> int:
    return VertebraLevel(name).verse_label


@pytest.fixture(scope="session")
def drawn_scan(voxel_spine, bone) -> DrawnScan:
    heights = {"T11": 22, "T12": 23, "L1": 24, "L2": 25, "L3": 26, "L4": 26}
    bones = {name: bone((heights[name],) * 3) for name in LEVELS}
    labels, centers = voxel_spine(bones, spacing_mm=(2.0, 2.0, 2.0))
    margin = 22  # voxels of muscle and air around
    array = np.pad(labels.array, margin)
    affine = labels.affine.copy()
    affine[:3, 3] -= 2.0 * margin
    return DrawnScan(ct_of(array, affine), LabelMap(array, affine), centers)


def ct_of(array: np.ndarray, affine: np.ndarray, seed: int = 0) -> Volume:
    """Muscle of 50 HU with fat, bone of 220 HU, a border of air, noise of 20 HU."""
    rng = np.random.default_rng(seed)
    hu = np.full(array.shape, 50.0)
    hu[:, -14:] = -100
    hu[array > 0] = 220
    for axis in range(3):
        np.moveaxis(hu, axis, 0)[[0, 1, 2, -3, -2, -1]] = -1000
    hu += rng.normal(0, 20, array.shape)
    return Volume(np.rint(hu).astype(np.int16), affine)


@pytest.fixture(scope="session")
def fatty_scan(drawn_scan) -> DrawnScan:
    """The same person with osteoporosis: marrow of -30 HU, a cortex of 300 HU, 2 mm thick."""
    bone = drawn_scan.labels.array > 0
    marrow = ndimage.binary_erosion(bone)
    hu = drawn_scan.volume.array.copy()
    hu[bone & ~marrow] += 80
    hu[marrow] -= 250
    volume = Volume(hu, drawn_scan.volume.affine)
    return DrawnScan(volume, drawn_scan.labels, drawn_scan.centers)
