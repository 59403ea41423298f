"""Real CTs of the repository, as they are and with simulated fractures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise, product
from pathlib import Path
from typing import Any

from spinexplain.anatomy import VertebraLevel
from spinexplain.data.phantom.simulate import simulate_fracture
from spinexplain.io.centroids import read_centroids
from spinexplain.io.nifti import read_labels, read_volume
from spinexplain.types import LabelMap, Vertebra, Volume

from .prepared import Prepared, prepare_scan, write_prepared

DATA = Path(__file__).resolve().parents[2] / "tests" / "data"

# Whole levels of each scan; what is known of them beyond "no fracture seen".
WHOLE = {
    "lumbar": ("T12", "L1", "L2", "L3", "L4", "L5"),
    "thoracic": tuple(f"T{i}" for i in range(3, 13)),
    "crop": ("L3",),
}
NOTES = {
    ("thoracic", "T11"): "Schmorl's node in the upper endplate: a look-alike",
    ("lumbar", "L1"): "borderline: dense endplate, slight wedge",
}
MASKED = {"lumbar": WHOLE["lumbar"][1:], "thoracic": ("T12",), "crop": ("L3",)}
ABOUT = {
    "lumbar": "abdominal CT, 3 mm, mask T12-L5 (TotalSegmentator's example)",
    "thoracic": "contrast chest CT, 1.5 mm, centroids T3-T12 (TotalSegmentator's tests)",
    "crop": "crop around L3, 1.5 mm, mask (TPTBox's sample)",
}
SHAPES = ("wedge", "biconcave", "crush", "mixed")
LOSSES = {0.30: 2, 0.35: 2, 0.48: 3, 0.55: 3}
SEEDS = (1, 2)
PAIR_LOSSES = (0.35, 0.55)
CROP_EXAMPLES = 2  # the crop around L3 is refused whatever is in it


@dataclass(frozen=True, eq=False)
class RealScan:
    """A CT with what its user would have: a mask, or body centers, or both.

    ``simulation_mask`` holds the levels that can be fractured.
    """

    volume: Volume
    labels: LabelMap | None
    centroids: tuple[Vertebra, ...] | None
    simulation_mask: LabelMap

    def prepared(self, measured: bool) -> list[Prepared]:
        return prepare_scan(self.volume, self.labels, self.centroids, measured)


@cache
def real_scan(name: str) -> RealScan:
    """Read one of the three scans."""
    if name == "lumbar":
        folder = DATA / "totalsegmentator-example"
        labels = read_labels(folder / "totalseg_vertebrae_pp_refined.nii.gz")
        return RealScan(read_volume(folder / "example_ct.nii.gz"), labels, None, labels)
    if name == "crop":
        folder = DATA / "tptbox-sample-ct"
        labels = read_labels(folder / "sub-ct_seg-vert_label-22_msk.nii.gz")
        return RealScan(read_volume(folder / "sub-ct_label-22_ct.nii.gz"), labels, None, labels)
    folder = DATA / "totalsegmentator-thoracic"
    volume = read_volume(folder / "thoracic_ct.nii.gz")
    centers = tuple(read_centroids(folder / "thoracic_ctd.json", volume))
    binary = read_labels(folder / "vertebra_T12_msk.nii.gz")
    code = VertebraLevel.T12.verse_label
    mask = LabelMap((binary.array > 0).astype("uint8") * code, binary.affine)
    return RealScan(volume, None, centers, mask)


def fractured(scan: RealScan, level: str, shape: str, loss: float, seed: int) -> RealScan:
    """Simulate a fracture; mask and body centers follow it."""
    made = simulate_fracture(
        scan.volume,
        scan.simulation_mask,
        VertebraLevel(level),
        shape,
        loss,
        seed=seed,
        centroids=scan.centroids or (),
    )
    return replace(
        scan,
        volume=made.volume,
        labels=None if scan.labels is None else made.labels,
        centroids=None if scan.centroids is None else made.vertebrae,
        simulation_mask=made.labels,
    )


@dataclass(frozen=True)
class Simulated:
    """A real CT with no, one or several simulated fractures: (level, shape, loss, seed)."""

    source: str
    fractures: tuple[tuple[str, str, float, int], ...]
    folder: Path

    @property
    def path(self) -> Path:
        parts = [f"{lv}-{shape}-{loss:.2f}-{seed}" for lv, shape, loss, seed in self.fractures]
        return self.folder / "real" / f"{'_'.join([self.source, *(parts or ['as-is'])])}.npz"

    def make(self) -> None:
        scan = real_scan(self.source)
        for level, shape, loss, seed in self.fractures:
            scan = fractured(scan, level, shape, loss, seed)
        facts: dict[str, Any] = {
            "source": self.source,
            "fractures": [list(fracture) for fracture in self.fractures],
        }
        write_prepared(self.path, facts, scan.prepared(measured=not self.fractures))


def as_they_are(folder: Path) -> list[Simulated]:
    return [Simulated(source, (), folder) for source in WHOLE]


def single(folder: Path) -> list[Simulated]:
    """List every masked level x shape x loss x seed."""
    cases = [
        Simulated(source, ((level, shape, loss, seed),), folder)
        for seed, shape, loss in product(SEEDS, SHAPES, LOSSES)
        for source, levels in MASKED.items()
        for level in levels
    ]
    crops = [case for case in cases if case.source == "crop"][:CROP_EXAMPLES]
    return [case for case in cases if case.source != "crop"] + crops


def adjacent_crushes(folder: Path) -> list[Simulated]:
    """List two crushed neighbors, at every pair of masked levels."""
    return [
        Simulated(source, ((lower, "crush", loss, seed), (upper, "crush", loss, seed)), folder)
        for source, levels in MASKED.items()
        for (upper, lower), loss, seed in product(pairwise(levels), PAIR_LOSSES, SEEDS)
    ]
