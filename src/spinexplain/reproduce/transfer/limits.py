"""What should come out as not assessable: scans that are cut, coarse, full of metal or wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from spinexplain.anatomy import VertebraLevel
from spinexplain.data.phantom.presets import load_preset
from spinexplain.data.phantom.scan import make_subject
from spinexplain.reproduce.real_scans import RealScan, real_scan
from spinexplain.reproduce.transfer.phantoms import changed, prepared_phantom, stated
from spinexplain.reproduce.transfer.prepared import (
    Prepared,
    prepare_scan,
    prepared_or_refused,
    write_prepared,
)
from spinexplain.spine.localize import localize
from spinexplain.types import LabelMap, Vertebra, Volume

METAL_SEED, SLICES_SEED = 5200, 5300
METAL_SPINES, SLICES_SPINES = 5, 3
CUT_LEVELS = {"lumbar": ("L2", "L4"), "thoracic": ("T6", "T9")}
SIDES = {"above": (2, 1), "below": (2, -1), "in front": (1, 1), "behind": (1, -1)}
BORDER_MM = (40, 30, 20, 15, 10, 5)
SLICES_MM = (1, 2, 3, 4, 5, 6)
OFF_MM = (5, 10, 15)


@dataclass(frozen=True)
class Cuts:
    """A real scan whose border comes near one level, from every side, by mask and by center."""

    source: str
    folder: Path
    data: Path

    @property
    def path(self) -> Path:
        """Where the prepared scan is kept."""
        return self.folder / "limits" / f"cuts-{self.source}.npz"

    def make(self) -> None:
        """Make the scan, prepare and store it."""
        found, scan = [], real_scan(self.data, self.source)
        for level in CUT_LEVELS[self.source]:
            for side in SIDES:
                for border_mm in BORDER_MM:
                    found += list(_cut(scan, level, side, border_mm))
        write_prepared(self.path, {"case": "cut", "source": self.source}, found)


def _cut(scan: RealScan, level: str, side: str, border_mm: float) -> Iterator[Prepared]:
    """Crop the scan so that its border lies ``border_mm`` from the level's center."""
    vertebrae = localize(scan.volume, scan.labels, scan.centroids)
    center = next(v.centroid_mm for v in vertebrae if v.level.value == level)
    axis, sign = SIDES[side]
    volume = cropped(scan.volume, axis, sign, center[axis] + sign * border_mm)
    left = [v for v in vertebrae if sign * (v.centroid_mm[axis] - center[axis]) < border_mm]
    ways: dict[str, tuple[LabelMap | None, list[Vertebra] | None]] = {"centers": (None, left)}
    if scan.labels is not None:
        ways["mask"] = (_on(volume, scan.labels), None)
    for way, (labels, centers) in ways.items():
        for one in prepare_scan(volume, labels, centers, measured=False):
            if one.facts["level"] == level:
                one.facts.update({"side": side, "border_mm": border_mm, "way": way})
                yield one


def cropped(volume: Volume, world_axis: int, sign: int, border: float) -> Volume:
    """Cut a volume at a plane across a world axis; keep the side away from ``sign``."""
    axis = int(np.argmax(np.abs(volume.affine[world_axis, :3])))
    step = volume.affine[world_axis, axis]
    last = (border - volume.affine[world_axis, 3]) / step
    array, affine = volume.array, volume.affine.copy()
    index: list[slice] = [slice(None)] * 3
    if sign * step > 0:
        index[axis] = slice(None, max(int(np.floor(last)) + 1, 1))
    else:
        first = min(max(int(np.ceil(last)), 0), array.shape[axis] - 1)
        index[axis] = slice(first, None)
        affine[:3, 3] += first * affine[:3, axis]
    return Volume(np.ascontiguousarray(array[tuple(index)]), affine)


def _on(volume: Volume, labels: LabelMap) -> LabelMap:
    """Crop a mask to a crop of its scan (same axes and steps)."""
    first = np.rint(np.linalg.inv(labels.affine) @ volume.affine[:, 3])[:3].astype(int)
    index = tuple(slice(int(a), int(a) + n) for a, n in zip(first, volume.array.shape, strict=True))
    return LabelMap(np.ascontiguousarray(labels.array[index]), volume.affine)


@dataclass(frozen=True)
class Slices:
    """One phantom at 1 mm, its slices averaged to 2 ... 6 mm: axial, then sagittal ones."""

    index: int
    folder: Path

    @property
    def path(self) -> Path:
        """Where the prepared scan is kept."""
        return self.folder / "limits" / f"slices-{self.index:02d}.npz"

    def make(self) -> None:
        """Make the scan, prepare and store it."""
        fine = {"spacing_mm": (1.0, 1.0), "slicing": (1.0, 0.0, 0.0), "axes": ("RAS",)}
        preset = changed(load_preset("verse-like"), {"field": fine})
        made = make_subject(preset, SLICES_SEED, self.index)
        truth = {fact.level: stated(fact) for fact in made.truth}
        found = []
        for name, axis in (("axial", 2), ("sagittal", 0)):
            for factor in SLICES_MM:
                volume = Volume(*_averaged(made.image.volume, axis, factor))
                labels = LabelMap(*_picked(made.image.labels, axis, factor))
                for one in prepare_scan(volume, labels, measured=False):
                    one.facts.update({"slices": name, "thickness_mm": factor})
                    one.facts["truth"] = truth[one.facts["level"]]
                    found.append(one)
        write_prepared(self.path, {"case": "slices", "subject": f"slices-{self.index}"}, found)


def _averaged(volume: Volume, axis: int, factor: int) -> tuple[np.ndarray, np.ndarray]:
    slabs = np.moveaxis(volume.array, axis, 0)
    n = len(slabs) // factor
    mean = slabs[: n * factor].reshape(n, factor, *slabs.shape[1:]).mean(axis=1)
    array = np.moveaxis(np.rint(mean).astype(np.int16), 0, axis)
    return np.ascontiguousarray(array), _coarser(volume.affine, axis, factor)


def _picked(labels: LabelMap, axis: int, factor: int) -> tuple[np.ndarray, np.ndarray]:
    slabs = np.moveaxis(labels.array, axis, 0)
    n = len(slabs) // factor
    array = np.moveaxis(slabs[factor // 2 : n * factor : factor], 0, axis)
    return np.ascontiguousarray(array), _coarser(labels.affine, axis, factor)


def _coarser(affine: np.ndarray, axis: int, factor: int) -> np.ndarray:
    coarse = affine.copy()
    coarse[:3, 3] += (factor - 1) / 2 * affine[:3, axis]
    coarse[:3, axis] *= factor
    return coarse


@dataclass(frozen=True)
class Metal:
    """One phantom of the preset hospital-like with screws, cement or a cage in every person."""

    index: int
    folder: Path

    @property
    def path(self) -> Path:
        """Where the prepared scan is kept."""
        return self.folder / "limits" / f"metal-{self.index:02d}.npz"

    def make(self) -> None:
        """Make the scan, prepare and store it."""
        preset = changed(load_preset("hospital-like"), {"around": {"hardware": 1.0}})
        scan, ready = prepared_phantom(make_subject(preset, METAL_SEED, self.index))
        write_prepared(self.path, {"case": "metal", **scan}, ready)


@dataclass(frozen=True)
class Oddities:
    """Real scans with centers that are off, without the offset of HU, with rare levels."""

    source: str
    folder: Path
    data: Path

    @property
    def path(self) -> Path:
        """Where the prepared scan is kept."""
        return self.folder / "limits" / f"odd-{self.source}.npz"

    def make(self) -> None:
        """Make the scan, prepare and store it."""
        scan = real_scan(self.data, self.source)
        vertebrae = localize(scan.volume, scan.labels, scan.centroids)
        found = []
        for off in (*(-d for d in OFF_MM), *OFF_MM):
            moved = [_moved(v, off) for v in vertebrae]
            found += _named(prepared_or_refused(scan.volume, moved), f"centers {abs(off)} mm off")
        lifted = Volume(scan.volume.array + np.int16(1024), scan.volume.affine)
        found += _named(prepared_or_refused(lifted, vertebrae), "values 1024 too high")
        lowest = vertebrae[-1]
        if lowest.level is VertebraLevel.L5:
            renamed = [*vertebrae[:-1], replace(lowest, level=VertebraLevel.L6)]
            odd = prepared_or_refused(scan.volume, renamed)
            found += _named([one for one in odd if one.facts["level"] == "L6"], "level L6")
        write_prepared(self.path, {"case": "odd", "source": self.source}, found)


def _moved(vertebra: Vertebra, off_mm: float) -> Vertebra:
    x, y, z = vertebra.centroid_mm
    return replace(vertebra, centroid_mm=(x, y, z + off_mm))


def _named(found: list[Prepared], variant: str) -> list[Prepared]:
    for one in found:
        one.facts["variant"] = variant
    return found


def all_limits(
    folder: Path, data: Path, share: float = 1.0
) -> list[Cuts | Slices | Metal | Oddities]:
    """List every case."""
    metal, slices = (max(round(n * share), 2) for n in (METAL_SPINES, SLICES_SPINES))
    return [
        *(Cuts(source, folder, data) for source in CUT_LEVELS),
        *(Oddities(source, folder, data) for source in CUT_LEVELS),
        *(Metal(i, folder) for i in range(metal)),
        *(Slices(i, folder) for i in range(slices)),
    ]
